import ArgumentParser
import ERICommands
import ERIFormat
import ERITrain

/// `eri gradients MODEL`.
struct Gradients: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the gradient of the mean squared error with respect to every weight.",
    discussion:
      "Nothing is dropped. Inputs may name inner values: the graph is then cut there. Batch normalisation takes the batch's own statistics."
  )

  @Argument(help: "The model.") var model: String
  @Option(help: "A value and its array as NAME=FILE.npy.") var input: [String] = []
  @Option(help: "The array that the output should be.") var targets: String
  @Option(help: "The folder to write to.") var outputDir: String
  @Option(help: "Threads.") var threads = 1
  @Flag(help: "Let batch normalisation take its running statistics.") var runningStatistics = false
  @Flag(help: "Use no convolution that rounds more than a direct sum of products.") var exact = false

  func validate() throws {
    for text in input where ExecCommand.InputFile(argument: text) == nil {
      throw ValidationError("--input: expected NAME=FILE.npy, found \"\(text)\"")
    }
    if threads < 1 || threads > 1024 { throw ValidationError("--threads: expected 1 to 1024, found \(threads)") }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let files = input.compactMap { ExecCommand.InputFile(argument: $0) }
      let graph = try trainable(files.map { $0.name })
      try check(files.map { $0.name }, graph)
      var batch: Int?
      for file in files {
        let array = try open(file.path)
        guard let first = array.header.shape.first, first > 0 else {
          throw CommandFailure(
            .invalid, "\(file.path): expected samples along the first axis, found \(shapeText(array.header.shape))")
        }
        if let batch, batch != first {
          throw CommandFailure(
            .invalid, "\(file.path): expected \(batch) samples as in the inputs before, found \(first)")
        }
        batch = first
      }
      do throws(TrainError) { try graph.bind(batch: batch ?? 1) } catch { throw CommandFailure(error) }
      for file in files { try read(file.path, into: graph.input(file.name)) }
      try read(targets, into: graph.targets)
      graph.clearGradients()
      let count = graph.targets.count
      let loss = graph.step(key: 0, scale: 1 / Float(count)) / Double(count)
      try createFolder(outputDir)
      let arrays = try ArrayFiles(graph.parameters.map { $0.name }, folder: outputDir)
      for (index, parameter) in graph.parameters.enumerated() {
        let values = UnsafeMutableBufferPointer(rebasing: graph.gradients[parameter.range])
        do throws(FormatError) {
          try writeNPY(arrays[index], .f32, parameter.shape, UnsafeRawBufferPointer(values))
        } catch { throw CommandFailure(error) }
      }
      try Console.print("loss \(loss)\n\(graph.parameters.count) gradients -> \(outputDir)")
      return .done
    }
  }

  private func check(_ names: [String], _ graph: TrainableGraph) throws(CommandFailure) {
    for name in names where !graph.inputNames.contains(name) {
      throw CommandFailure(
        .invalid,
        "\(model): expected inputs among \(joined(graph.inputNames, separator: ", ")), found \"\(name)\"; leave it out")
    }
    for name in graph.requiredInputNames where !names.contains(name) {
      throw CommandFailure(.invalid, "\(model): expected input \"\(name)\", found none; give it with --input")
    }
  }

  /// The graph, from these values on where they are not all its inputs.
  private func trainable(_ names: [String]) throws(CommandFailure) -> TrainableGraph {
    do throws(FormatError) {
      var model = try Model(reading: self.model)
      let program = try Program(validating: model)
      let inputs = program.inputs.map { program.graph.values[$0].name }
      if let output = program.graph.outputs.first, names.contains(where: { !inputs.contains($0) }) {
        do throws(FormatError) {
          model = try model.part(from: names.filter { !inputs.contains($0) }, to: program.graph.values[output].name)
        } catch { throw error.inside(self.model) }
      }
      let pool = try WorkerThreads(count: threads)
      do throws(TrainError) {
        return try TrainableGraph(model, frozenStatistics: runningStatistics, exact: exact, threads: pool)
      } catch {
        throw FormatError(error.kind == .unsupported ? .unsupported : .invalid, at: self.model, error.sentence)
      }
    } catch { throw CommandFailure(error) }
  }

  private func open(_ path: String) throws(CommandFailure) -> NPYFile {
    do throws(FormatError) { return try NPYFile(path: path) } catch { throw CommandFailure(error) }
  }

  private func read(_ path: String, into values: UnsafeMutableBufferPointer<Float>) throws(CommandFailure) {
    let file = try open(path)
    guard file.header.dtype == .f32, file.header.byteCount == 4 * values.count else {
      throw CommandFailure(
        .invalid,
        "\(path): expected \(values.count) values of float32, found \(file.header.dtype.name) \(shapeText(file.header.shape))"
      )
    }
    do throws(FormatError) { try file.readValues(into: UnsafeMutableRawBufferPointer(values)) } catch {
      throw CommandFailure(error)
    }
  }
}
