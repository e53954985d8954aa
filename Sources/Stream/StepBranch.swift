import ERIFormat
import ERIRuntime

/// Computes what belongs to single steps of one input.
final class StepBranch {
  let input: String
  /// Names and extents of what a step gives.
  let ends: [(name: String, shape: [Int])]
  private let starts: [String]
  private let session: Session

  init(_ branch: StepSplit.Branch, options: SessionOptions) throws(RuntimeError) {
    input = branch.input
    starts = branch.starts
    let program: Program
    do throws(FormatError) { program = try Program(validating: branch.part) } catch { throw RuntimeError(error) }
    session = try Session(program, options: options)
    let names = starts
    let shapes = program.inputs.filter { names.contains(program.graph.values[$0].name) }.map { value in
      Session.InputShape(
        program.graph.values[value].name, [1] + program.types[value].shape.dropFirst().map { $0.constant ?? 0 })
    }
    try session.bind(shapes)
    ends = zip(branch.ends, session.outputs).map { ($0, [Int]($1.shape.dropFirst())) }
  }

  /// - Parameters: step: as many values as a step has
  /// - Throws: `RuntimeError` if an operand stops the run.
  func results(of step: [Float]) throws(RuntimeError) -> [[Float]] {
    for start in starts {
      _ = session.withInput(start) { buffer in
        for index in 0..<min(buffer.count, step.count) { buffer[index] = step[index] }
      }
    }
    try session.runToEnd()
    return ends.indices.map { index in session.withOutput(index) { [Float]($0) } ?? [] }
  }
}
