/// How the rows of a clip become the network's steps.
package enum RowSelection: Equatable, Sendable {
  /// Evenly spread rows, both ends included: the rule of the video frames, so that step k of both is the same relative time.
  case uniform
  /// The mean of each of equally long segments.
  case segmentMean
  /// Every row, whatever their number.
  case full
}

/// Rows of eight adjacent MFCC frames, the audio branch's input before standardisation.
package enum AudioRows {
  /// Adjacent frames in a row.
  package static let framesPerRow = 8

  /// Number of rows of a clip: ⌊frames / 8⌋, and 1 for a shorter one, whose last frame is repeated.
  package static func count(frames: Int) -> Int { max(frames / framesPerRow, 1) }

  /// Stacks frames to rows and selects from them.
  ///
  /// Row r holds the frames 8r to 8r + 7 one after another: row[coefficients · j + c] = mfcc[8r + j][c].
  /// Up to seven frames at the end are left out.
  /// - Parameters:
  ///   - mfcc: [F, coefficients] row-major, F at least 1
  ///   - coefficients: MFCC per frame
  ///   - steps: rows wanted; `.full` does not look at it
  ///   - selection: which rows, or means of rows
  /// - Returns: [steps, 8 · coefficients] row-major; for `.full` [⌊F / 8⌋, 8 · coefficients].
  /// - Throws: `.wrongSize` if `mfcc` is empty or not whole frames, `.invalidParameter`, `.tooLarge`.
  package static func make(
    mfcc: [Float], coefficients: Int, steps: Int = 32, selection: RowSelection = .uniform
  ) throws(SignalError) -> [Float] {
    try check(coefficients, in: 1...FrameSampling.limit, "audio rows, coefficients per frame")
    guard mfcc.count > 0, mfcc.count % coefficients == 0 else {
      throw SignalError(
        .wrongSize, place: "audio rows, MFCC", expected: "a positive multiple of \(coefficients) values",
        found: "\(mfcc.count)", advice: "pass whole frames")
    }
    let frames = mfcc.count / coefficients
    let rows = count(frames: frames)
    let width = try elementCount(framesPerRow, coefficients, place: "audio rows")

    /// Element of a row; frames past the end repeat the last one.
    func element(_ row: Int, _ position: Int) -> Float {
      let frame = min(row * framesPerRow + position / coefficients, frames - 1)
      return mfcc[frame * coefficients + position % coefficients]
    }

    switch selection {
    case .uniform:
      return try gather(FrameSampling.indices(count: rows, steps: steps), width: width, element)
    case .full:
      return try gather(Array(0..<rows), width: width, element)
    case .segmentMean:
      try check(steps, in: 1...FrameSampling.limit, "audio rows, step count")
      var means = [Float](repeating: 0, count: try elementCount(steps, width, place: "audio rows"))
      for step in 0..<steps {
        let start = Int(Int64(step) * Int64(rows) / Int64(steps))
        let end = max(Int(Int64(step + 1) * Int64(rows) / Int64(steps)), start + 1)
        for position in 0..<width {
          var sum = 0.0
          for row in start..<end { sum += Double(element(row, position)) }
          means[step * width + position] = Float(sum / Double(end - start))
        }
      }
      return means
    }
  }

  private static func gather(
    _ rows: [Int], width: Int, _ element: (Int, Int) -> Float
  ) throws(SignalError) -> [Float] {
    var gathered = [Float](repeating: 0, count: try elementCount(rows.count, width, place: "audio rows"))
    for (step, row) in rows.enumerated() {
      for position in 0..<width { gathered[step * width + position] = element(row, position) }
    }
    return gathered
  }
}
