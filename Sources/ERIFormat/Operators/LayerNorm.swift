import CERISchema

/// Layer normalisation over the last axis (Ba et al. 2016), or TEMMA's form of it.
///
/// Inputs: x […, D] · gain [D] · bias [D]. Output: as x.
package struct LayerNorm: OperatorContract {
  package static let name = "layer_norm"
  package static let number: UInt32 = 21
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package enum Form: UInt32, Sendable {
    /// gain (x - mean) / √(variance + epsilon) + bias.
    case standard = 0
    /// gain (x - mean) / (standard deviation with n - 1, + epsilon) + bias.
    case unbiasedDeviation = 1
  }

  package var epsilon: Float
  package var form: Form

  package init(epsilon: Float = 1e-5, form: Form = .standard) {
    self.epsilon = epsilon
    self.form = form
  }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 3, 3)
    try checkEpsilon(epsilon)
    let x = try inference.input(inputs, 0, "x")
    guard let last = x.shape.last else { throw contractError("expected x with at least 1 dimension, found a scalar") }
    if let extent = last.constant {
      let minimum = form == .standard ? 1 : 2
      guard extent >= minimum else {
        throw contractError("expected a last extent of at least \(minimum), found \(extent)")
      }
    }
    for (index, what) in [(1, "gain"), (2, "bias")] {
      let operand = try inference.input(inputs, index, what, rank: 1)
      _ = try inference.same(operand.shape[0], last, "\(what)'s length and x's last extent")
    }
    return [x]
  }
}

extension LayerNorm {
  init(wire: Eri__LayerNorm) throws(FormatError) {
    epsilon = wire.epsilon
    guard let form = Form(rawValue: UInt32(wire.form.rawValue)) else {
      throw contractError("expected a form of layer norm, found number \(wire.form.rawValue)")
    }
    self.form = form
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__LayerNorm> {
    let wire = try arena.message(eri__layer_norm__init)
    wire.pointee.epsilon = epsilon
    wire.pointee.form = Eri__LayerNormForm(rawValue: form.rawValue)
    return wire
  }
}
