/// Follows the largest face through pictures that are still coming.
package struct FaceFollower {
  /// A crop of the face.
  package struct Crop: Sendable {
    /// RGB bytes [size, size, 3].
    package let pixels: [UInt8]
    /// False: the face was not found here, and the crop lies where it was last.
    package let isSeen: Bool
  }

  private var tracker: FaceTracker
  private let size: Int
  private let margin: Double
  private var last: FaceBox?
  private var isLost = false

  /// - Parameters: size: side of the crops in pixels · margin: side of a crop in sides of the face's box
  package init(detector: FaceDetector, size: Int, margin: Double) {
    tracker = FaceTracker(detector: detector)
    self.size = size
    self.margin = margin
  }

  /// - Returns: nil as long as no face was found.
  package mutating func crop(_ picture: LivePicture) throws(MediaError) -> Crop? {
    let found = try tracker.find(in: picture.shown, near: isLost ? nil : last)
    isLost = found == nil
    if let found { last = found }
    guard let last else { return nil }
    return Crop(pixels: try picture.shown.rgb(last.square(margin), side: size), isSeen: found != nil)
  }

  /// Forgets the face.
  package mutating func forget() { last = nil }
}
