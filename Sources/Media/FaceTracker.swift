/// Finds the face of one picture, looking first where it was seen last.
///
/// dlib's cost grows with the pixels searched, and no fixed reduction of the picture is safe for small faces. So a face
/// is found once at full size; from then on a square of 1.6 times its side, resized so that the face is 100 pixels
/// wide, is enough. The square stays where it is until the face has clearly moved in it: one that followed every box would
/// shift dlib's 8-pixel grid with each picture and make the boxes jitter.
struct FaceTracker {
  private let detector: FaceDetector
  /// The box around which the window lies.
  private var anchor: FaceBox?

  /// Side of the window in sides of the box.
  private static let windowFactor = 1.6

  init(detector: FaceDetector) {
    self.detector = detector
  }

  /// - Parameter near: the face's last box, or nil if it was not seen last.
  /// - Returns: the face near it, else the largest face of the picture, else nil.
  mutating func find(in picture: ShownFrame, near: FaceBox?) throws(MediaError) -> FaceBox? {
    if let near {
      let window = if let anchor, Self.holds(anchor, near) { anchor } else { near }
      anchor = window
      if let box = try search(picture, around: window) { return box }
    }
    return try picture.withGrey { pixels, width, height, stride throws(MediaError) in
      try detector.faces(in: pixels, width: width, height: height, stride: stride)
    }.max { $0.side < $1.side }
  }

  /// Whether a window around `anchor` still shows `box` well: the centre within 0.2 sides, the size within a quarter.
  static func holds(_ anchor: FaceBox, _ box: FaceBox) -> Bool {
    let limit = 0.2 * anchor.side
    let ratio = box.side / anchor.side
    return abs(box.centreX - anchor.centreX) <= limit && abs(box.centreY - anchor.centreY) <= limit
      && ratio >= 0.8 && ratio <= 1.25
  }

  private func search(_ picture: ShownFrame, around anchor: FaceBox) throws(MediaError) -> FaceBox? {
    let side = FaceDetector.windowSide
    let square = anchor.square(Self.windowFactor)
    let pixels = try picture.grey(square, width: side, height: side)
    let scale = square.width / Double(side)
    let middle = Double(side) / 2
    // With several faces in the window, the one in its middle is the one that is followed.
    let box = try detector.faces(inWindow: pixels).min {
      abs($0.centreX - middle) + abs($0.centreY - middle) < abs($1.centreX - middle) + abs($1.centreY - middle)
    }
    guard let box else { return nil }
    return FaceBox(
      centreX: square.left + box.centreX * scale, centreY: square.top + box.centreY * scale, side: box.side * scale)
  }
}
