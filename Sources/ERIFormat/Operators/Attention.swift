import CERISchema

/// softmax(scale · q kᵀ + band) · v for each head (Vaswani et al. 2017).
///
/// Inputs: q [N, S, H·K] · k [N, T, H·K] · v [N, T, H·V]; head h owns columns h·K..<(h+1)·K. Output: [N, S, H·V].
package struct Attention: OperatorContract {
  package static let name = "attention"
  package static let number: UInt32 = 22
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  /// Query i sees key j only where i - before ≤ j ≤ i + after.
  package struct Band: Equatable, Sendable {
    package var before: Int
    package var after: Int

    package init(before: Int, after: Int) {
      self.before = before
      self.after = after
    }
  }

  package var heads: Int
  package var scale: Float
  package var band: Band?

  package init(heads: Int, scale: Float, band: Band? = nil) {
    self.heads = heads
    self.scale = scale
    self.band = band
  }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 3, 3)
    guard (1...Limits.window).contains(heads) else {
      throw contractError("expected 1 to \(Limits.window) heads, found \(heads)")
    }
    guard scale.isFinite else { throw contractError("expected a finite scale, found \(scale)") }
    let q = try inference.input(inputs, 0, "q", rank: 3)
    let k = try inference.input(inputs, 1, "k", rank: 3)
    let v = try inference.input(inputs, 2, "v", rank: 3)
    _ = try inference.same(q.shape[0], k.shape[0], "the batches of q and k")
    _ = try inference.same(q.shape[0], v.shape[0], "the batches of q and v")
    _ = try inference.same(q.shape[2], k.shape[2], "the widths of q and k")
    _ = try inference.same(k.shape[1], v.shape[1], "the lengths of k and v")
    for (what, type) in [("q", q), ("v", v)] {
      if let width = type.shape[2].constant, width == 0 || width % heads != 0 {
        throw contractError("expected \(what)'s width divisible by \(heads) heads, found \(width)")
      }
    }
    if let keys = k.shape[1].constant, keys == 0 { throw contractError("expected at least one key, found none") }
    if let band {
      let reach = 0...Limits.elements
      guard reach.contains(band.before), reach.contains(band.after) else {
        throw contractError(
          "expected a band from 0 to \(Limits.elements) keys each way, found \(band.before) and \(band.after)")
      }
      // Beyond the last key a query could have nothing left to see.
      _ = try inference.same(q.shape[1], k.shape[1], "the lengths of q and k under a band")
    }
    return [ValueType(.f32, [q.shape[0], q.shape[1], v.shape[2]])]
  }
}

extension Attention {
  init(wire: Eri__Attention) {
    heads = Int(clamping: wire.heads)
    scale = wire.scale
    band =
      wire.banded != 0 ? Band(before: Int(clamping: wire.before), after: Int(clamping: wire.after)) : nil
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Attention> {
    let wire = try arena.message(eri__attention__init)
    wire.pointee.heads = try wire32(heads)
    wire.pointee.scale = scale
    if let band {
      wire.pointee.banded = 1
      wire.pointee.before = try wire32(band.before)
      wire.pointee.after = try wire32(band.after)
    }
    return wire
  }
}
