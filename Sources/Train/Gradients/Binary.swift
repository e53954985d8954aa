import CERIKernels
import CERITraining
import ERIFormat
import ERIRuntime

/// add and subtract: ±dy; multiply: dy times the other; divide: dy / b and -dy a / b²; summed over the axes along which an operand was
/// repeated. A sum that overwrites its first operand leaves that operand's gradient where it is.
final class BinaryTraining: TrainingStep {
  private let function: ERIFormat.Binary.Function
  private let isInPlace: Bool
  private let sums: [DoubleBlock?]
  private var gradients: [GradientTarget?] = []

  init(_ name: String, op: ERIFormat.Binary, a: TrainingValue, b: TrainingValue, output: TrainingValue) {
    function = op.function
    isInPlace = a.storage === output.storage
    sums = [a, b].map { $0.needsGradient && $0.count != output.count ? DoubleBlock(count: $0.count) : nil }
    super.init(
      name, inputs: [a, b], output: output,
      kernel: BinaryStep(node: 0, op: op, a: a.slot, b: b.slot, output: output.slot))
  }

  override var kind: String { function.name }

  override func planBackward(_ plan: BackwardPlan) {
    plan.source(output)
    gradients = [isInPlace ? nil : plan.target(inputs[0]), plan.target(inputs[1])]
    switch function {
    case .add, .subtract: break
    case .multiply, .divide: for input in inputs { plan.keep(input) }
    }
  }

  override func backward(_ run: TrainingRun) {
    for (index, target) in gradients.enumerated() {
      guard let target else { continue }
      if inputs[index].count == output.count {
        backwardFull(run, index, target)
      } else if let sums = sums[index] {
        backwardRepeated(run, index, target, sums)
      }
    }
  }

  /// An operand that has the output's shape.
  private func backwardFull(_ run: TrainingRun, _ index: Int, _ target: GradientTarget) {
    let (dy, dx, other) = (run.gradient(output), run.gradient(target), run.data(inputs[1 - index]))
    switch function {
    case .add, .subtract:
      let sign: Float = function == .subtract && index == 1 ? -1 : 1
      run.splitElements(output.count) { begin, end in
        eri_f32_scaled(run.kernels, end - begin, sign, dy + begin, dx + begin, target.accumulates)
      }
    case .multiply where inputs[1 - index].count == output.count:
      run.splitElements(output.count) { begin, end in
        eri_f32_product(run.kernels, end - begin, dy + begin, other + begin, dx + begin, target.accumulates)
      }
    case .multiply where inputs[1 - index].count == 1:
      run.splitElements(output.count) { begin, end in
        eri_f32_scaled(run.kernels, end - begin, other[0], dy + begin, dx + begin, target.accumulates)
      }
    case .multiply, .divide:
      let walk = BroadcastWalk(inputs.map { $0.shape }, output.shape)
      let slope = slope(run, index)
      walk.forEach { element, operands in
        let part = Float(Double(dy[element]) * slope(operands[0], operands[1]))
        dx[element] = target.accumulates ? dx[element] + part : part
      }
    }
  }

  /// An operand that is repeated along some axes.
  private func backwardRepeated(_ run: TrainingRun, _ index: Int, _ target: GradientTarget, _ sums: DoubleBlock) {
    let (dy, dx) = (run.gradient(output), run.gradient(target))
    let columns = inputs[index].count
    if !target.accumulates { dx.update(repeating: 0, count: columns) }
    if function == .add, output.shape.suffix(inputs[index].trimmedShape.count) == inputs[index].trimmedShape[...] {
      Products.addColumnSums(run, rows: output.count / max(1, columns), columns: columns, dy, sums: sums, to: dx)
      return
    }
    sums.clear()
    let slope = slope(run, index)
    BroadcastWalk(inputs.map { $0.shape }, output.shape).forEach { element, operands in
      sums.pointer[operands[index]] += Double(dy[element]) * slope(operands[0], operands[1])
    }
    Products.add(sums, to: dx, count: columns)
  }

  /// ∂y/∂operand at elements of a and b.
  private func slope(_ run: TrainingRun, _ index: Int) -> (Int, Int) -> Double {
    let (a, b) = (run.data(inputs[0]), run.data(inputs[1]))
    switch function {
    case .add: return { _, _ in 1 }
    case .subtract: return { _, _ in index == 0 ? 1 : -1 }
    case .multiply: return { i, j in Double(index == 0 ? b[j] : a[i]) }
    case .divide: return { i, j in index == 0 ? 1 / Double(b[j]) : -Double(a[i]) / (Double(b[j]) * Double(b[j])) }
    }
  }
}

extension TrainingValue {
  /// The shape without leading ones.
  fileprivate var trimmedShape: [Int] { [Int](shape.drop { $0 == 1 }) }
}

/// Visits the elements of a broadcast result with the operands' elements that belong to each.
private struct BroadcastWalk {
  private let extents: [Int]
  private let strides: [[Int]]

  init(_ shapes: [[Int]], _ output: [Int]) {
    extents = output
    strides = shapes.map { shape in
      let padded = [Int](repeating: 1, count: output.count - shape.count) + shape
      return padded.indices.map { padded[$0] == 1 ? 0 : padded[($0 + 1)...].reduce(1, *) }
    }
  }

  func forEach(_ body: (_ element: Int, _ operands: [Int]) -> Void) {
    let count = extents.reduce(1, *)
    var operands = [Int](repeating: 0, count: strides.count)
    for element in 0..<count {
      var remainder = element
      for operand in strides.indices { operands[operand] = 0 }
      for axis in extents.indices.reversed() {
        let position = remainder % extents[axis]
        remainder /= extents[axis]
        for operand in strides.indices { operands[operand] += position * strides[operand][axis] }
      }
      body(element, operands)
    }
  }
}
