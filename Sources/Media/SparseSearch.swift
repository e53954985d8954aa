/// What is known of the face in one picture.
enum Sighting: Equatable {
  /// The detector found it.
  case seen(FaceBox)
  /// Not looked at, but the face was seen shortly before and shortly after.
  case between
  /// The detector did not find it, or did not find it shortly before and shortly after.
  case absent
}

/// Decides which pictures of a clip are searched for the face, in one pass over them.
///
/// Every third picture is searched while the face is there; while it is not, which costs ten times as much, the tenth
/// after the first miss, the twentieth after the second, then every thirtieth. The first and the last always are. Where
/// the face comes or goes, the pictures between are searched towards the change, so that the pictures with a face are
/// those that a search of every picture would give, except for a face that shows up for less than a step only.
struct SparseSearch<Picture> {
  private static var seenStep: Int { 3 }
  private static var missingStep: Int { 10 }
  private static var longestMissingStep: Int { 30 }

  private(set) var sightings: [Sighting] = []
  /// Pictures since the last searched one.
  private var pending: [Picture] = []
  private var last: Sighting?
  private var missesInARow = 0

  /// Takes the next picture; `find` looks for the face, near a box if it was seen last.
  /// - Parameter patience: the longest run of pictures to hold back, at least 1.
  mutating func add<Failure: Error>(
    _ picture: Picture, patience: Int = Int.max,
    find: (Picture, FaceBox?) throws(Failure) -> FaceBox?
  ) throws(Failure) {
    let step =
      switch last {
      case nil: 1
      case .seen: Self.seenStep
      case .between, .absent: min(Self.missingStep * missesInARow, Self.longestMissingStep)
      }
    if pending.count + 1 < min(step, max(patience, 1)) {
      pending.append(picture)
    } else {
      try search(picture, find)
    }
  }

  /// Searches the last picture if it was held back; afterwards there is one sighting per picture.
  mutating func finish<Failure: Error>(find: (Picture, FaceBox?) throws(Failure) -> FaceBox?) throws(Failure) {
    guard let picture = pending.popLast() else { return }
    try search(picture, find)
  }

  private mutating func search<Failure: Error>(
    _ picture: Picture, _ find: (Picture, FaceBox?) throws(Failure) -> FaceBox?
  ) throws(Failure) {
    let before: FaceBox? = if case .seen(let box) = last { box } else { nil }
    let found = try find(picture, before)
    var gap = [Sighting](repeating: .absent, count: pending.count)
    switch (before, found) {
    case (.some, .some):
      gap = gap.map { _ in .between }
    case (.some(var box), nil):
      for index in pending.indices {
        guard let next = try find(pending[index], box) else { break }
        gap[index] = .seen(next)
        box = next
      }
    case (nil, .some(var box)):
      for index in pending.indices.reversed() {
        guard let next = try find(pending[index], box) else { break }
        gap[index] = .seen(next)
        box = next
      }
    case (nil, nil):
      break
    }
    sightings += gap
    let sighting: Sighting = if let found { .seen(found) } else { .absent }
    sightings.append(sighting)
    last = sighting
    missesInARow = found == nil ? missesInARow + 1 : 0
    pending.removeAll(keepingCapacity: true)
  }
}

extension Sighting {
  /// Fills the boxes of pictures without one: linearly between the neighbouring detections, copying the nearest before
  /// the first and after the last.
  /// - Returns: one box per picture, or nil if the face was never seen.
  static func boxes(_ sightings: [Sighting]) -> [FaceBox]? {
    var result: [FaceBox] = []
    result.reserveCapacity(sightings.count)
    var earlier: FaceBox?
    for case (let index, .seen(let box)) in sightings.enumerated() {
      let first = result.count
      if let earlier {
        let steps = Double(index - first + 1)
        for missing in first..<index {
          let share = Double(missing - first + 1) / steps
          result.append(earlier.mixed(with: box, share: share))
        }
      } else {
        result.append(contentsOf: repeatElement(box, count: index))
      }
      result.append(box)
      earlier = box
    }
    guard let earlier else { return nil }
    result.append(contentsOf: repeatElement(earlier, count: sightings.count - result.count))
    return result
  }

  /// Length of the run of pictures without a face that each picture lies in; 0 where there is one.
  static func gapLengths(_ sightings: [Sighting]) -> [Int] {
    var lengths = [Int](repeating: 0, count: sightings.count)
    var start = 0
    for index in 0...sightings.count where index == sightings.count || sightings[index] != .absent {
      for gap in start..<index { lengths[gap] = index - start }
      start = index + 1
    }
    return lengths
  }
}

extension FaceBox {
  /// The box a part of the way to another.
  func mixed(with other: FaceBox, share: Double) -> FaceBox {
    FaceBox(
      centreX: centreX + (other.centreX - centreX) * share, centreY: centreY + (other.centreY - centreY) * share,
      side: side + (other.side - side) * share)
  }
}
