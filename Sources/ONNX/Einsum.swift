import ERIFormat

/// Sums of products of elements, by an equation of axes' letters ("ij,jk->ik").
extension ONNXNode {
  func einsumKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 8)
    var shapes: [[Int]] = []
    let first = try operand(0, "an operand")
    for index in operands.indices {
      let operand = try operand(index, "an operand")
      try require(operand, "input \(index)", like: first)
      shapes.append(operand.shape)
    }
    let equation = try Equation(try text("equation", default: ""), shapes)
    return try numberKernel(
      first, "input 0", Einsum(equation: equation, type: try BoundType(first.dtype, equation.shape)))
  }
}

/// An equation applied to shapes: axes that stay, and axes that are summed over.
struct Equation {
  /// A letter of the equation, or an axis of the ellipsis, counted from its end.
  private enum Label: Equatable {
    case letter(UInt8)
    case ellipsis(Int)
  }

  /// Extents of the axes that stay, then of those summed over.
  private(set) var extents: [Int] = []
  private(set) var kept = 0
  /// By operand and axis: elements from one index to the next; 0 where it has none.
  private(set) var strides: [[Int]] = []

  var shape: [Int] { Array(extents.prefix(kept)) }

  init(_ text: String, _ shapes: [[Int]]) throws(FormatError) {
    var terms: [[Label]] = []
    let (left, right) = try Equation.split(text)
    guard left.count == shapes.count else {
      throw contractError("expected \(counted(left.count, "input")) for \"\(text)\", found \(shapes.count)")
    }
    for (term, shape) in zip(left, shapes) { terms.append(try Equation.labels(term, rank: shape.count, text)) }
    let ellipsis = terms.map { $0.count { if case .ellipsis = $0 { true } else { false } } }.max() ?? 0
    let result: [Label]
    if let right {
      result = try Equation.labels(right, rank: right.count { $0 != Equation.dot } + ellipsis, text)
    } else {
      result = Equation.implied(terms, ellipsis)
    }
    var labels = result
    for label in terms.joined() where !labels.contains(label) { labels.append(label) }
    kept = result.count
    extents = [Int](repeating: 1, count: labels.count)
    for (index, label) in result.enumerated() where result.firstIndex(of: label) != index {
      throw contractError("expected each letter of the result of \"\(text)\" once, found one again")
    }
    for (term, shape) in zip(terms, shapes) {
      var own = [Int](repeating: 0, count: labels.count)
      let steps = try BoundType(.u8, shape).strides
      for (axis, label) in term.enumerated() {
        guard let place = labels.firstIndex(of: label) else { continue }
        guard shape[axis] == extents[place] || shape[axis] == 1 || extents[place] == 1 else {
          throw contractError(
            "expected one extent for each letter of \"\(text)\", found \(extents[place]) and \(shape[axis])")
        }
        if shape[axis] != 1 {
          extents[place] = shape[axis]
          own[place] += steps[axis]
        }
      }
      strides.append(own)
    }
  }

  private static let dot = UInt8(ascii: ".")

  /// The operands' terms, and the result's if it is given.
  private static func split(_ text: String) throws(FormatError) -> (left: [[UInt8]], right: [UInt8]?) {
    var terms: [[UInt8]] = [[]]
    var right: [UInt8]?
    var before: UInt8 = 0
    for byte in text.utf8 where byte != UInt8(ascii: " ") {
      switch byte {
      case UInt8(ascii: ",") where right == nil: terms.append([])
      case UInt8(ascii: "-") where right == nil: break
      case UInt8(ascii: ">") where right == nil && before == UInt8(ascii: "-"): right = []
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), dot:
        if right == nil { terms[terms.count - 1].append(byte) } else { right?.append(byte) }
      default: throw contractError("expected an equation like \"ij,jk->ik\", found \"\(text)\"")
      }
      before = byte
    }
    return (terms, right)
  }

  /// A term's labels, the ellipsis spread over the axes that letters leave.
  private static func labels(_ term: [UInt8], rank: Int, _ text: String) throws(FormatError) -> [Label] {
    let letters = term.count { $0 != dot }
    let dots = term.count - letters
    guard dots == 0 || dots == 3, dots == 3 ? letters <= rank : letters == rank else {
      throw contractError("expected \(counted(letters, "dimension")) for a term of \"\(text)\", found \(rank)")
    }
    var labels: [Label] = []
    var seen = 0
    for byte in term {
      guard byte == dot else {
        labels.append(.letter(byte))
        continue
      }
      seen += 1
      if seen == 1 { for axis in (0..<(rank - letters)).reversed() { labels.append(.ellipsis(axis)) } }
    }
    return labels
  }

  /// The ellipsis, then the letters that occur once, by their bytes.
  private static func implied(_ terms: [[Label]], _ ellipsis: Int) -> [Label] {
    var labels = (0..<ellipsis).reversed().map { Label.ellipsis($0) }
    let all = Array(terms.joined())
    for byte in UInt8(ascii: "A")...UInt8(ascii: "z") where all.count(where: { $0 == .letter(byte) }) == 1 {
      labels.append(.letter(byte))
    }
    return labels
  }
}

private struct Einsum: NumberKernel {
  let equation: Equation
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    if let contraction = Contraction(equation) { return contraction.kernel(element, type) }
    let equation = equation
    // How far along each axis, and where in each operand.
    return ONNXKernel([type], scratchBytes: 8 * (equation.extents.count + equation.strides.count)) { memory in
      Einsum.run(equation, memory, memory.output(0, as: Element.self))
      return nil
    }
  }

  private static func run<Element: ONNXNumber>(
    _ equation: Equation, _ memory: ONNXMemory, _ y: UnsafeMutablePointer<Element>
  ) {
    let indices: UnsafeMutablePointer<Int> = memory.scratch()
    let places: UnsafeMutablePointer<Int> = memory.scratch(8 * equation.extents.count)
    let results = equation.extents.prefix(equation.kept).reduce(1, *)
    let summed = equation.extents.dropFirst(equation.kept).reduce(1, *)
    for axis in equation.extents.indices { indices[axis] = 0 }
    for operand in equation.strides.indices { places[operand] = 0 }
    for result in 0..<results {
      var total = Element.Sum.nought
      for _ in 0..<summed {
        var product = Element.Sum.unit
        for operand in equation.strides.indices {
          product = product.times(memory.input(operand, as: Element.self)[places[operand]].sum)
        }
        total = total.plus(product)
        step(equation, indices, places, equation.kept..<equation.extents.count)
      }
      y[result] = Element(sum: total)
      step(equation, indices, places, 0..<equation.kept)
    }
  }

  /// One index on along the last of the axes, and on along the one before it where that ends.
  @inline(__always)
  private static func step(
    _ equation: Equation, _ indices: UnsafeMutablePointer<Int>, _ places: UnsafeMutablePointer<Int>, _ axes: Range<Int>
  ) {
    for axis in axes.reversed() {
      indices[axis] += 1
      let ends = indices[axis] == equation.extents[axis]
      let steps = ends ? 1 - equation.extents[axis] : 1
      for operand in equation.strides.indices { places[operand] += steps * equation.strides[operand][axis] }
      if !ends { return }
      indices[axis] = 0
    }
  }
}
