import CDlib

/// A face: a square in pixels of the shown picture.
package struct FaceBox: Equatable, Sendable {
  package var centreX: Double
  package var centreY: Double
  /// The longer side of the detector's box.
  package var side: Double

  package init(centreX: Double, centreY: Double, side: Double) {
    self.centreX = centreX
    self.centreY = centreY
    self.side = side
  }

  init(left: Double, top: Double, right: Double, bottom: Double) {
    centreX = (left + right) / 2
    centreY = (top + bottom) / 2
    side = max(right - left, bottom - top)
  }

  /// The square around the same centre with `factor` times the side.
  func square(_ factor: Double) -> Rectangle {
    let length = side * factor
    return Rectangle(left: centreX - length / 2, top: centreY - length / 2, width: length, height: length)
  }
}

/// dlib's frontal face detector.
///
/// Making one takes about half a second; it serves any number of clips, one at a time.
package final class FaceDetector {
  private let everySize: OpaquePointer
  private let nearSize: OpaquePointer

  /// Side of the square image that `FaceTracker` searches around a known face.
  static let windowSide = 160

  /// - Throws: `.outOfMemory` if dlib cannot unpack its filters.
  package convenience init() throws(MediaError) { try self.init(baseline: false) }

  /// - Parameter baseline: use only instructions that every processor of the platform has.
  init(baseline: Bool) throws(MediaError) {
    var reason = [CChar](repeating: 0, count: 256)
    let made = eri_face_detector_create(baseline ? 1 : 0, &reason, reason.count)
    guard let made else { throw Self.failure(reason) }
    everySize = made
    nearSize = try Self.limited(made)
  }

  /// Another detector on the same filters, at no cost, to be used at the same time.
  package func clone() throws(MediaError) -> FaceDetector { try FaceDetector(sharing: self) }

  private init(sharing other: FaceDetector) throws(MediaError) {
    var reason = [CChar](repeating: 0, count: 256)
    let made = eri_face_detector_clone(other.everySize, 0, &reason, reason.count)
    guard let made else { throw Self.failure(reason) }
    everySize = made
    nearSize = try Self.limited(made)
  }

  /// A clone for faces of 80 to 140 pixels: what a window around a known face shows.
  ///
  /// Frees the original on failure.
  private static func limited(_ made: OpaquePointer) throws(MediaError) -> OpaquePointer {
    var reason = [CChar](repeating: 0, count: 256)
    guard let near = eri_face_detector_clone(made, 4, &reason, reason.count) else {
      eri_face_detector_free(made)
      throw failure(reason)
    }
    return near
  }

  deinit {
    eri_face_detector_free(everySize)
    eri_face_detector_free(nearSize)
  }

  /// The faces of every size in a grey image, surest first.
  func faces(
    in pixels: UnsafePointer<UInt8>, width: Int, height: Int, stride: Int
  ) throws(MediaError) -> [FaceBox] {
    try search(everySize, pixels, width, height, stride)
  }

  /// The faces of about half to nine tenths of the side in a grey image of `windowSide` squared, surest first.
  func faces(inWindow pixels: [UInt8]) throws(MediaError) -> [FaceBox] {
    try pixels.withUnsafeBufferPointer { pixels throws(MediaError) in
      guard let base = pixels.baseAddress, pixels.count >= Self.windowSide * Self.windowSide else { return [] }
      return try search(nearSize, base, Self.windowSide, Self.windowSide, Self.windowSide)
    }
  }

  private func search(
    _ detector: OpaquePointer, _ pixels: UnsafePointer<UInt8>, _ width: Int, _ height: Int, _ stride: Int
  ) throws(MediaError) -> [FaceBox] {
    var reason = [CChar](repeating: 0, count: 256)
    // More faces than this are a crowd; the surest are kept.
    let empty = eri_face_box(left: 0, top: 0, right: 0, bottom: 0, confidence: 0)
    var boxes = [eri_face_box](repeating: empty, count: 64)
    let count = eri_face_detector_detect(
      detector, pixels, Int32(clamping: width), Int32(clamping: height), stride, &boxes, Int32(boxes.count), &reason,
      reason.count)
    guard count >= 0 else { throw Self.failure(reason) }
    return boxes.prefix(Int(count)).map { box in
      FaceBox(left: Double(box.left), top: Double(box.top), right: Double(box.right), bottom: Double(box.bottom))
    }
  }

  private static func failure(_ reason: [CChar]) -> MediaError {
    let text = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return MediaError(
      .outOfMemory, path: "dlib's face detector", expected: "a result", found: "the exception '\(text)'",
      advice: "close other programs or take a smaller clip")
  }
}
