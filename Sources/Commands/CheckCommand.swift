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
        try session.runToEnd()
        for expected in golden.outputs {
          let difference = try OutputDifference(expected, session, place)
          let isWithin = difference.relative <= golden.tolerance
          if !isWithin { status = .different }
          try printed(
            "\(place): \(expected.name): largest difference \(decimal(difference.relative)) of the largest value "
              + "\(decimal(difference.largest)), allowed \(decimal(golden.tolerance)): "
              + (isWithin ? "same" : "different"))
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
        .invalid, at: place,
        "expected \"\(expected.name)\" of shape \(shapeText(expected.shape)), "
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
