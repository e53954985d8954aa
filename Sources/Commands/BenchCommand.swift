import CERISystem
import ERIFormat
package import ERIRuntime

/// Times a model on inputs drawn from a seed.
package struct BenchCommand: Sendable {
  /// A `--size T=32`.
  package struct Size: Sendable {
    package let symbol: String
    package let size: Int

    /// Splits at the first `=`; nil unless a positive integer follows it.
    package init?(argument: String) {
      guard let equals = argument.utf8.firstIndex(of: 0x3d), equals != argument.startIndex,
        let size = Int(String(argument[argument.index(after: equals)...])), size > 0
      else { return nil }
      symbol = String(argument[..<equals])
      self.size = size
    }
  }

  package var model = ""
  package var sizes: [Size] = []
  package var threads = 1
  package var rounds = 15
  package var exact = false
  package var memory = MemoryUse.fast
  /// Measure what the plan may choose and write it beside the model.
  package var tunes = false
  package var profiles = false
  package var json = false

  package init() {}

  /// What is wrong with the command line itself, or nil.
  package var usageFault: String? {
    if rounds < 1 || rounds > 1_000_000 { return "--rounds: expected 1 to 1000000, found \(rounds)" }
    if threads < 1 || threads > 1024 { return "--threads: expected 1 to 1024, found \(threads)" }
    if tunes && (exact || memory == .low) {
      return "--tune: expected neither --exact nor --memory low, which leave nothing to choose, found one"
    }
    for (position, size) in sizes.enumerated() where sizes[..<position].contains(where: { $0.symbol == size.symbol }) {
      return "--size: expected \(size.symbol) once, found it twice"
    }
    return nil
  }

  /// Runs once unmeasured and then `rounds` times, and prints what that took.
  /// - Throws: `CommandFailure` `.invalid` or `.unsupported`.
  package func run() throws(CommandFailure) {
    if let usageFault { throw CommandFailure(.usage, usageFault) }
    let loaded = try LoadedModel(path: model)
    let program = try loaded.program()
    let inputs = try shapes(of: program, goldens: loaded.model.goldens)
    var tuned: TunedPlans?
    var tuning: PlanTuning.Result?
    if tunes {
      let result: PlanTuning.Result
      do throws(RuntimeError) {
        result = try PlanTuning(program, inputs, threads: threads, rounds: rounds).result()
      } catch { throw CommandFailure(error, file: model) }
      tuned = try remember(result, loaded, inputs)
      tuning = result
    } else if !exact && memory == .fast {
      tuned = try PlanFile.plans(of: loaded.model, at: model)
    }
    let report: BenchReport
    do throws(RuntimeError) {
      var options = SessionOptions()
      options.threads = threads
      options.exact = exact
      options.memory = memory
      options.profiles = profiles
      options.tuned = tuned
      let session = try Session(program, options: options)
      try session.bind(inputs)
      for input in inputs {
        let values = SeededRandom.deviates(input.shape.reduce(1, *), seed: 0, stream: input.name)
        _ = session.withInput(input.name) { buffer in
          for (index, value) in values.enumerated() { buffer[index] = value }
        }
      }
      var milliseconds: [Double] = []
      for run in 0...rounds {
        let start = eri_clock_monotonic()
        try session.runToEnd()
        if run > 0 { milliseconds.append(Double(eri_clock_monotonic() - start) / 1e6) }
      }
      report = try BenchReport(
        command: self, session: session, inputs: inputs, tuning: tuning, milliseconds: milliseconds)
    } catch { throw CommandFailure(error, file: model) }
    try Console.print(json ? report.json : report.text)
  }

  /// Adds what was measured to the plans beside the model; plans that are not of this model or release go.
  private func remember(
    _ tuning: PlanTuning.Result, _ loaded: LoadedModel, _ inputs: [Session.InputShape]
  ) throws(CommandFailure) -> TunedPlans {
    var plans = TunedPlans(model: try loaded.digests().logical.text)
    if case .plans(let known) = try PlanFile.read(of: loaded.model, at: model) { plans = known }
    let key = TunedPlans.Key(instructionSet: tuning.instructionSet, threads: threads, inputs: inputs)
    plans[key] = tuning.choices
    try PlanFile.write(plans, beside: loaded)
    return plans
  }

  /// Shapes of the inputs that have no fill value: a symbol is as large as the command line says, else as in the model's first golden,
  /// else 1.
  private func shapes(of program: Program, goldens: [Golden]) throws(CommandFailure) -> [Session.InputShape] {
    let graph = program.graph
    for size in sizes where !graph.symbols.contains(size.symbol) {
      let names = joined(graph.symbols, separator: ", ")
      let known = names.isEmpty ? "no size to choose" : "one of the sizes \(names)"
      throw CommandFailure(.invalid, "\(model): --size: expected \(known), found \"\(size.symbol)\"")
    }
    let extents = graph.symbols.map { symbol -> Int? in
      sizes.first { $0.symbol == symbol }?.size ?? goldens.first?.bindings.first { $0.symbol == symbol }?.size ?? 1
    }
    var shapes: [Session.InputShape] = []
    for index in program.inputs {
      guard case .input(let input) = graph.values[index].source else { continue }
      if case .filled = input.omission { continue }
      let name = graph.values[index].name
      guard input.type.dtype == .f32 else {
        throw CommandFailure(
          .unsupported,
          "\(model): input \"\(name)\": expected float32 to draw, found \(input.type.dtype.name); time it with `eri exec --repeat`"
        )
      }
      var shape: [Int] = []
      for dimension in input.type.shape {
        guard let extent = dimension.evaluated(extents) else {
          throw CommandFailure(
            .invalid, "\(model): input \"\(name)\": expected extents within the limits, found larger ones")
        }
        shape.append(extent)
      }
      guard elementProduct(shape) != nil else {
        throw CommandFailure(
          .invalid,
          "\(model): input \"\(name)\": expected at most \(Limits.elements) elements, found \(shapeText(shape))")
      }
      shapes.append(Session.InputShape(name, shape))
    }
    return shapes
  }
}
