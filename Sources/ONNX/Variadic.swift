import ERIFormat

/// Max, Min, Sum and Mean of any number of operands that broadcast.
enum VariadicFunction: String, CaseIterable {
  case max = "Max"
  case min = "Min"
  case sum = "Sum"
  case mean = "Mean"
}

extension ONNXNode {
  func variadicKernel() throws(FormatError) -> ONNXKernel {
    try arity(1)
    let first = try operand(0, "an operand")
    guard let function = VariadicFunction(rawValue: op.name) else {
      throw contractError("expected a function of several operands, found none")
    }
    var shapes: [[Int]] = []
    for index in operands.indices {
      let operand = try operand(index, "an operand")
      try require(operand, "input \(index)", like: first)
      shapes.append(operand.shape)
    }
    let shape = try Broadcast(shapes).shape
    let type = try BoundType(first.dtype, shape)
    let starting = try Broadcast.to(shape, shapes[0], "input 0")
    var walks: [Broadcast] = []
    for (index, operand) in shapes.enumerated().dropFirst() {
      walks.append(try Broadcast.to(shape, operand, "input \(index)"))
    }
    let maker = Variadic(function: function, starting: starting, walks: walks, type: type)
    switch function {
    case .max, .min: return try numberKernel(first, "input 0", maker)
    case .sum, .mean: return try numberKernel(first, "input 0", maker)
    }
  }
}

private struct Variadic: NumberKernel {
  let function: VariadicFunction
  /// The result's shape and the first operand's.
  let starting: Broadcast
  /// The result's shape and each further operand's.
  let walks: [Broadcast]
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    let count = type.elements
    let operands = Element(narrowing: Double(walks.count + 1))
    return ONNXKernel([type]) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      work.starting.map(UnsafePointer(y), memory.input(0, as: Element.self), y) { $1 }
      for index in work.walks.indices {
        let (x, walk) = (memory.input(index + 1, as: Element.self), work.walks[index])
        // The result so far is read where it is written.
        switch work.function {
        case .max: walk.map(UnsafePointer(y), x, y) { $0.larger($1) }
        case .min: walk.map(UnsafePointer(y), x, y) { $0.smaller($1) }
        case .sum, .mean: walk.map(UnsafePointer(y), x, y) { $0.plus($1) }
        }
      }
      if work.function == .mean { mapElements(UnsafePointer(y), y, count) { $0.over(operands) } }
      return nil
    }
  }
}
