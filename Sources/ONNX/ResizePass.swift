import ERIFormat

/// One axis resized, all others as they are.
final class ResizePass {
  let taps: Int
  private let indices: Table<Int>
  private let weights: Table<Double>
  private let constants: Table<Double>
  private let outer: Int
  private let input: Int
  private let output: Int
  private let inner: Int

  init(_ shape: [Int], axis: Int, _ weighted: ResizeWeights) {
    taps = weighted.taps
    indices = Table(weighted.indices)
    weights = Table(weighted.weights)
    constants = Table(weighted.constants)
    outer = shape.prefix(axis).reduce(1, *)
    input = shape[axis]
    output = weighted.constants.count
    inner = shape.dropFirst(axis + 1).reduce(1, *)
  }

  /// Elements that come out.
  var elements: Int { outer * output * inner }

  @inline(__always) func callAsFunction<Element: ONNXReal>(
    _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>
  ) {
    for row in 0..<outer {
      let source = x + row &* input &* inner
      let target = y + row &* output &* inner
      if inner == 1 { single(source, target) } else { rows(source, target) }
    }
  }

  /// The last axis: each output from elements beside each other.
  private func single<Element: ONNXReal>(_ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>) {
    var index = 0
    while index < output {
      let first = index &* taps
      var sum = Element(constants[index])
      var tap = 0
      while tap < taps {
        sum += Element(weights[first &+ tap]) * x[indices[first &+ tap]]
        tap &+= 1
      }
      y[index] = sum
      index &+= 1
    }
  }

  /// Another axis: rows of outputs from rows.
  private func rows<Element: ONNXReal>(_ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>) {
    for index in 0..<output {
      let target = y + index &* inner
      target.update(repeating: Element(constants[index]), count: inner)
      for tap in index &* taps..<(index &+ 1) &* taps {
        let weight = Element(weights[tap])
        if weight == 0 { continue }
        let source = x + indices[tap] &* inner
        var column = 0
        while column < inner {
          target[column] += weight * source[column]
          column &+= 1
        }
      }
    }
  }
}

/// Axis after axis, in the type itself or, for integers, in Double with rounding at the end.
struct ResizeKernel: NumberKernel {
  let x: BoundType
  let result: BoundType
  let passes: [ResizePass]

  func kernel<Element: ONNXNumber>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    switch x.dtype {
    case .f32: return real(Float.self)
    case .f64: return real(Double.self)
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .f16, .bf16, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2,
      .f8e5m2fnuz, .i4, .u4:
      break
    }
    let (count, results) = (x.elements, result.elements)
    let most = passes.reduce(count) { max($0, $1.elements) }
    let passes = passes
    return ONNXKernel([result], scratchBytes: 2 * most * MemoryLayout<Double>.stride) { memory in
      let source: UnsafePointer<Element> = memory.input(0)
      let target: UnsafeMutablePointer<Element> = memory.output(0)
      var (from, to) = (memory.scratch(0, as: Double.self), memory.scratch(0, as: Double.self) + most)
      for index in 0..<count { from[index] = source[index].wide }
      for pass in passes {
        pass(UnsafePointer(from), to)
        swap(&from, &to)
      }
      for index in 0..<results { target[index] = Element(narrowing: from[index].rounded(.toNearestOrEven)) }
      return nil
    }
  }

  private func real<Element: ONNXReal>(_ type: Element.Type) -> ONNXKernel {
    let passes = passes
    let count = result.elements
    let most = passes.reduce(0) { max($0, $1.elements) }
    let bytes = passes.count > 1 ? 2 * most * MemoryLayout<Element>.stride : 0
    return ONNXKernel([result], scratchBytes: bytes) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      if passes.isEmpty {
        y.update(from: memory.input(0), count: count)
        return nil
      }
      var from: UnsafePointer<Element> = memory.input(0)
      for (index, pass) in passes.enumerated() {
        let to = index == passes.count - 1 ? y : memory.scratch(0, as: Element.self) + index % 2 &* most
        pass(from, to)
        from = UnsafePointer(to)
      }
      return nil
    }
  }
}
