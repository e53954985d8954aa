/// Which frames of a clip stand for its steps.
package enum FrameSampling {
  /// Largest accepted number of frames and of steps; products of two such numbers fit into 64 bits.
  static let limit = Int(Int32.max)

  /// Evenly spread positions with both ends included: index k = ⌊k · (count − 1) / (steps − 1)⌋.
  ///
  /// Clips shorter than `steps` repeat frames. One step takes the first frame.
  /// - Parameters: count: frames of the clip, at least 1 · steps: positions wanted, at least 1
  /// - Returns: `steps` indices in 0..<count, ascending.
  /// - Throws: `.invalidParameter` if either is less than 1 or more than 2³¹ − 1.
  package static func indices(count: Int, steps: Int) throws(SignalError) -> [Int] {
    try check(count, in: 1...limit, "frame sampling, frame count")
    try check(steps, in: 1...limit, "frame sampling, step count")
    let last = Int64(count - 1)
    let intervals = Int64(max(steps - 1, 1))
    var indices = [Int](repeating: 0, count: steps)
    for step in 0..<steps { indices[step] = Int(Int64(step) * last / intervals) }
    return indices
  }
}
