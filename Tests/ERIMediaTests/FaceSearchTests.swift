import Testing

@testable import ERIMedia

/// Runs a search over numbered pictures in which a face is where `face` says, and counts the pictures looked at.
private func searched(
  _ count: Int, patience: Int = .max, face: (Int) -> FaceBox?
) -> (sightings: [Sighting], looked: [Int]) {
  var search = SparseSearch<Int>()
  var looked: [Int] = []
  let find: (Int, FaceBox?) -> FaceBox? = { picture, _ in
    looked.append(picture)
    return face(picture)
  }
  for picture in 0..<count { search.add(picture, patience: patience, find: find) }
  search.finish(find: find)
  return (search.sightings, looked)
}

private func box(_ index: Int) -> FaceBox { FaceBox(centreX: Double(index), centreY: Double(2 * index), side: 100) }

struct `Sparse face search` {
  @Test func `every third picture and the last are searched while the face stays`() {
    let (sightings, looked) = searched(12) { box($0) }
    #expect(looked == [0, 3, 6, 9, 11])
    #expect(
      sightings == [
        .seen(box(0)), .between, .between, .seen(box(3)), .between, .between, .seen(box(6)), .between, .between,
        .seen(box(9)), .between, .seen(box(11)),
      ])
  }

  @Test func `ever fewer pictures, and the last, are searched while it is missing`() {
    let (sightings, looked) = searched(125) { _ in nil }
    #expect(looked == [0, 10, 30, 60, 90, 120, 124])
    #expect(sightings == [Sighting](repeating: .absent, count: 125))
  }

  @Test func `a face that comes back is found from its first picture to its last`() {
    let (sightings, looked) = searched(80) { $0 < 1 || (60..<66).contains($0) ? box($0) : nil }
    #expect(looked == [0, 3, 1, 13, 33, 63, 62, 61, 60, 59, 66, 64, 65, 76, 79])
    #expect(sightings.indices.filter { sightings[$0] != .absent } == [0, 60, 61, 62, 63, 64, 65])
  }

  @Test(arguments: 1...40)
  func `a face that leaves is found in exactly the pictures before`(leaving: Int) {
    let (sightings, _) = searched(41) { $0 < leaving ? box($0) : nil }
    #expect(sightings.map { $0 != .absent } == (0..<41).map { $0 < leaving })
  }

  @Test(arguments: 1...40)
  func `a face that comes is found in exactly the pictures from then on`(coming: Int) {
    let (sightings, _) = searched(41) { $0 >= coming ? box($0) : nil }
    #expect(sightings.map { $0 != .absent } == (0..<41).map { $0 >= coming })
  }

  @Test func `a change costs one failed search more`() {
    let (_, looked) = searched(30) { $0 < 14 ? box($0) : nil }
    #expect(looked == [0, 3, 6, 9, 12, 15, 13, 14, 25, 29])
  }

  @Test func `less patience holds fewer pictures back and searches more`() {
    let (sightings, looked) = searched(9, patience: 2) { _ in nil }
    #expect(looked == [0, 2, 4, 6, 8])
    #expect(sightings.count == 9)
  }

  @Test(arguments: [0, 1, 2])
  func `there is one sighting per picture in the shortest clips`(count: Int) {
    #expect(searched(count) { box($0) }.sightings.count == count)
  }

  @Test func `the last box is passed on, and none after a miss`() {
    var search = SparseSearch<Int>()
    var near: [Int: FaceBox?] = [:]
    let find: (Int, FaceBox?) -> FaceBox? = { picture, last in
      near[picture] = last
      return picture < 5 ? box(picture) : nil
    }
    for picture in 0..<20 { search.add(picture, find: find) }
    #expect(near[0] == .some(nil))
    #expect(near[3] == .some(box(0)))
    #expect(near[6] == .some(box(3)))
    #expect(near[4] == .some(box(3)))
    #expect(near[16] == .some(nil))
  }
}

struct `Boxes of pictures without a detection` {
  @Test func `are interpolated linearly in centre and side`() {
    let boxes = Sighting.boxes([
      .seen(FaceBox(centreX: 10, centreY: 100, side: 40)), .between, .absent, .absent,
      .seen(FaceBox(centreX: 30, centreY: 20, side: 80)),
    ])
    #expect(
      boxes == [
        FaceBox(centreX: 10, centreY: 100, side: 40), FaceBox(centreX: 15, centreY: 80, side: 50),
        FaceBox(centreX: 20, centreY: 60, side: 60), FaceBox(centreX: 25, centreY: 40, side: 70),
        FaceBox(centreX: 30, centreY: 20, side: 80),
      ])
  }

  @Test func `copy the nearest before the first and after the last detection`() {
    #expect(
      Sighting.boxes([.absent, .absent, .seen(box(3)), .seen(box(9)), .absent])
        == [box(3), box(3), box(3), box(9), box(9)])
  }

  @Test func `do not exist if the face was never seen`() {
    #expect(Sighting.boxes([.absent, .absent]) == nil)
    #expect(Sighting.boxes([]) == nil)
  }

  @Test func `lie in gaps whose length is known`() {
    let seen = Sighting.seen(box(1))
    #expect(
      Sighting.gapLengths([.absent, .absent, seen, .between, seen, .absent, seen, .absent, .absent, .absent])
        == [2, 2, 0, 0, 0, 1, 0, 3, 3, 3])
  }
}

struct `Sticky window` {
  @Test func `stays while the face moves by up to a fifth of its side`() {
    let anchor = FaceBox(centreX: 100, centreY: 100, side: 50)
    #expect(FaceTracker.holds(anchor, FaceBox(centreX: 110, centreY: 90, side: 50)))
    #expect(!FaceTracker.holds(anchor, FaceBox(centreX: 110.5, centreY: 100, side: 50)))
    #expect(!FaceTracker.holds(anchor, FaceBox(centreX: 100, centreY: 89.5, side: 50)))
  }

  @Test func `stays while its size changes by up to a quarter`() {
    let anchor = FaceBox(centreX: 100, centreY: 100, side: 50)
    #expect(FaceTracker.holds(anchor, FaceBox(centreX: 100, centreY: 100, side: 62.5)))
    #expect(FaceTracker.holds(anchor, FaceBox(centreX: 100, centreY: 100, side: 40)))
    #expect(!FaceTracker.holds(anchor, FaceBox(centreX: 100, centreY: 100, side: 63)))
    #expect(!FaceTracker.holds(anchor, FaceBox(centreX: 100, centreY: 100, side: 39.5)))
  }
}

struct `dlib's detector` {
  @Test func `takes any size of picture and finds nothing in a blank one`() throws {
    let detector = try testDetector.clone()
    let blank = [UInt8](repeating: 90, count: 300 * 300)
    for side in [1, 2, 7, 8, 9, 63, 64, 65, 80, 300] {
      #expect(try detector.faces(in: blank, width: side, height: side, stride: 300) == [])
    }
  }

  @Test func `refuses an empty picture in words`() throws {
    let detector = try testDetector.clone()
    let error = #expect(throws: MediaError.self) {
      try detector.faces(in: [0], width: 0, height: 5, stride: 0)
    }
    #expect(
      error?.sentence
        == "dlib's face detector: expected a result, found the exception 'the image is empty'; "
        + "close other programs or take a smaller clip")
  }
}
