import ERIFormat

/// Sums over the rows of a batch, in doubles.
///
/// The rows are divided into parts whatever the number of threads; each part has sums of its own, which are then added in order, so that no
/// bit depends on threads.
final class RowSums {
  private static let parts = 16
  private let width: Int
  private let sums: UnsafeMutablePointer<Double>

  init(width: Int) {
    self.width = width
    sums = .allocate(capacity: RowSums.parts * max(width, 1))
  }

  deinit { sums.deallocate() }

  /// The sums of the last collection.
  subscript(index: Int) -> Double {
    get { sums[index] }
    set { sums[index] = newValue }
  }

  /// Calls `body` for each part of the rows with its sums, which begin at 0, and adds them up.
  func collect(
    _ run: TrainingRun, rows: Int,
    _ body: (_ rows: Range<Int>, _ thread: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
  ) {
    let parts = min(RowSums.parts, max(1, rows))
    sums.initialize(repeating: 0, count: parts * width)
    run.threads.run(parts) { part, thread in
      body((rows * part / parts)..<(rows * (part + 1) / parts), thread, sums + part * width)
    }
    for part in 1..<max(parts, 2) where part < parts {
      for index in 0..<width { sums[index] += sums[part * width + index] }
    }
  }

  /// gradient[i] += sums[first + i].
  func add(from first: Int = 0, count: Int, to gradient: UnsafeMutablePointer<Float>) {
    for index in 0..<count { gradient[index] = Float(Double(gradient[index]) + sums[first + index]) }
  }
}
