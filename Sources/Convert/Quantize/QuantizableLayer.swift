import ERIFormat
import ERIRuntime

/// A convolution or linear layer of constant weights, which can compute with 8-bit integers.
struct QuantizableLayer {
  /// Its weight's name without ".weight".
  let name: String
  let node: Int
  /// Values.
  let input: Int
  let weight: Int
  let output: Int
  /// The weight's tensor.
  let tensor: Int
  /// Axis of the channels in the input: 1 of a convolution, the last (-1) of a linear layer.
  let channelAxis: Int
  /// Whether it is computed as a sum of products everywhere, and on no processor by Winograd on 16-bit integers.
  let sumsProducts: Bool
}

extension EditableGraph {
  /// Every layer whose weight is constant and its own.
  var quantizableLayers: [QuantizableLayer] {
    var layers: [QuantizableLayer] = []
    for (index, node) in nodes.enumerated() {
      guard let node, let input = node.inputs.first ?? nil, node.inputs.count > 1, let weight = node.inputs[1],
        let tensor = floatTensor(of: weight), soleReader(of: weight) == index
      else { continue }
      // A bias that is computed cannot be corrected, and no plan could take it either.
      if node.inputs.count > 2, let bias = node.inputs[2], floatTensor(of: bias) == nil { continue }
      if case .tensor = values[input].source { continue }
      let axis: Int
      var sumsProducts = true
      switch node.op {
      case .conv(let conv):
        axis = 1
        let shape = tensors[tensor].shape
        sumsProducts = conv.method(weight: shape, inputLayout: .channelsLast(halo: 1), exact: false) != .winograd
      case .linear: axis = -1
      case .batchNorm, .weightNorm, .maxPool, .layerNorm, .attention, .attentionPool, .unary, .binary, .concat,
        .reshape, .transpose, .gate, .onnx, .prelu, .softmax:
        continue
      }
      layers.append(
        QuantizableLayer(
          name: layerName(tensors[tensor].name), node: index, input: input, weight: weight, output: node.outputs[0],
          tensor: tensor, channelAxis: axis, sumsProducts: sumsProducts))
    }
    return layers
  }
}

/// A weight as signed 8-bit integers with a scale per output channel.
struct QuantizedWeight {
  let codes: [Int8]
  let quantization: Quantization

  /// - Parameters:
  ///   - channels: extent of axis 0.
  ///   - bits: 2 to 8; codes go from 1 - 2^(bits - 1) to 2^(bits - 1) - 1.
  init(_ floats: [Float], channels: Int, bits: Int) {
    let greatest = Float(1 << (bits - 1)) - 1
    let width = floats.count / max(channels, 1)
    var codes = [Int8](repeating: 0, count: floats.count)
    var scales: [Float] = []
    for channel in 0..<channels {
      let range = channel * width..<(channel + 1) * width
      let largest = floats[range].reduce(Float(0)) { max($0, $1.magnitude) }
      // A channel of zeros has any scale.
      let scale = largest > 0 ? max(largest / greatest, .leastNormalMagnitude) : 1
      scales.append(scale)
      for index in range {
        let nearest = (Double(floats[index]) / Double(scale)).rounded(.toNearestOrEven)
        codes[index] = Int8(max(-Double(greatest), min(Double(greatest), nearest)))
      }
    }
    self.codes = codes
    quantization = Quantization(
      stored: .i8, scales: scales, axis: 0, minimum: -Int32(greatest), maximum: Int32(greatest))
  }

  /// How much channel `channel` of the product moves for inputs of these means, by input channel.
  func shift(_ floats: [Float], channel: Int, means: [Double], groups: Int) -> Double {
    let channels = quantization.scales.count
    let width = floats.count / channels
    let perGroup = means.count / groups
    let kernel = width / max(perGroup, 1)
    let first = channel / (channels / groups) * perGroup
    var shift = 0.0
    for offset in 0..<width {
      let index = channel * width + offset
      let rounded = Double(codes[index]) * Double(quantization.scales[channel])
      shift += (rounded - Double(floats[index])) * means[first + offset / max(kernel, 1)]
    }
    return shift
  }
}
