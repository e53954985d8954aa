import ERIFormat

/// A tensor's elements as the numbers that they stand for, each read from its bytes when it is asked for.
///
/// 64-bit integers beyond 2⁵³ are rounded; their bits are compared where they matter.
struct ElementView {
  let dtype: DType
  let shape: [Int]
  let count: Int
  private let bytes: UnsafeRawBufferPointer
  private let quantization: Quantization?
  /// Elements from one index of the quantization's axis to the next.
  private let axisStride: Int
  private let axisExtent: Int

  /// - Parameter bytes: as many as type and shape ask for; they must outlive the view.
  init(_ tensor: Tensor, _ bytes: UnsafeRawBufferPointer) {
    dtype = tensor.dtype
    shape = tensor.shape
    count = bytes.count / tensor.dtype.byteCount
    self.bytes = bytes
    quantization = tensor.quantization
    var stride = 1
    var extent = 1
    if let axis = tensor.quantization?.axis, tensor.shape.indices.contains(axis) {
      for other in tensor.shape[(axis + 1)...] { stride *= max(other, 1) }
      extent = max(tensor.shape[axis], 1)
    }
    axisStride = stride
    axisExtent = extent
  }

  /// Whether the elements are floating-point numbers that mean themselves.
  var isFloat: Bool {
    quantization == nil && dtype.isFloat
  }

  /// The number that element `index` stands for.
  subscript(index: Int) -> Double {
    let stored = bytes.baseAddress.map { dtype.number(at: index, of: $0) } ?? 0
    guard let quantization else { return stored }
    let place = scaleIndex(index, quantization)
    let zero = quantization.zeroPoints.isEmpty ? 0 : Double(quantization.zeroPoints[place])
    return Double(quantization.scales[place]) * (stored - zero)
  }

  /// The step between two numbers that quantization tells apart at element `index`; 0 without quantization.
  func step(_ index: Int) -> Double {
    guard let quantization else { return 0 }
    return Double(quantization.scales[scaleIndex(index, quantization)])
  }

  private func scaleIndex(_ index: Int, _ quantization: Quantization) -> Int {
    guard quantization.scales.count > 1 else { return 0 }
    let position = index / axisStride % axisExtent
    let place = quantization.block > 0 ? position / quantization.block : position
    return min(place, quantization.scales.count - 1)
  }

  private func load<Stored: BitwiseCopyable>(_ index: Int, as type: Stored.Type) -> Stored {
    bytes.loadUnaligned(fromByteOffset: index * dtype.byteCount, as: type)
  }

  /// The element's bits as they are stored.
  func bits(_ index: Int) -> UInt64 {
    switch dtype.byteCount {
    case 8: load(index, as: UInt64.self)
    case 4: UInt64(load(index, as: UInt32.self))
    case 2: UInt64(load(index, as: UInt16.self))
    default: UInt64(load(index, as: UInt8.self))
    }
  }

  /// The digest of the bytes of one index of axis 0.
  func rowDigest(_ row: Int, of rows: Int) -> [UInt8] {
    let width = bytes.count / max(rows, 1)
    return SHA256.digest(of: UnsafeRawBufferPointer(rebasing: bytes[row * width..<(row + 1) * width])).bytes
  }

  /// The index of an element along each axis.
  func place(_ index: Int) -> [Int] {
    var place: [Int] = []
    var rest = index
    for extent in shape.reversed() {
      place.append(rest % max(extent, 1))
      rest /= max(extent, 1)
    }
    return place.reversed()
  }

  /// The element as a sentence shows it: the shortest decimal of its own type.
  func text(_ index: Int) -> String {
    let value = self[index]
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-infinity" : "infinity" }
    switch dtype {
    case .f64: return decimal(value)
    case .f32, .f16, .bf16: return decimal(Float(value))
    case .i64, .i32, .i16, .i8, .i4: return quantization == nil ? "\(Int64(value))" : decimal(value)
    case .u64, .u32, .u16, .u8, .u4, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz:
      return quantization == nil ? "\(UInt64(value))" : decimal(value)
    }
  }
}

/// Whether two numbers are the same one; all that is not a number is.
func isSame(_ a: Double, _ b: Double) -> Bool { a == b || a.isNaN && b.isNaN }

/// A floating-point type that values may have been rounded to.
enum Rounding: Sendable, Equatable {
  case float32, float16, bfloat16
  /// The lower half of a float32 cut off.
  case bfloat16Cut

  var text: String {
    switch self {
    case .float32: "rounded to float32"
    case .float16: "rounded to float16"
    case .bfloat16: "rounded to bfloat16"
    case .bfloat16Cut: "cut off to bfloat16"
    }
  }

  func callAsFunction(_ value: Double) -> Double {
    switch self {
    case .float32: Double(Float(value))
    case .float16: Double(Float16(value))
    case .bfloat16: BFloat16(rounding: value).double
    case .bfloat16Cut: Double(Float(bitPattern: Float(value).bitPattern & 0xFFFF_0000))
    }
  }
}
