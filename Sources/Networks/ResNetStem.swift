import ERIFormat

extension StemParameters {
  /// The backbone alone.
  ///
  /// Input: faces [N, 3, H, W].
  func build(in builder: inout NetworkBuilder) throws(FormatError) {
    let size = Dimension(imageSize)
    let faces = builder.input("faces", [NetworkBuilder.batch, Dimension(3), size, size])
    builder.output(try builder.resNetStem("", faces, baseWidth: baseWidth, output: "features"))
  }
}

extension NetworkBuilder {
  /// ResNet18's conv1 to layer3, names as torchvision's: [M, 3, H, W] to [M, 4 · baseWidth, H/16, W/16].
  ///
  /// He et al. 2016; extents round up.
  /// - Parameters:
  ///   - prefix: what stands before torchvision's names.
  ///   - output: the last value's name.
  mutating func resNetStem(
    _ prefix: String, _ frames: Int, baseWidth: Int, output: String
  ) throws(FormatError) -> Int {
    var x = try convolution("\(prefix)conv1", frames, from: 3, to: baseWidth, kernel: 7, stride: 2, pad: 3)
    x = try batchNorm("\(prefix)bn1", x, channels: baseWidth)
    x = try relu("\(prefix)relu.out", x)
    let pool = MaxPool(kernel: [3, 3], strides: [2, 2], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1])
    x = try apply(.maxPool(pool), [x], name: "\(prefix)maxpool.out")
    var width = baseWidth
    for layer in 1...3 {
      let outputs = baseWidth << (layer - 1)
      for block in 0..<2 {
        let name = "\(prefix)layer\(layer).\(block)"
        x = try basicBlock(
          name, x, from: width, to: outputs, stride: layer > 1 && block == 0 ? 2 : 1,
          output: layer == 3 && block == 1 ? output : "\(name).out")
        width = outputs
      }
    }
    return x
  }

  private mutating func basicBlock(
    _ name: String, _ x: Int, from inputs: Int, to outputs: Int, stride: Int, output: String
  ) throws(FormatError) -> Int {
    var y = try convolution("\(name).conv1", x, from: inputs, to: outputs, kernel: 3, stride: stride, pad: 1)
    y = try batchNorm("\(name).bn1", y, channels: outputs)
    y = try relu("\(name).relu.out", y)
    y = try convolution("\(name).conv2", y, from: outputs, to: outputs, kernel: 3, stride: 1, pad: 1)
    y = try batchNorm("\(name).bn2", y, channels: outputs)
    var shortcut = x
    if stride != 1 || inputs != outputs {
      shortcut = try convolution(
        "\(name).downsample.0", x, from: inputs, to: outputs, kernel: 1, stride: stride, pad: 0)
      shortcut = try batchNorm("\(name).downsample.1", shortcut, channels: outputs)
    }
    return try relu(output, try add("\(name).sum", y, shortcut))
  }
}
