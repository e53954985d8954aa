import ERIFormat
import ERIRuntime

/// What a model is given for one run of calibration: its float32 inputs by name.
package struct CalibrationSample: Sendable {
  package struct Input: Sendable {
    package let name: String
    package let shape: [Int]
    package let values: [Float]

    package init(_ name: String, _ shape: [Int], _ values: [Float]) {
      self.name = name
      self.shape = shape
      self.values = values
    }
  }

  package let inputs: [Input]

  package init(_ inputs: [Input]) { self.inputs = inputs }
}

/// Runs a model on samples one after another.
final class SampleRunner {
  let session: Session
  private let place: String

  init(_ model: Model, place: String, threads: Int, keepsValues: Bool = false) throws(FormatError) {
    self.place = place
    let program = try Program(validating: model)
    var options = SessionOptions()
    options.threads = threads
    options.keepsValues = keepsValues
    do throws(RuntimeError) { session = try Session(program, options: options) } catch {
      throw FormatError(error, at: place)
    }
  }

  /// The graph's outputs for the sample, each flat.
  func run(_ sample: CalibrationSample) throws(FormatError) -> [[Float]] {
    do throws(RuntimeError) {
      try session.bindIfNeeded(sample.inputs.map { Session.InputShape($0.name, $0.shape) })
      for input in sample.inputs {
        _ = session.withInput(input.name) { _ = $0.update(fromContentsOf: input.values) }
      }
      try session.runToEnd()
    } catch { throw FormatError(error, at: place) }
    return session.outputs.indices.map { session.withOutput($0) { [Float]($0) } ?? [] }
  }
}

extension FormatError {
  init(_ error: RuntimeError, at place: String) {
    let kind: FormatError.Kind =
      switch error.kind {
      case .invalid, .noMemory: .invalid
      case .unsupported: .unsupported
      }
    self.init(kind, at: error.place.isEmpty ? place : "\(place): \(error.place)", error.message)
  }
}
