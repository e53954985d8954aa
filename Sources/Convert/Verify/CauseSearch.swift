import ERIFormat
import ERIReference

/// A simple change of B under which the difference vanishes.
package struct Cause: Equatable, Sendable {
  package enum Kind: String, Sendable {
    case gelu = "GELU form"
    case epsilon
    case padding = "padding side"
    case attributes
    case transposed = "transposed weight"
    case channels = "channel order"
    case flipped = "flipped kernel"
    case normalisation = "mean and deviation"
    case bias
    case weights
  }

  package let kind: Kind
  /// A clause that tells what to change.
  package let sentence: String

  package init(kind: Kind, sentence: String) {
    self.kind = kind
    self.sentence = sentence
  }
}

/// Tries simple changes of B's slice in Double until it gives what A's slice gives.
struct CauseSearch {
  let b: GraphSlice
  private let target: ReferenceTensor
  /// The operators that belong together, where each slice has one.
  private let nodeOfA: (node: Node, slice: GraphSlice)?

  init?(a: GraphSlice, b: GraphSlice, target: ReferenceTensor?) {
    guard let target = target ?? (try? a.reference()) else { return nil }
    self.b = b
    self.target = target
    if a.nodeCount == 1, b.nodeCount == 1, let node = a.model.graph?.nodes.first {
      nodeOfA = (node, a)
    } else {
      nodeOfA = nil
    }
  }

  /// Every change that makes the difference vanish, the most particular first.
  func causes() -> [Cause] {
    guard let nodes = b.model.graph?.nodes else { return [] }
    var causes: [Cause] = []
    for (index, node) in nodes.enumerated() {
      causes += operatorCauses(index, node.op)
      causes += weightCauses(index, node)
      causes += normalisationCauses(index, node)
    }
    if causes.isEmpty || nodeOfA != nil { causes += takenFromA(nodes[0]) }
    return causes
  }

  // MARK: Trying

  /// The largest difference that is left, as a share of the target's largest value.
  private func remainder(_ slice: GraphSlice) -> Double {
    guard let found = try? slice.reference(), found.shape == target.shape else { return .infinity }
    return Share.of(found, target)
  }

  func vanishes(_ slice: GraphSlice) -> Bool { remainder(slice) <= OperatorTolerance.meaning }

  func replacing(_ index: Int, _ op: Operator) -> GraphSlice {
    var slice = b
    slice.model.graph?.nodes[index].op = op
    return slice
  }

  // MARK: Attributes

  private func operatorCauses(_ index: Int, _ op: Operator) -> [Cause] {
    switch op {
    case .unary(let unary):
      guard unary.function == .gelu || unary.function == .geluTanh else { return [] }
      let other = Unary(unary.function == .gelu ? .geluTanh : .gelu)
      guard vanishes(replacing(index, .unary(other))) else { return [] }
      return [
        Cause(kind: .gelu, sentence: "B computes GELU in the form \(unary.function.name), A in \(other.function.name)")
      ]
    case .batchNorm(let norm):
      return epsilonCauses(index, norm.epsilon) { .batchNorm(BatchNorm(epsilon: $0)) }
    case .layerNorm(let norm):
      return epsilonCauses(index, norm.epsilon) { .layerNorm(LayerNorm(epsilon: $0, form: norm.form)) }
    case .conv(let conv):
      var swapped = conv
      (swapped.padsBegin, swapped.padsEnd) = (conv.padsEnd, conv.padsBegin)
      return paddingCauses(index, conv.padsBegin, conv.padsEnd, .conv(swapped))
    case .maxPool(let pool):
      var swapped = pool
      (swapped.padsBegin, swapped.padsEnd) = (pool.padsEnd, pool.padsBegin)
      return paddingCauses(index, pool.padsBegin, pool.padsEnd, .maxPool(swapped))
    case .weightNorm, .linear, .attention, .attentionPool, .binary, .concat, .reshape, .transpose, .gate, .prelu,
      .softmax:
      return []
    case .onnx(let op): return causes(index, op)
    }
  }

  func epsilonCauses(_ index: Int, _ found: Float, _ op: (Float) -> Operator) -> [Cause] {
    var candidates: [Float] = [1e-5, 1e-3, 1e-6, 1e-12, 1e-8, 1e-7, 1e-4, 1e-2, 0]
    switch nodeOfA?.node.op {
    case .batchNorm(let norm)?: candidates.insert(norm.epsilon, at: 0)
    case .layerNorm(let norm)?: candidates.insert(norm.epsilon, at: 0)
    case .onnx(let op)?: candidates.insert(CauseSearch.epsilon(op), at: 0)
    case .conv, .weightNorm, .linear, .maxPool, .attention, .attentionPool, .unary, .binary, .concat, .reshape,
      .transpose, .gate, .prelu, .softmax, nil:
      break
    }
    for epsilon in candidates where epsilon != found && vanishes(replacing(index, op(epsilon))) {
      return [Cause(kind: .epsilon, sentence: "epsilon is \(decimal(found)) in B, \(decimal(epsilon)) in A")]
    }
    return []
  }

  func paddingCauses(_ index: Int, _ begin: [Int], _ end: [Int], _ swapped: Operator) -> [Cause] {
    guard begin != end, vanishes(replacing(index, swapped)) else { return [] }
    return [CauseSearch.paddingCause(begin, end)]
  }

  static func paddingCause(_ begin: [Int], _ end: [Int]) -> Cause {
    Cause(
      kind: .padding,
      sentence: "the padding is on the other side: \(shapeText(begin)) at the beginning and \(shapeText(end)) at the "
        + "end in B, the other way round in A")
  }

  // MARK: Weights

  private func weightCauses(_ index: Int, _ node: Node) -> [Cause] {
    switch node.op {
    case .conv, .linear: break
    case .onnx(let op): guard op.hasWeight else { return [] }
    case .batchNorm, .weightNorm, .maxPool, .layerNorm, .attention, .attentionPool, .unary, .binary, .concat, .reshape,
      .transpose, .gate, .prelu, .softmax:
      return []
    }
    guard let weight = operand(node, 1, b), let values = weight.numbers else { return [] }
    let shape = weight.tensor.shape
    var causes: [Cause] = []
    let view = ReferenceTensor(shape: shape, values: values)
    for axes in ValueExplainer.permutations(shape.count)
    where axes != [Int](shape.indices) && axes.map({ shape[$0] }) == shape {
      guard vanishes(replacing(weight, CauseSearch.permuted(view, axes))) else { continue }
      let what = axes == [1, 0] ? "transposed" : "stored with its axes as \(shapeText(axes))"
      causes.append(Cause(kind: .transposed, sentence: "the weight \"\(weight.tensor.name)\" is \(what)"))
      break
    }
    guard shape.count > 2 else { return causes }
    if shape[1] > 1, vanishes(replacing(weight, CauseSearch.reversed(view, [1]))) {
      let colours = shape[1] == 3 ? ": RGB against BGR" : ""
      causes.append(
        Cause(kind: .channels, sentence: "the input channels of \"\(weight.tensor.name)\" are in reverse\(colours)"))
    }
    let spatial = [Int](2..<shape.count)
    if spatial.contains(where: { shape[$0] > 1 }), vanishes(replacing(weight, CauseSearch.reversed(view, spatial))) {
      causes.append(
        Cause(
          kind: .flipped,
          sentence: "the kernel \"\(weight.tensor.name)\" is turned around, as between convolution and "
            + "cross-correlation"))
    }
    return causes
  }

  struct Operand {
    let tensor: Tensor
    let index: Int
    let bytes: [UInt8]

    private var value: GivenValue {
      GivenValue(name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, bytes: bytes)
    }
    /// The values, if they are float32.
    var numbers: [Double]? { value.floats?.map { Double($0) } }
    /// The values, if they are 64-bit integers.
    var integers: [Int64]? {
      guard tensor.dtype == .i64 else { return nil }
      return bytes.withUnsafeBytes { bytes in
        (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
      }
    }
  }

  /// A node's operand that is a tensor.
  func operand(_ node: Node, _ position: Int, _ slice: GraphSlice) -> Operand? {
    guard position < node.inputs.count, let value = node.inputs[position], let graph = slice.model.graph,
      case .tensor(let index) = graph.values[value].source
    else { return nil }
    let tensor = slice.model.tensors[index]
    guard let block = try? TensorBlock(tensor) else { return nil }
    return withExtendedLifetime(block) { Operand(tensor: tensor, index: index, bytes: [UInt8](block.bytes)) }
  }

  func replacing(_ operand: Operand, _ bytes: [UInt8]) -> GraphSlice {
    var slice = b
    slice.model.tensors[operand.index].values = .bytes(bytes)
    return slice
  }

  private func replacing(_ operand: Operand, _ values: [Double]) -> GraphSlice {
    replacing(operand, values.map { Float($0) }.withUnsafeBytes { [UInt8]($0) })
  }

  private static func permuted(_ x: ReferenceTensor, _ axes: [Int]) -> [Double] {
    let strides = x.strides
    var values: [Double] = []
    values.reserveCapacity(x.values.count)
    ReferenceTensor.forEachIndex(axes.map { x.shape[$0] }) { index in
      var offset = 0
      for (axis, source) in axes.enumerated() { offset += index[axis] * strides[source] }
      values.append(x.values[offset])
    }
    return values
  }

  private static func reversed(_ x: ReferenceTensor, _ axes: [Int]) -> [Double] {
    let strides = x.strides
    var values: [Double] = []
    values.reserveCapacity(x.values.count)
    ReferenceTensor.forEachIndex(x.shape) { index in
      var offset = 0
      for axis in index.indices {
        offset += (axes.contains(axis) ? x.shape[axis] - 1 - index[axis] : index[axis]) * strides[axis]
      }
      values.append(x.values[offset])
    }
    return values
  }

  // MARK: Normalisation of pictures

  /// Means and deviations that pictures are often normalised by.
  private static let statistics: [(name: String, mean: [Double], deviation: [Double])] = [
    ("ImageNet's", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ("0.5 and 0.5", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
  ]

  private func normalisationCauses(_ index: Int, _ node: Node) -> [Cause] {
    guard CauseSearch.isConvolution(node.op), let graph = b.model.graph, let value = node.inputs[0],
      case .input = graph.values[value].source,
      let position = b.inputs.firstIndex(where: { $0.name == graph.values[value].name }),
      b.inputs[position].shape.count == 4, b.inputs[position].shape[1] == 3, b.inputs[position].dtype == .f32
    else { return [] }
    for (name, mean, deviation) in CauseSearch.statistics {
      for scale in [1.0, 255.0] {
        let pixels = scale == 1 ? "0…1" : "0…255"
        let raw = changed(position) { ($0 * deviation[$1] + mean[$1]) * scale }
        if holdsInside(raw) {
          return [
            Cause(
              kind: .normalisation,
              sentence: CauseSearch.normalisationSentence("B", "A", pixels, name))
          ]
        }
        let normal = changed(position) { ($0 / scale - mean[$1]) / deviation[$1] }
        if holdsInside(normal) {
          return [
            Cause(
              kind: .normalisation,
              sentence: CauseSearch.normalisationSentence("A", "B", pixels, name))
          ]
        }
      }
    }
    return []
  }

  private static func isConvolution(_ op: Operator) -> Bool {
    switch op {
    case .conv: true
    case .onnx(let op): op.qualifiedName == "Conv"
    case .batchNorm, .weightNorm, .linear, .maxPool, .layerNorm, .attention, .attentionPool, .unary, .binary, .concat,
      .reshape, .transpose, .gate, .prelu, .softmax:
      false
    }
  }

  private static func normalisationSentence(
    _ folded: String, _ other: String, _ pixels: String, _ statistics: String
  ) -> String {
    "\(folded) takes pixels of \(pixels), as when mean and deviation (\(statistics)) are folded into its weights, "
      + "\(other) normalised ones; at the borders the padding differs"
  }

  /// The slice with every element of an input of pictures changed by its channel.
  private func changed(_ position: Int, _ change: (Double, Int) -> Double) -> GraphSlice {
    var slice = b
    let input = b.inputs[position]
    let plane = input.shape[2] * input.shape[3]
    slice.inputs[position] = GivenValue(
      name: input.name, shape: input.shape,
      floats: (input.floats ?? []).enumerated().map { Float(change(Double($1), $0 / plane % 3)) })
    return slice
  }

  /// Whether most elements agree: those at the borders see padding, which stands for another colour.
  private func holdsInside(_ slice: GraphSlice) -> Bool {
    guard let found = try? slice.reference(), found.shape == target.shape else { return false }
    let largest = target.values.reduce(0) { max($0, $1.magnitude) }
    // Folding rounds every weight and the inputs anew.
    let bound = 1e-4 * largest
    let agreeing = zip(found.values, target.values).filter { ($0 - $1).magnitude <= bound }.count
    return 2 * agreeing > target.values.count
  }

  // MARK: What A has

  /// A's attributes, then A's tensors.
  private func takenFromA(_ node: Node) -> [Cause] {
    guard let (nodeA, sliceA) = nodeOfA else { return [] }
    var causes: [Cause] = []
    let differences = OperatorAttributes.differences(nodeA.op, node.op)
    if !differences.isEmpty, nodeA.op.label == node.op.label, vanishes(replacing(0, nodeA.op)) {
      causes.append(Cause(kind: .attributes, sentence: "attributes differ: \(joined(differences, separator: ", "))"))
    }
    for position in node.inputs.indices {
      guard let own = operand(node, position, b) else { continue }
      guard let other = operand(nodeA, position, sliceA), nodeA.op.label == node.op.label,
        other.tensor.shape == own.tensor.shape, other.tensor.dtype == own.tensor.dtype, other.bytes != own.bytes
      else { continue }
      if vanishes(replacing(own, other.bytes)) {
        causes.append(
          Cause(
            kind: .weights,
            sentence: "the values of \"\(own.tensor.name)\" are others; with A's the difference vanishes"))
      }
    }
    if causes.isEmpty, nodeA.inputs.count == 2, node.inputs.count == 3, let bias = operand(node, 2, b),
      vanishes(replacing(bias, [Double](repeating: 0, count: bias.tensor.elementCount ?? 0)))
    {
      causes.append(Cause(kind: .bias, sentence: "B adds the bias \"\(bias.tensor.name)\", A none"))
    }
    return causes
  }
}
