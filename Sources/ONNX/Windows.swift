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
    return tableKernel(result) { table in
      for index in 0..<size {
        let angle = 2 * Double.pi * Double(index) / period
        let value = weights.constant - weights.first * eri_cos(angle) + weights.second * eri_cos(2 * angle)
        table[index] = size == 1 ? 1 : value
      }
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
    return tableKernel(result) { table in
      table.update(repeating: 0, count: count)
      for band in 0..<bands {
        let (left, centre, right) = (scale.bin(band), scale.bin(band + 1), scale.bin(band + 2))
        for bin in left..<max(left, centre) {
          table[bin &* bands &+ band] = Double(bin &- left) / Double(centre &- left)
        }
        for bin in centre..<max(centre, right) {
          table[bin &* bands &+ band] = Double(right &- bin) / Double(right &- centre)
        }
        // Where a side has no bin of its own the peak still counts.
        table[centre &* bands &+ band] = 1
      }
    }
  }

  /// The type that attribute output_datatype numbers as ONNX does: float32 where it is left out.
  private func outputType() throws(FormatError) -> DType {
    let number = try integer("output_datatype", default: 1)
    let numbers: [DType] = [.f64, .f32, .f16, .bf16, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8]
    guard let dtype = DType(onnx: number), numbers.contains(dtype) else {
      throw contractError("expected output_datatype to be a type of numbers, found \(number)")
    }
    return dtype
  }

  /// Fills a table in float64 and makes it the output's elements.
  private func tableKernel(
    _ result: BoundType, _ fill: @escaping (UnsafeMutablePointer<Double>) -> Void
  ) -> ONNXKernel {
    let conversion = ElementConversion(source: .f64, target: result.dtype)
    let count = result.elements
    return ONNXKernel([result], scratchBytes: count * MemoryLayout<Double>.stride) { memory in
      let table: UnsafeMutablePointer<Double> = memory.scratch()
      fill(table)
      conversion.store(table, memory.outputs[0], count)
      return nil
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
