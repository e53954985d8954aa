import CERISystem
import ERIFormat

extension EditableGraph {
  /// Pairs of a layer and the layer that alone reads what ReLU makes of its output: scaling a channel between them changes nothing.
  func equalisablePairs(_ layers: [QuantizableLayer]) -> [(first: QuantizableLayer, second: QuantizableLayer)] {
    var pairs: [(QuantizableLayer, QuantizableLayer)] = []
    for first in layers {
      guard let reader = soleReader(of: first.output), let relu = nodes[reader], case .unary(let op) = relu.op,
        op.function == .relu, let next = soleReader(of: relu.outputs[0]),
        let second = layers.first(where: { $0.node == next }), second.input == relu.outputs[0]
      else { continue }
      if case .conv(let conv)? = nodes[second.node]?.op, conv.groups != 1 { continue }
      let channels = tensors[first.tensor].shape[0]
      guard tensors[second.tensor].shape[1] == channels, first.channelAxis == second.channelAxis else { continue }
      pairs.append((first, second))
    }
    return pairs
  }

  /// Divides each channel between two layers by the square root of its largest magnitude over that of the weights that read it.
  ///
  /// - Parameter magnitudes: the largest of each channel of the second layer's input.
  mutating func equalise(
    _ first: QuantizableLayer, _ second: QuantizableLayer, magnitudes: [Double]
  ) throws(FormatError) {
    let channels = magnitudes.count
    guard tensors[first.tensor].shape[0] == channels, tensors[second.tensor].shape[1] == channels else { return }
    var (producer, consumer) = (try floats(first.tensor), try floats(second.tensor))
    let width = producer.count / channels
    let kernel = tensors[second.tensor].shape.dropFirst(2).reduce(1, *)
    let rows = consumer.count / (channels * kernel)
    var factors = [Double](repeating: 1, count: channels)
    for channel in 0..<channels {
      var largest = 0.0
      for row in 0..<rows {
        for place in 0..<kernel {
          largest = max(largest, Double(consumer[(row * channels + channel) * kernel + place].magnitude))
        }
      }
      guard magnitudes[channel] > 0, largest > 0 else { continue }
      factors[channel] = max(0.01, min(100, eri_sqrt(magnitudes[channel] / largest)))
    }
    // Powers of two would lose nothing, but rounding to them evens out less.
    for channel in 0..<channels {
      for place in channel * width..<(channel + 1) * width {
        producer[place] = Float(Double(producer[place]) / factors[channel])
      }
      for row in 0..<rows {
        for place in 0..<kernel {
          let index = (row * channels + channel) * kernel + place
          consumer[index] = Float(Double(consumer[index]) * factors[channel])
        }
      }
    }
    tensors[first.tensor] = Tensor(tensors[first.tensor].name, tensors[first.tensor].shape, floats: producer)
    tensors[second.tensor] = Tensor(tensors[second.tensor].name, tensors[second.tensor].shape, floats: consumer)
    guard let node = nodes[first.node], node.inputs.count > 2, let bias = floatTensor(of: node.inputs[2]) else {
      return
    }
    var biases = try floats(bias)
    for channel in 0..<channels { biases[channel] = Float(Double(biases[channel]) / factors[channel]) }
    let own = addWeight(biasName(tensors[first.tensor].name), [channels], biases)
    nodes[first.node]?.inputs[2] = own
  }
}
