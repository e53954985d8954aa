import ERIFormat
import ERIRuntime

/// Norms of constant parameters worked into the weights that they act on, so that what is quantised is what is computed with.
extension EditableGraph {
  /// Replaces every weight norm of constant operands by the weight that it gives; returns the weights' names.
  mutating func foldWeightNorms() throws(FormatError) -> [String] {
    var names: [String] = []
    for index in nodes.indices {
      guard let node = nodes[index], case .weightNorm = node.op, let v = floatTensor(of: node.inputs[0]),
        let g = floatTensor(of: node.inputs[1]), let channels = tensors[v].shape.first, channels > 0
      else { continue }
      var weight = try floats(v)
      let lengths = try floats(g)
      weight.withUnsafeMutableBufferPointer { weight in
        guard let start = weight.baseAddress else { return }
        WeightNormStep.normalise(start, lengths, into: start, 0..<channels, weight.count / channels)
      }
      let name = values[node.outputs[0]].name
      let folded = addWeight(name, tensors[v].shape, weight)
      values[node.outputs[0]].source = values[folded].source
      nodes[index] = nil
      names.append(name)
    }
    return names
  }

  /// Works every batch norm that alone reads a convolution's output into its weight and bias; returns the norms' outputs' names.
  mutating func foldBatchNorms() throws(FormatError) -> [String] {
    var names: [String] = []
    for index in nodes.indices {
      guard let node = nodes[index], case .conv = node.op, let reader = soleReader(of: node.outputs[0]),
        let norm = nodes[reader], case .batchNorm(let op) = norm.op, norm.inputs[0] == node.outputs[0],
        let weight = floatTensor(of: node.inputs[1]), let weightValue = node.inputs[1],
        soleReader(of: weightValue) == index
      else { continue }
      let bias = node.inputs.count > 2 ? node.inputs[2] : nil
      if bias != nil && floatTensor(of: bias) == nil { continue }
      let parameters = norm.inputs.dropFirst().compactMap { floatTensor(of: $0) }
      guard parameters.count == 4 else { continue }
      let (scale, shift) = (try floats(parameters[0]), try floats(parameters[1]))
      let (mean, variance) = (try floats(parameters[2]), try floats(parameters[3]))
      var weights = try floats(weight)
      var biases = [Float](repeating: 0, count: scale.count)
      if let tensor = floatTensor(of: bias) { biases = try floats(tensor) }
      let width = weights.count / max(scale.count, 1)
      for channel in scale.indices {
        let (factor, offset) = batchNormCoefficients(
          scale: scale, bias: shift, mean: mean, variance: variance, epsilon: op.epsilon, channel: channel)
        for place in channel * width..<(channel + 1) * width { weights[place] = Float(Double(weights[place]) * factor) }
        biases[channel] = Float(Double(biases[channel]) * factor + offset)
      }
      tensors[weight] = Tensor(tensors[weight].name, tensors[weight].shape, floats: weights)
      let folded = addWeight(biasName(tensors[weight].name), [biases.count], biases)
      nodes[index] = Node(node.op, inputs: [node.inputs[0], weightValue, folded], outputs: norm.outputs)
      nodes[reader] = nil
      names.append(values[norm.outputs[0]].name)
    }
    return names
  }

  /// "layer.bias" beside "layer.weight".
  func biasName(_ weight: String) -> String { layerName(weight) + ".bias" }
}

/// A layer's name: its weight's without ".weight".
func layerName(_ weight: String) -> String {
  weight.hasSuffix(".weight") ? String(weight.dropLast(".weight".count)) : weight
}
