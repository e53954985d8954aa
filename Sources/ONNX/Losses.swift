import CERISystem
import ERIFormat

/// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: how little probability labels were given.
extension ONNXNode {
  func lossKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 3)
    let (x, labels) = (try operand(0, "scores"), try operand(1, "labels"))
    guard x.shape.count > 1 else {
      throw contractError("expected scores of at least 2 dimensions, found \(shapeText(x.shape))")
    }
    try require(labels, "labels", shape: [x.shape[0]] + x.shape.dropFirst(2))
    if let weights = optional(2) {
      try require(weights, "weights", like: x)
      try require(weights, "weights", shape: [x.shape[1]])
    }
    let normalises = op.name == "SoftmaxCrossEntropyLoss"
    let reduction = try text("reduction", default: "mean")
    guard let reduction = LossReduction(rawValue: reduction) else {
      throw contractError("expected reduction to be \"none\", \"sum\" or \"mean\", found \"\(reduction)\"")
    }
    var types = [try BoundType(x.dtype, reduction == .none ? labels.shape : [])]
    if normalises && outputCount > 1 { types.append(x.type) }
    return try realKernel(
      x, "scores",
      Loss(
        normalises: normalises, reduction: reduction, ignored: try integer("ignore_index"),
        weighted: optional(2) != nil, labels: try IndexReader(labels, "labels"), walk: AxisRows(x.shape, axis: 1),
        types: types))
  }
}

private enum LossReduction: String {
  case none, sum, mean
}

private struct Loss: RealKernel {
  /// Takes the log of the softmax first.
  let normalises: Bool
  let reduction: LossReduction
  let ignored: Int?
  let weighted: Bool
  let labels: IndexReader
  let walk: AxisRows
  /// The loss, and logs of probabilities where asked for.
  let types: [BoundType]

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let work = self
    let count = walk.outer * walk.inner
    return ONNXKernel(types, scratchBytes: normalises ? walk.extent * MemoryLayout<Element>.stride : 0) { memory in
      let loss: UnsafeMutablePointer<Element> = memory.output(0)
      var (total, divisor) = (0.0, 0.0)
      for row in 0..<count {
        let start = row / work.walk.inner * work.walk.extent * work.walk.inner + row % work.walk.inner
        let scores = work.logarithms(memory, start, Element.self)
        let label = work.labels.value(memory.input(1, as: UInt8.self), row)
        var value = 0.0
        if label != work.ignored {
          guard label >= 0, label < work.walk.extent else {
            return .value("labels from 0 to one less than the number of classes, found another; check ignore_index")
          }
          let weight = work.weighted ? memory.input(2, as: Element.self)[label].wide : 1
          value = -scores.base[label * scores.stride].wide * weight
          divisor += weight
        }
        if work.reduction == .none { loss[row] = Element(narrowing: value) }
        total += value
      }
      switch work.reduction {
      case .none: break
      case .sum: loss[0] = Element(narrowing: total)
      case .mean: loss[0] = Element(narrowing: total / divisor)
      }
      return nil
    }
  }

  /// A row's logs of probabilities, and how far apart they are.
  @inline(__always)
  private func logarithms<Element: ONNXReal>(
    _ memory: ONNXMemory, _ start: Int, _ type: Element.Type
  ) -> (base: UnsafePointer<Element>, stride: Int) {
    let x = memory.input(0, as: Element.self) + start
    guard normalises else { return (x, walk.inner) }
    if types.count > 1 {
      let target = memory.output(1, as: Element.self) + start
      logSoftmax(x, target, walk.extent, walk.inner)
      return (UnsafePointer(target), walk.inner)
    }
    let row: UnsafeMutablePointer<Element> = memory.scratch()
    for index in 0..<walk.extent { row[index] = x[index * walk.inner] }
    logSoftmax(row, row, walk.extent, 1)
    return (UnsafePointer(row), 1)
  }
}
