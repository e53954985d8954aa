/// The last steps of one of the window's inputs.
struct StepHistory {
  let name: String
  /// Extents of the whole window.
  let shape: [Int]
  private let limit: Int
  private let size: Int
  /// Oldest first.
  private var values: [Float] = []

  /// - Parameters: shape: of the whole window, its extents' product `limit` steps of equal size
  init(_ name: String, shape: [Int], limit: Int) {
    self.name = name
    self.shape = shape
    self.limit = limit
    size = shape.reduce(1, *) / max(limit, 1)
    values.reserveCapacity(limit * size)
  }

  var count: Int { values.count / max(size, 1) }

  mutating func append(_ step: [Float]) {
    if count == limit { values.removeFirst(size) }
    values.append(contentsOf: step)
  }

  mutating func repeatLast() { append([Float](values.suffix(size))) }

  mutating func removeAll() { values.removeAll(keepingCapacity: true) }

  /// Writes the steps of these numbers one after another.
  func fill(_ target: UnsafeMutableBufferPointer<Float>, _ indices: [Int]) {
    var position = 0
    for index in indices {
      for element in index * size..<(index + 1) * size {
        target[position] = values[element]
        position &+= 1
      }
    }
  }
}
