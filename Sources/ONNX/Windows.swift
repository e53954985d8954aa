import CERISystem
import ERIFormat

/// Tables that signals are weighed with: windows, and triangles over the mel scale.
extension ONNXNode {
  func windowKernel() throws(FormatError) -> ONNXKernel {
    try outputs(1)
    return op.name == "MelWeightMatrix" ? try melWeightKernel() : try cosineWindowKernel()
  }

  private func cosineWindowKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    guard let size = try integer(0, "size") else { throw contractError("expected a size, found no input") }
    let result = try BoundType(try outputType(), [size])
    // Of one element it is 1, as NumPy and SciPy have it; the formula divides 0 by 0.
    let period = Double(max(try flag("periodic", default: true) ? size : size - 1, 1))
    let weights: (constant: Double, first: Double, second: Double)
    switch op.name {
    case "BlackmanWindow": weights = (0.42, 0.5, 0.08)
    case "HammingWindow": weights = (25.0 / 46, 21.0 / 46, 0)
    default: weights = (0.5, 0.5, 0)
    }
    return ONNXKernel([result]) { memory in
      let table = NumberWriter(memory, 0, result.dtype)
      for index in 0..<size {
        let angle = 2 * Double.pi * Double(index) / period
        let value = weights.constant - weights.first * eri_cos(angle) + weights.second * eri_cos(2 * angle)
        table.write(size == 1 ? 1 : value, index)
      }
      return nil
    }
  }

  private func melWeightKernel() throws(FormatError) -> ONNXKernel {
    try arity(5, 5)
    guard let bands = try integer(0, "num_mel_bins"), let length = try integer(1, "dft_length"),
      let rate = try integer(2, "sample_rate"), let low = try numbers(3, "lower_edge_hertz"),
      let high = try numbers(4, "upper_edge_hertz"), low.count == 1, high.count == 1
    else { throw contractError("expected five scalars, found fewer") }
    guard length >= 0, rate > 0, low[0] >= 0, high[0] >= low[0], high[0].isFinite else {
      throw contractError(
        "expected a length, a rate above 0 and ascending edges, found \(length), \(rate), and edges outside of that")
    }
    let result = try BoundType(try outputType(), [length / 2 + 1, bands])
    let scale = MelScale(length: length, rate: rate, low: low[0], high: high[0], bands: bands)
    guard scale.bin(bands + 1) <= length / 2 + 1, scale.bin(bands) <= length / 2 else {
      throw contractError(
        "expected an upper edge of at most half the sample rate \(rate), found one beyond bin \(length / 2)")
    }
    let count = result.elements
    return ONNXKernel([result]) { memory in
      let table = NumberWriter(memory, 0, result.dtype)
      for index in 0..<count { table.write(0, index) }
      for band in 0..<bands {
        let (left, centre, right) = (scale.bin(band), scale.bin(band + 1), scale.bin(band + 2))
        for bin in left..<max(left, centre) {
          table.write(Double(bin &- left) / Double(centre &- left), bin &* bands &+ band)
        }
        for bin in centre..<max(centre, right) {
          table.write(Double(right &- bin) / Double(right &- centre), bin &* bands &+ band)
        }
        // Where a side has no bin of its own the peak still counts.
        table.write(1, centre &* bands &+ band)
      }
      return nil
    }
  }

  /// The type that attribute output_datatype numbers as ONNX does: float32 where it is left out.
  private func outputType() throws(FormatError) -> DType {
    let number = try integer("output_datatype", default: 1)
    switch number {
    case 1: return .f32
    case 2: return .u8
    case 3: return .i8
    case 4: return .u16
    case 5: return .i16
    case 6: return .i32
    case 7: return .i64
    case 10: return .f16
    case 11: return .f64
    case 12: return .u32
    case 13: return .u64
    case 16: return .bf16
    default: throw contractError("expected output_datatype to be a type of numbers, found \(number)")
    }
  }
}

/// Bins of a transform that bands at equal distances on the mel scale begin and end at.
private struct MelScale {
  private let low: Double
  private let step: Double
  private let binsPerHertz: Double

  init(length: Int, rate: Int, low: Double, high: Double, bands: Int) {
    self.low = MelScale.mel(low)
    step = (MelScale.mel(high) - MelScale.mel(low)) / Double(bands + 2)
    binsPerHertz = Double(length + 1) / Double(rate)
  }

  private static func mel(_ hertz: Double) -> Double { 2595 * eri_log10(1 + hertz / 700) }

  func bin(_ edge: Int) -> Int {
    let hertz = 700 * (eri_pow(10, (low + Double(edge) * step) / 2595) - 1)
    return Int(max(0, min(eri_floor(hertz * binsPerHertz), Double(Limits.elements))))
  }
}

/// An output of any type of numbers: what is written is rounded to a float, or cut to an integer.
private struct NumberWriter {
  private let target: UnsafeMutableRawPointer
  private let dtype: DType

  init(_ memory: ONNXMemory, _ index: Int, _ dtype: DType) {
    target = memory.outputs[index]
    self.dtype = dtype
  }

  /// Values from -1 to 1, as windows and triangles have them.
  func write(_ value: Double, _ index: Int) {
    switch dtype {
    case .f64: store(value, index)
    case .f32: store(Float(value), index)
    case .f16: store(Float16(value), index)
    case .bf16: store(BFloat16(rounding: value), index)
    case .i64, .u64: store(Int64(value), index)
    case .i32, .u32: store(Int32(value), index)
    case .i16, .u16: store(Int16(value), index)
    case .i8, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4: store(Int8(value), index)
    }
  }

  @inline(__always)
  private func store<Element: BitwiseCopyable>(_ value: Element, _ index: Int) {
    target.assumingMemoryBound(to: Element.self)[index] = value
  }
}
