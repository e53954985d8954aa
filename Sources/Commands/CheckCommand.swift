import ERIFormat
import ERIRuntime

/// Runs a file's goldens: inputs and the outputs they gave where the file was made.
package struct CheckCommand: Sendable {
  package var file = ""
  package var threads = 1

  package init() {}

  /// Prints the largest difference of each output.
  /// - Returns: `.different` if one is beyond its golden's tolerance, else `.done`.
  /// - Throws: `CommandFailure` `.unsupported` for a file without goldens, or what running it throws.
  package func run() throws(CommandFailure) -> ExitStatus {
    let loaded = try LoadedModel(path: file)
    let goldens = loaded.model.goldens
    guard !goldens.isEmpty else {
      throw CommandFailure(.unsupported, "\(file): expected goldens to compare with, found none; check another file")
    }
    let program = try loaded.program()
    var options = SessionOptions()
    options.threads = threads
    var status = ExitStatus.done
    do throws(RuntimeError) {
      let session = try Session(program, options: options)
      for (number, golden) in goldens.enumerated() {
        let place = "golden \(number) (\(golden.name))"
        let inputs = try goldenInputs(golden, program, place)
        try session.bind(inputs.map { Session.InputShape($0.name, $0.shape) })
        for input in inputs {
          _ = session.withInput(input.name) { _ = $0.update(fromContentsOf: input.values) }
        }
        guard session.run() == .done else {
          throw RuntimeError(.invalid, at: place, "expected inputs bound before the run, found none")
        }
        for expected in golden.outputs {
          let difference = try OutputDifference(expected, session, place)
          let isWithin = difference.relative <= golden.tolerance
          if !isWithin { status = .different }
          try printed(
            "\(place): \(expected.name): largest difference \(decimal(difference.relative)) of the largest value "
              + "\(decimal(difference.largest)), allowed \(decimal(golden.tolerance)): " + (isWithin ? "same" : "different"))
        }
      }
    } catch {
      throw CommandFailure(error, file: file)
    }
    return status
  }

  /// Prints a line; a failure to do so ends the command like any other.
  private func printed(_ line: String) throws(RuntimeError) {
    do throws(CommandFailure) { try Console.print(line) } catch { throw RuntimeError(.invalid, at: "", error.sentence) }
  }
}

/// An input of a golden, ready to be copied.
private struct GoldenInput {
  let name: String
  let shape: [Int]
  let values: [Float]
}

/// The golden's own inputs and those its generator draws: every other input that has no fill value.
private func goldenInputs(_ golden: Golden, _ program: Program, _ place: String) throws(RuntimeError) -> [GoldenInput] {
  let graph = program.graph
  var sizes = [Int?](repeating: nil, count: graph.symbols.count)
  for binding in golden.bindings {
    guard let symbol = graph.symbols.firstIndex(where: { $0 == binding.symbol }) else {
      throw RuntimeError(.invalid, at: place, "expected sizes of the graph's symbols, found \"\(binding.symbol)\"")
    }
    sizes[symbol] = binding.size
  }
  var inputs: [GoldenInput] = []
  for index in program.inputs {
    let name = graph.values[index].name
    if let given = golden.inputs.first(where: { $0.name == name }) {
      inputs.append(GoldenInput(name: name, shape: given.shape, values: try floats(given, place)))
      continue
    }
    guard golden.generator != 0, case .input(let input) = graph.values[index].source else { continue }
    if case .filled = input.omission { continue }
    guard golden.generator == Golden.normalGenerator else {
      throw RuntimeError(
        .unsupported, at: place, "expected generator \(Golden.normalGenerator), found \(golden.generator); use a newer release")
    }
    var shape: [Int] = []
    for dimension in input.type.shape {
      guard let extent = dimension.evaluated(sizes) else {
        throw RuntimeError(.invalid, at: place, "expected a size for every symbol of input \"\(name)\", found too few")
      }
      shape.append(extent)
    }
    guard let count = elementProduct(shape) else {
      throw RuntimeError(.invalid, at: place, "expected at most \(Limits.elements) elements, found shape \(shapeText(shape))")
    }
    var random = SeededRandom(seed: golden.seed, stream: name)
    var values: [Float] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(Float(random.normal())) }
    inputs.append(GoldenInput(name: name, shape: shape, values: values))
  }
  return inputs
}

/// The golden's float32 values.
private func floats(_ values: Golden.Values, _ place: String) throws(RuntimeError) -> [Float] {
  guard values.dtype == .f32, let count = elementProduct(values.shape), values.bytes.count == count * 4 else {
    throw RuntimeError(
      .invalid, at: place, "expected float32 values for \"\(values.name)\" \(shapeText(values.shape)), "
        + "found \(values.bytes.count) bytes of \(values.dtype.name)")
  }
  var floats: [Float] = []
  floats.reserveCapacity(count)
  for start in stride(from: 0, to: values.bytes.count, by: 4) {
    var bits: UInt32 = 0
    for byte in values.bytes[start..<start + 4].reversed() { bits = bits << 8 | UInt32(byte) }
    floats.append(Float(bitPattern: bits))
  }
  return floats
}

/// How far an output is from what a golden expects.
private struct OutputDifference {
  /// Largest absolute value expected.
  let largest: Double
  /// Largest absolute difference as a share of `largest`; infinite where one is not a number.
  let relative: Double

  init(_ expected: Golden.Values, _ session: Session, _ place: String) throws(RuntimeError) {
    let wanted = try floats(expected, place)
    guard let index = session.outputs.firstIndex(where: { $0.name == expected.name }) else {
      throw RuntimeError(.invalid, at: place, "expected an output \"\(expected.name)\", found none of that name")
    }
    guard session.outputs[index].shape == expected.shape,
      let found = session.withOutput(index, { [Float]($0) }), found.count == wanted.count
    else {
      throw RuntimeError(
        .invalid, at: place, "expected \"\(expected.name)\" of shape \(shapeText(expected.shape)), "
          + "found \(shapeText(session.outputs[index].shape))")
    }
    var largest = 0.0
    var difference = 0.0
    for (a, b) in zip(wanted, found) {
      largest = max(largest, Double(a).magnitude)
      let distance = (Double(a) - Double(b)).magnitude
      // NaN would be lost in a maximum.
      difference = distance.isNaN ? .infinity : max(difference, distance)
    }
    self.largest = largest
    relative = difference == 0 ? 0 : largest > 0 ? difference / largest : .infinity
  }
}
