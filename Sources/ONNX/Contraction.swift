import ERIFormat

/// An equation of two operands as a stack of matrix products: axes that both have and the result keeps count the matrices, axes of one
/// operand alone are rows or columns, axes that both have and the result lacks are summed over.
struct Contraction {
  private let product: MatrixProduct
  private let batches: Int
  /// The operands as dense stacks, and the stack of products in the result's order.
  private let left: StridedCopy
  private let right: StridedCopy
  private let result: StridedCopy

  /// Nil for another number of operands, where one operand alone is summed, and where there is nothing to compute.
  init?(_ equation: Equation) {
    guard equation.strides.count == 2, !equation.extents.contains(0) else { return nil }
    let (a, b) = (equation.strides[0], equation.strides[1])
    // Matrices, rows, columns, and what is summed over.
    var parts: [[Int]] = [[], [], [], []]
    for (label, extent) in equation.extents.enumerated() where extent > 1 {
      let isKept = label < equation.kept
      switch (a[label] != 0, b[label] != 0) {
      case (true, true): parts[isKept ? 0 : 3].append(label)
      case (true, false) where isKept: parts[1].append(label)
      case (false, true) where isKept: parts[2].append(label)
      case (true, false), (false, true), (false, false): return nil
      }
    }
    let sizes = parts.map { $0.reduce(1) { $0 * equation.extents[$1] } }
    product = MatrixProduct(m: sizes[1], n: sizes[2], k: sizes[3])
    batches = sizes[0]
    func stack(_ labels: [Int], _ strides: [Int]) -> StridedCopy {
      StridedCopy(labels.map { equation.extents[$0] }, sourceStrides: labels.map { strides[$0] })
    }
    left = stack(parts[0] + parts[1] + parts[3], a)
    right = stack(parts[0] + parts[3] + parts[2], b)
    // Where each kept axis lies in the stack of products.
    var places = [Int](repeating: 0, count: equation.extents.count)
    var stride = 1
    for label in (parts[0] + parts[1] + parts[2]).reversed() {
      places[label] = stride
      stride *= equation.extents[label]
    }
    result = stack(Array(0..<equation.kept), places)
  }

  func kernel<Element: ONNXNumber>(_ element: Element.Type, _ type: BoundType) -> ONNXKernel {
    let work = self
    let size = MemoryLayout<Element>.stride
    func bytes(_ rows: Int, _ columns: Int) -> Int { (batches * rows * columns * size + 63) / 64 * 64 }
    let (first, second) = (bytes(product.m, product.k), bytes(product.k, product.n))
    let held = first + second + bytes(product.m, product.n)
    return ONNXKernel([type], scratchBytes: held + product.scratchBytes(type.dtype)) { memory in
      let a: UnsafeMutablePointer<Element> = memory.scratch()
      let b: UnsafeMutablePointer<Element> = memory.scratch(first)
      let c: UnsafeMutablePointer<Element> = memory.scratch(first + second)
      Contraction.copy(work.left, memory.input(0), a)
      Contraction.copy(work.right, memory.input(1), b)
      let (m, n, k) = (work.product.m, work.product.n, work.product.k)
      for batch in 0..<work.batches {
        work.product.run(
          UnsafePointer(a) + batch * m * k, UnsafePointer(b) + batch * k * n, c + batch * m * n, memory.scratch + held)
      }
      Contraction.copy(work.result, UnsafePointer(c), memory.output(0, as: Element.self))
      return nil
    }
  }

  /// A copy of numbers as the bytes they are.
  private static func copy<Element: ONNXNumber>(
    _ copy: StridedCopy, _ source: UnsafePointer<Element>, _ target: UnsafeMutablePointer<Element>
  ) {
    func call<Bits: Word>(_ bits: Bits.Type) {
      copy(
        UnsafeRawPointer(source).assumingMemoryBound(to: Bits.self),
        UnsafeMutableRawPointer(target).assumingMemoryBound(to: Bits.self))
    }
    switch MemoryLayout<Element>.stride {
    case 1: call(UInt8.self)
    case 2: call(UInt16.self)
    case 4: call(UInt32.self)
    default: call(UInt64.self)
    }
  }
}
