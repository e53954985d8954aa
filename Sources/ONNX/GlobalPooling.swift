import ERIFormat

/// One number for each channel.
extension ONNXNode {
  func globalPooling(_ x: ONNXOperand) throws(FormatError) -> ONNXKernel {
    guard x.shape.count >= 2 else {
      throw contractError("expected x of 2 dimensions or more, found \(shapeText(x.shape))")
    }
    let reduction: GlobalPoolKernel.Reduction
    switch op.name {
    case "GlobalAveragePool": reduction = .mean
    case "GlobalMaxPool": reduction = .largest
    default: reduction = .norm(Norm(power: try normPower()))
    }
    let shape = Array(x.shape.prefix(2)) + x.shape.dropFirst(2).map { _ in 1 }
    return try realKernel(
      x, "x",
      GlobalPoolKernel(
        result: try BoundType(x.dtype, shape), count: x.shape.dropFirst(2).reduce(1, *), reduction: reduction))
  }
}

private struct GlobalPoolKernel: RealKernel {
  enum Reduction {
    case mean, largest
    case norm(Norm)
  }

  let result: BoundType
  /// Elements of a channel.
  let count: Int
  let reduction: Reduction

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let (planes, count, reduction) = (result.elements, count, reduction)
    return ONNXKernel([result]) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      for plane in 0..<planes {
        let x = memory.input(0, as: Element.self) + plane &* count
        switch reduction {
        case .mean: y[plane] = Element(GlobalPoolKernel.sum(x, count) { $0 } / Double(count))
        case .norm(let norm): y[plane] = Element(norm.root(GlobalPoolKernel.sum(x, count) { norm.term($0) }))
        case .largest:
          var best = Element.lowest
          for index in 0..<count { best = best.larger(x[index]) }
          y[plane] = best
        }
      }
      return nil
    }
  }

  /// In four partial sums, so that one addition need not wait for the one before it.
  @inline(__always) private static func sum<Element: ONNXReal>(
    _ x: UnsafePointer<Element>, _ count: Int, _ term: (Double) -> Double
  ) -> Double {
    var sums = (0.0, 0.0, 0.0, 0.0)
    var index = 0
    while index &+ 4 <= count {
      sums.0 += term(Double(x[index]))
      sums.1 += term(Double(x[index &+ 1]))
      sums.2 += term(Double(x[index &+ 2]))
      sums.3 += term(Double(x[index &+ 3]))
      index &+= 4
    }
    while index < count {
      sums.0 += term(Double(x[index]))
      index &+= 1
    }
    return (sums.0 + sums.1) + (sums.2 + sums.3)
  }
}
