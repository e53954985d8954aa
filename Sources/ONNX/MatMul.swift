import ERIFormat

/// Products of stacks of matrices, whose leading axes broadcast.
struct MatrixStack {
  let product: MatrixProduct
  /// The leading axes.
  let batches: Broadcast
  /// The result's.
  let shape: [Int]

  /// Vectors are a row on the left and a column on the right, and their axis is left out of the result.
  init(_ a: [Int], _ b: [Int]) throws(FormatError) {
    guard !a.isEmpty, !b.isEmpty else {
      throw contractError(
        "expected operands of at least 1 dimension, found \(shapeText(a)) and \(shapeText(b))")
    }
    let left = a.count == 1 ? [1] + a : a
    let right = b.count == 1 ? b + [1] : b
    let (m, k, n) = (left[left.count - 2], left[left.count - 1], right[right.count - 1])
    guard right[right.count - 2] == k else {
      throw contractError(
        "expected as many rows on the right as columns on the left, found \(shapeText(a)) and \(shapeText(b))")
    }
    let leading = try Broadcast([Array(left.dropLast(2)), Array(right.dropLast(2))])
    shape = leading.shape + (a.count == 1 ? [] : [m]) + (b.count == 1 ? [] : [n])
    // One matrix on the right for all on the left: their rows are those of one matrix.
    if right.dropLast(2).allSatisfy({ $0 == 1 }) {
      product = MatrixProduct(m: left.dropLast().reduce(1, *), n: n, k: k)
      batches = try Broadcast([[], []])
    } else {
      product = MatrixProduct(m: m, n: n, k: k)
      batches = leading
    }
  }

  func run<Element: ONNXNumber>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ c: UnsafeMutablePointer<Element>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    batches.forEachElement { result, places in
      product.run(
        a + places.0 * product.m * product.k, b + places.1 * product.k * product.n, c + result * product.m * product.n,
        scratch)
    }
  }
}

extension ONNXNode {
  func matMulKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let (a, b) = (try operand(0, "a"), try operand(1, "b"))
    try require(b, "b", like: a)
    let stack = try MatrixStack(a.shape, b.shape)
    return try numberKernel(a, "a", MatMul(stack: stack, type: try BoundType(a.dtype, stack.shape)))
  }

  /// alpha · A · B + beta · C.
  func gemmKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 3)
    let (a, b) = (try operand(0, "a"), try operand(1, "b"))
    try require(b, "b", like: a)
    guard a.shape.count == 2, b.shape.count == 2 else {
      throw contractError("expected matrices, found \(shapeText(a.shape)) and \(shapeText(b.shape))")
    }
    let (transposesA, transposesB) = (try flag("transA"), try flag("transB"))
    let (m, k) = transposesA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let (rows, n) = transposesB ? (b.shape[1], b.shape[0]) : (b.shape[0], b.shape[1])
    guard rows == k else {
      throw contractError(
        "expected as many rows on the right as columns on the left, found \(k) columns and \(rows) rows")
    }
    let addend = optional(2)
    if let addend { try require(addend, "c", like: a) }
    return try numberKernel(
      a, "a",
      Gemm(
        product: MatrixProduct(m: m, n: n, k: k, transposesA: transposesA, transposesB: transposesB),
        alpha: try number("alpha", default: 1), beta: try number("beta", default: 1),
        addend: try addend.map { addend throws(FormatError) in try Broadcast.to([m, n], addend.shape, "c") },
        type: try BoundType(a.dtype, [m, n])))
  }
}

private struct MatMul: NumberKernel {
  let stack: MatrixStack
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let stack = stack
    return ONNXKernel([type], scratchBytes: stack.product.scratchBytes(type.dtype)) { memory in
      stack.run(
        memory.input(0, as: Element.self), memory.input(1, as: Element.self), memory.output(0, as: Element.self),
        memory.scratch)
      return nil
    }
  }
}

private struct Gemm: NumberKernel {
  let product: MatrixProduct
  let alpha: Float
  let beta: Float
  let addend: Broadcast?
  let type: BoundType

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    let count = type.elements
    let (alpha, beta) = (Double(alpha), Double(beta))
    return ONNXKernel([type], scratchBytes: product.scratchBytes(type.dtype)) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      work.product.run(memory.input(0, as: Element.self), memory.input(1, as: Element.self), y, memory.scratch)
      if alpha != 1 {
        mapElements(UnsafePointer(y), y, count) { Element(narrowing: $0.wide * alpha) }
      }
      guard let addend = work.addend else { return nil }
      let c: UnsafePointer<Element> = memory.input(2)
      if beta == 1 {
        addend.map(UnsafePointer(y), c, y) { $0.plus($1) }
      } else {
        addend.map(UnsafePointer(y), c, y) { $0.plus(Element(narrowing: $1.wide * beta)) }
      }
      return nil
    }
  }
}
