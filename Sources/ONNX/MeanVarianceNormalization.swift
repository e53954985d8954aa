import ERIFormat

/// Elements less their mean, over their deviation, both along given axes.
extension ONNXNode {
  func meanVarianceKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    let axes = try axes(try integers("axes") ?? [0, 2, 3], rank: x.shape.count)
    let folding = Folding(x.type, axes: axes, keepsAxes: true)
    return try realKernel(
      x, "x",
      MeanVariance(
        folding: folding, broadcast: try Broadcast([x.shape, folding.shape, folding.shape]), type: x.type))
  }
}

private struct MeanVariance: RealKernel {
  let folding: Folding
  /// x, its means and its deviations.
  let broadcast: Broadcast
  let type: BoundType

  func kernel<Element: ONNXReal>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (folding, broadcast) = (folding, broadcast)
    return ONNXKernel([type], scratchBytes: 16 * folding.results) { memory in
      let x: UnsafePointer<Element> = memory.input(0)
      let means: UnsafeMutablePointer<Double> = memory.scratch()
      let deviations: UnsafeMutablePointer<Double> = memory.scratch(8 * folding.results)
      let count = Double(folding.count)
      folding.forEachResult { index, start in
        let mean = folding.fold(x + start, 0.0, { $0 + $1 }) { $0.wide } / count
        let variance = folding.fold(x + start, 0.0, { $0 + $1 }) { ($0.wide - mean) * ($0.wide - mean) } / count
        means[index] = mean
        deviations[index] = variance.squareRoot() + 1e-9
      }
      broadcast.map(x, UnsafePointer(means), UnsafePointer(deviations), memory.output(0, as: Element.self)) {
        Element(narrowing: ($0.wide - $1) / $2)
      }
      return nil
    }
  }
}
