package import ERIFormat
import ERIRuntime

extension Golden {
  /// A golden of the model: every input drawn from the seed, every symbol of size 1 but those given, and the outputs that direct
  /// sums give for them.
  ///
  /// Its tolerance lets a plan with Winograd convolutions and another processor's kernels pass.
  /// - Throws: `CommandFailure` if the model has no valid graph or this runtime cannot run it.
  package static func recorded(
    from model: Model, name: String, seed: UInt64, sizes: [(symbol: String, size: Int)] = []
  ) throws(CommandFailure) -> Golden {
    var golden = Golden()
    golden.name = name
    golden.generator = normalGenerator
    golden.seed = seed
    golden.bindings = (model.graph?.symbols ?? []).map { symbol in
      Binding(symbol, sizes.first { $0.symbol == symbol }?.size ?? 1)
    }
    golden.tolerance = 1e-4
    return try golden.recomputed(with: model)
  }

  /// The same inputs and what the model gives for them now.
  /// - Throws: as `recorded`.
  package func recomputed(with model: Model) throws(CommandFailure) -> Golden {
    let program: Program
    do throws(FormatError) { program = try Program(validating: model) } catch { throw CommandFailure(error) }
    var golden = self
    golden.outputs = []
    var options = SessionOptions()
    options.exact = true
    do throws(RuntimeError) {
      let session = try Session(program, options: options)
      let inputs = try goldenInputs(golden, program, name)
      try session.bind(inputs.map { Session.InputShape($0.name, $0.shape) })
      for input in inputs {
        _ = session.withInput(input.name) { _ = $0.update(fromContentsOf: input.values) }
      }
      for output in session.outputs where output.dtype != .f32 {
        throw RuntimeError(
          .unsupported, at: "output \"\(output.name)\"", "expected float32 to record, found \(output.dtype.name)")
      }
      try session.runToEnd()
      for (index, output) in session.outputs.enumerated() {
        let bytes = session.withOutputBytes(index) { [UInt8]($0) }
        golden.outputs.append(Values(output.name, output.dtype, output.shape, bytes ?? []))
      }
    } catch {
      throw CommandFailure(error, file: name)
    }
    return golden
  }
}
