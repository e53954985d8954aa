import CERIKernels
import ERITestSupport

/// An epilogue as the header defines it, in Swift's Float, whose operations are rounded one by one.
struct Epilogue {
  enum Residual {
    case none
    case bytes([UInt8], eri_i8_scale)
    case floats([Float])
  }

  var inputZero: Int32 = 0
  var scale: [Float]
  var bias: [Float]?
  var first = ERI_ACTIVATION_IDENTITY
  var residual = Residual.none
  var second = ERI_ACTIVATION_IDENTITY
  var inverse: Float = 1
  var outputZero: Int32 = 0

  /// The values of one element from its sum of products.
  func apply(_ sum: Float, channel: Int, element: Int) -> (float: Float, byte: UInt8) {
    var v = sum * scale[channel]
    if let bias { v = v + bias[channel] }
    if first == ERI_ACTIVATION_RELU, v < 0 { v = 0 }
    switch residual {
    case .none: break
    case .bytes(let bytes, let scale): v = v + Float(Int32(bytes[element]) - scale.zero) * scale.scale
    case .floats(let floats): v = v + floats[element]
    }
    if second == ERI_ACTIVATION_RELU, v < 0 { v = 0 }
    return (v, Self.quantised(v, inverse: inverse, zero: outputZero))
  }

  static func quantised(_ v: Float, inverse: Float, zero: Int32) -> UInt8 {
    let rounded = (v * inverse).rounded(.toNearestOrEven)
    if rounded.isNaN { return 0 }
    return UInt8(max(0, min(255, max(-1e6, min(1e6, rounded)) + Float(zero))))
  }

  /// A case's epilogue: bias, activations and residuals come and go with `shape`. `reach` is the largest value of a sum.
  init(shape: Int, channels: Int, elements: Int, reach: Float, random: inout Random) {
    let zeros: [Int32] = [0, 128, 255, 37]
    inputZero = zeros[shape % 4]
    scale = random.floats(channels, in: 0.5...2).map { $0 * 4 / reach }
    if shape % 3 != 0 { bias = random.floats(channels) }
    if shape % 2 == 1 { first = ERI_ACTIVATION_RELU }
    switch shape / 2 % 3 {
    case 0: break
    case 1:
      let bytes = (0..<elements).map { _ in UInt8.random(in: 0...255, using: &random) }
      residual = .bytes(bytes, eri_i8_scale(scale: 0.01, zero: zeros[shape / 3 % 4]))
    default: residual = .floats(random.floats(elements))
    }
    if shape % 5 < 2 { second = ERI_ACTIVATION_RELU }
    inverse = 41.3
    outputZero = zeros[(shape + 1) % 4]
  }

  /// Calls `body` with the C structure, whose pointers hold during the call. The residual has rows of `columns` elements, which come to
  /// lie `stride` apart, or is an image's interior, which gets a halo.
  func withC(
    columns: Int, stride: Int, image: (height: Int, width: Int, halo: Int)? = nil,
    _ body: (inout eri_i8_epilogue) -> Void
  ) {
    let scales = GuardedArray(scale), biases = bias.map { GuardedArray($0) }
    var c = eri_i8_epilogue()
    c.inputZero = inputZero
    c.scale = UnsafePointer(scales.pointer)
    c.bias = biases.map { UnsafePointer($0.pointer) }
    c.first = first
    c.second = second
    c.outputInverse = inverse
    c.outputZero = outputZero
    c.residualStride = stride
    c.residualHalo = image?.halo ?? 0
    func spread<Element: BitwiseCopyable>(_ values: [Element], _ filler: Element) -> GuardedArray<Element> {
      if let image {
        return Images(
          count: values.count / (image.height * image.width * columns), height: image.height, width: image.width,
          channels: columns, halo: image.halo, interior: values, filler: filler
        ).buffer
      }
      let rows = values.count / columns
      let buffer = GuardedArray<Element>((rows - 1) * stride + columns)
      for i in values.indices { buffer.pointer[i / columns * stride + i % columns] = values[i] }
      return buffer
    }
    switch residual {
    case .none: body(&c)
    case .bytes(let values, let scale):
      let buffer = spread(values, 77)
      c.residualBytes = UnsafePointer(buffer.pointer)
      c.residualScale = scale
      withExtendedLifetime(buffer) { body(&c) }
    case .floats(let values):
      let buffer = spread(values, .nan)
      c.residualFloats = UnsafePointer(buffer.pointer)
      withExtendedLifetime(buffer) { body(&c) }
    }
    withExtendedLifetime((scales, biases)) {}
  }
}
