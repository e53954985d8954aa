import ERIFormat
import Synchronization

/// A floating-point tensor's values in another type, cast as they are read: to the nearest, ties to even.
final class CastSource: TensorSource, @unchecked Sendable {
  /// What a cast did.
  struct Report {
    /// Values in all.
    var count = 0
    /// Values that differ afterwards.
    var changed = 0
    /// Finite values that became infinite.
    var overflowed = 0
    /// Of the values that stayed finite, absolute.
    var largestError = 0.0

    mutating func add(_ other: Report) {
      count += other.count
      changed += other.changed
      overflowed += other.overflowed
      largestError = max(largestError, other.largestError)
    }
  }

  let source: Tensor
  let target: DType
  private let allowsOverflow: Bool
  private let latest = Mutex(Report())

  /// Nil unless both types are floating-point ones and the values mean themselves.
  init?(_ source: Tensor, to target: DType, allowOverflow: Bool) {
    guard source.dtype.isFloat, target.isFloat, source.quantization == nil else { return nil }
    self.source = source
    self.target = target
    allowsOverflow = allowOverflow
  }

  /// Of the last reading.
  var report: Report { latest.withLock { $0 } }

  override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    let block = try TensorBlock(source)
    let count = block.bytes.count / source.dtype.byteCount
    guard memory.count == count * target.byteCount else {
      throw FormatError(
        .invalid, at: "", "expected memory of \(count * target.byteCount) bytes, found \(memory.count)")
    }
    let result = withExtendedLifetime(block) { cast(block.bytes, memory, count) }
    if let first = result.firstOverflow, !allowsOverflow {
      throw FormatError(
        .invalid, at: "",
        "expected values that \(target.name) holds, found \(decimal(first.value)) at element \(first.index); "
          + "store it in a wider type, or let it become infinite with --allow-overflow")
    }
    latest.withLock { $0 = result.report }
  }

  private typealias Result = (report: Report, firstOverflow: (index: Int, value: Double)?)

  private func cast(
    _ bytes: UnsafeRawBufferPointer, _ memory: UnsafeMutableRawBufferPointer, _ count: Int
  ) -> Result {
    switch source.dtype {
    case .f64: cast(bytes.bindMemory(to: Double.self), memory, count)
    case .f32: cast(bytes.bindMemory(to: Float.self), memory, count)
    case .f16: cast(bytes.bindMemory(to: Float16.self), memory, count)
    case .bf16: cast(bytes.bindMemory(to: BFloat16.self), memory, count)
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4:
      (Report(), nil)
    }
  }

  private func cast<Source: StoredFloat>(
    _ values: UnsafeBufferPointer<Source>, _ memory: UnsafeMutableRawBufferPointer, _ count: Int
  ) -> Result {
    switch target {
    case .f64: CastSource.cast(values, memory.bindMemory(to: Double.self), count)
    case .f32: CastSource.cast(values, memory.bindMemory(to: Float.self), count)
    case .f16: CastSource.cast(values, memory.bindMemory(to: Float16.self), count)
    case .bf16: CastSource.cast(values, memory.bindMemory(to: BFloat16.self), count)
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4:
      (Report(), nil)
    }
  }

  private static func cast<Source: StoredFloat, Target: StoredFloat>(
    _ values: UnsafeBufferPointer<Source>, _ results: UnsafeMutableBufferPointer<Target>, _ count: Int
  ) -> Result {
    var report = Report()
    var firstOverflow: (index: Int, value: Double)?
    report.count = count
    for index in 0..<count {
      let value = values[index].double
      let rounded = Target(rounding: value)
      results[index] = rounded
      let difference = (rounded.double - value).magnitude
      // Equal infinities and NaN differ by NaN, and have not changed.
      guard difference > 0 else { continue }
      report.changed += 1
      if difference.isFinite {
        report.largestError = max(report.largestError, difference)
      } else {
        report.overflowed += 1
        if firstOverflow == nil { firstOverflow = (index, value) }
      }
    }
    return (report, firstOverflow)
  }
}
