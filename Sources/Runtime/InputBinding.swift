import ERIFormat

/// What the given inputs decide: symbol sizes, what is absent and what is filled.
struct InputBinding {
  /// By symbol.
  let symbolSizes: [Int]
  /// Values that depend on a gated input that was left out.
  let absent: [Bool]
  /// Fill values of inputs that were left out, by value.
  let fills: [Int: Float]

  init(_ program: Program, _ given: [Session.InputShape]) throws(RuntimeError) {
    let graph = program.graph
    var sizes = [Int?](repeating: nil, count: graph.symbols.count)
    for (position, input) in given.enumerated() {
      guard let value = program.inputs.first(where: { graph.values[$0].name == input.name }) else {
        let names = joined(program.inputs.map { graph.values[$0].name }, separator: ", ")
        throw RuntimeError(
          .invalid, at: "input \"\(input.name)\"", "expected one of the inputs \(names), found no such name")
      }
      guard !given[..<position].contains(where: { $0.name == input.name }) else {
        throw RuntimeError(.invalid, at: "input \"\(input.name)\"", "expected it once, found it a second time")
      }
      try InputBinding.match(input, program.types[value], graph.symbols, &sizes, smallest: program.usesONNX ? 0 : 1)
    }
    var absentInputs: Set<Int> = []
    var gatedCount = 0
    var fills: [Int: Float] = [:]
    for value in program.inputs {
      guard case .input(let input) = graph.values[value].source else { continue }
      if case .gated = input.omission { gatedCount += 1 }
      if given.contains(where: { $0.name == graph.values[value].name }) { continue }
      switch input.omission {
      case .required:
        throw RuntimeError(
          .invalid, at: "input \"\(graph.values[value].name)\"",
          "expected \(input.type.dtype.name) \(input.type.text(graph.symbols)), found nothing; give it")
      case .filled(let fill): fills[value] = fill
      case .gated: absentInputs.insert(value)
      }
    }
    if !absentInputs.isEmpty && absentInputs.count == gatedCount {
      let names = joined(absentInputs.sorted().map { graph.values[$0].name }, separator: ", ")
      throw RuntimeError(.invalid, at: "inputs", "expected at least one of \(names), found none; give one")
    }
    var symbolSizes: [Int] = []
    for (symbol, size) in sizes.enumerated() {
      // A symbol that only absent inputs use shapes nothing that is computed.
      guard let size = size ?? (InputBinding.isUsed(symbol, graph, absentInputs) ? nil : 1) else {
        throw RuntimeError(
          .invalid, at: "inputs", "expected an input that gives \(graph.symbols[symbol]) its size, found none")
      }
      symbolSizes.append(size)
    }
    self.symbolSizes = symbolSizes
    self.fills = fills
    absent = try InputBinding.absence(program, absentInputs)
  }

  private static func match(
    _ input: Session.InputShape, _ type: ValueType, _ symbols: [String], _ sizes: inout [Int?], smallest: Int
  ) throws(RuntimeError) {
    let place = "input \"\(input.name)\""
    let expected = "\(type.dtype.name) \(type.text(symbols))"
    guard input.shape.count == type.shape.count else {
      throw RuntimeError(.invalid, at: place, "expected \(expected), found \(shapeText(input.shape))")
    }
    for (extent, dimension) in zip(input.shape, type.shape) {
      guard extent >= smallest else {
        throw RuntimeError(
          .invalid, at: place, "expected extents of at least \(smallest), found \(shapeText(input.shape))")
      }
      guard dimension.symbols.count == 1 else { continue }
      let symbol = dimension.symbols[0]
      if dimension.coefficient == 1 {
        if let size = sizes[symbol], size != extent {
          throw RuntimeError(
            .invalid, at: place,
            "expected \(symbols[symbol]) = \(size) as in the inputs before it, found \(extent) in \(shapeText(input.shape))"
          )
        }
        sizes[symbol] = extent
      } else if sizes[symbol] == nil, dimension.coefficient > 1 {
        // A multiple of a symbol gives it too: 32·N is 64, so N is 2.
        guard extent % dimension.coefficient == 0 else {
          throw RuntimeError(.invalid, at: place, "expected \(expected), found \(shapeText(input.shape))")
        }
        sizes[symbol] = extent / dimension.coefficient
      }
    }
    for (extent, dimension) in zip(input.shape, type.shape) {
      if let required = dimension.evaluated(sizes), required != extent {
        throw RuntimeError(.invalid, at: place, "expected \(expected), found \(shapeText(input.shape))")
      }
    }
  }

  private static func isUsed(_ symbol: Int, _ graph: Graph, _ absent: Set<Int>) -> Bool {
    for (index, value) in graph.values.enumerated() where !absent.contains(index) {
      if case .input(let input) = value.source, input.type.shape.contains(where: { $0.symbols.contains(symbol) }) {
        return true
      }
    }
    return false
  }

  /// Values that cannot be computed without the absent inputs; a gate turns absence into zeros.
  private static func absence(_ program: Program, _ inputs: Set<Int>) throws(RuntimeError) -> [Bool] {
    var absent = [Bool](repeating: false, count: program.graph.values.count)
    for input in inputs { absent[input] = true }
    for node in program.graph.nodes {
      if case .gate = node.op { continue }
      guard node.inputs.contains(where: { $0.map { absent[$0] } ?? false }) else { continue }
      for output in node.outputs { absent[output] = true }
    }
    for output in program.graph.outputs where absent[output] {
      let names = joined(inputs.sorted().map { program.graph.values[$0].name }, separator: ", ")
      throw RuntimeError(
        .invalid, at: "inputs",
        "expected \(names) for the output \"\(program.graph.values[output].name)\", found nothing; give it")
    }
    return absent
  }
}
