/// Turns the bytes of pictures into the network's input: (x / 255 − mean) / deviation per colour.
package struct PixelNormalisation: Equatable, Sendable {
  /// Values of each byte of red, green and blue, 3 · 256: in single precision and this order of operations,
  /// so that results equal the training frameworks' bit for bit.
  private let table: [Float]

  /// - Parameters: mean: of red, green and blue on the scale 0 to 1 · deviation: likewise, positive
  /// - Throws: `.wrongSize` unless there are three of each, `.invalidParameter` if one is not finite or a deviation not positive.
  package init(mean: [Float], deviation: [Float]) throws(SignalError) {
    try checkCount(mean.count, 3, "pixel normalisation, means")
    try checkStatistics(mean: mean, deviation: deviation, "pixel normalisation")
    var table = [Float](repeating: 0, count: 3 * 256)
    for channel in 0..<3 {
      for byte in 0..<256 { table[channel * 256 + byte] = (Float(byte) / 255 - mean[channel]) / deviation[channel] }
    }
    self.table = table
  }

  /// - Parameters: pictures: [count, height, width, 3] RGB bytes, row-major
  /// - Returns: [count, 3, height, width] row-major.
  /// - Throws: `.wrongSize` if the buffer does not have that shape, `.tooLarge`.
  package func apply(
    _ pictures: [UInt8], count: Int, height: Int, width: Int
  ) throws(SignalError) -> [Float] {
    let total = try elementCount(count, height, width, 3, place: "pixel normalisation")
    try checkCount(pictures.count, total, "pixel normalisation, pictures [\(count), \(height), \(width), 3]")
    let plane = height * width
    var result = [Float](repeating: 0, count: total)
    pictures.withUnsafeBufferPointer { source in
      table.withUnsafeBufferPointer { table in
        result.withUnsafeMutableBufferPointer { target in
          var pixel = 0
          while pixel < count &* plane {
            // Picture p starts at 3 · p · plane in both layouts.
            let picture = pixel / max(plane, 1)
            let first = 3 &* picture &* plane &+ (pixel &- picture &* plane)
            let bytes = 3 &* pixel
            target[first] = table[Int(source[bytes])]
            target[first &+ plane] = table[256 &+ Int(source[bytes &+ 1])]
            target[first &+ 2 &* plane] = table[512 &+ Int(source[bytes &+ 2])]
            pixel &+= 1
          }
        }
      }
    }
    return result
  }
}

/// Standardises MFCC by the training split's statistics of each coefficient: (x − mean) / deviation.
package struct CoefficientStandardisation: Equatable, Sendable {
  package let mean: [Float]
  package let deviation: [Float]

  /// - Parameters: mean: of each coefficient · deviation: of each coefficient, positive
  /// - Throws: `.wrongSize` unless both have the same number and at least one, `.invalidParameter` if a value is not
  ///   finite or a deviation not positive.
  package init(mean: [Float], deviation: [Float]) throws(SignalError) {
    try checkStatistics(mean: mean, deviation: deviation, "MFCC standardisation")
    self.mean = mean
    self.deviation = deviation
  }

  /// - Parameters: values: frames or rows whose coefficients repeat with this period, such as [32, 8 · 128]; changed in place
  /// - Throws: `.wrongSize` unless there are whole frames.
  package func apply(_ values: inout [Float]) throws(SignalError) {
    guard values.count % mean.count == 0 else {
      throw SignalError(
        .wrongSize, place: "MFCC standardisation", expected: "a multiple of \(mean.count) values",
        found: "\(values.count)", advice: "pass whole frames")
    }
    var start = 0
    while start < values.count {
      for coefficient in 0..<mean.count {
        values[start + coefficient] = (values[start + coefficient] - mean[coefficient]) / deviation[coefficient]
      }
      start += mean.count
    }
  }
}

private func checkStatistics(mean: [Float], deviation: [Float], _ place: String) throws(SignalError) {
  try checkCount(deviation.count, mean.count, "\(place), deviations")
  guard !mean.isEmpty else {
    throw SignalError(
      .wrongSize, place: "\(place), means", expected: "at least 1 value", found: "0",
      advice: "correct the preprocessing metadata")
  }
  for index in 0..<mean.count where !mean[index].isFinite || !deviation[index].isFinite || deviation[index] <= 0 {
    throw SignalError(
      .invalidParameter, place: "\(place), position \(index)",
      expected: "a finite mean and a positive, finite deviation",
      found: "\(mean[index]) and \(deviation[index])", advice: "correct the preprocessing metadata")
  }
}
