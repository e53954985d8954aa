import ERIFormat
import ERIRuntime

/// One output of a file's golden, run anew and compared.
package struct GoldenCheck: Sendable {
  /// "golden 0 (seed 7)".
  package let place: String
  /// The output's name.
  package let output: String
  /// The largest difference as a share of the largest absolute value expected.
  package let difference: Double
  /// The largest absolute value expected.
  package let largest: Double
  package let allowed: Double

  package var isWithin: Bool { difference <= allowed }

  package var sentence: String {
    "\(place): \(output): largest difference \(decimal(difference)) of the largest value \(decimal(largest)), allowed "
      + "\(decimal(allowed)): " + (isWithin ? "same" : "different")
  }

  /// Runs every golden of a file.
  /// - Throws: `CommandFailure` if the graph is not valid, or what running it throws.
  package static func all(of loaded: LoadedModel, threads: Int) throws(CommandFailure) -> [GoldenCheck] {
    let program = try loaded.program()
    var options = SessionOptions()
    options.threads = threads
    var checks: [GoldenCheck] = []
    do throws(RuntimeError) {
      let session = try Session(program, options: options)
      for (number, golden) in loaded.model.goldens.enumerated() {
        let place = "golden \(number) (\(golden.name))"
        let inputs = try goldenInputs(golden, program, place)
        try session.bind(inputs.map { Session.InputShape($0.name, $0.shape) })
        for input in inputs {
          _ = session.withInput(input.name) { _ = $0.update(fromContentsOf: input.values) }
        }
        try session.runToEnd()
        for expected in golden.outputs {
          let difference = try OutputDifference(expected, session, place)
          checks.append(
            GoldenCheck(
              place: place, output: expected.name, difference: difference.relative, largest: difference.largest,
              allowed: golden.tolerance))
        }
      }
    } catch {
      throw CommandFailure(error, file: loaded.path)
    }
    return checks
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
