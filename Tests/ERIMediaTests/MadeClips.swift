import ERITestSupport
import Testing

@testable import ERIMedia

extension TemporaryFolder {
  /// Runs ffmpeg with space-separated arguments; returns the path of what it made.
  func make(_ name: String, _ arguments: String) throws -> String {
    try ffmpeg(name, arguments: arguments.split(separator: " ").map(String.init))
  }

  /// Copies an .mp4 or .mov of one track and marks it to be shown turned clockwise.
  ///
  /// The display matrix is written here because ffmpeg's option for it changed with its versions.
  func turning(_ clip: String, by degrees: Int, as name: String) throws -> String {
    var bytes = try TemporaryFolder.read(clip)
    let header = try #require(bytes.firstRange(of: Array("tkhd".utf8)), "a track header")
    // After the name: version and flags, two times, track, reserved, duration, two reserved words, four halves.
    let matrix = header.upperBound + 40
    let (cosine, sine): (Int32, Int32) =
      switch degrees {
      case 90: (0, 1)
      case 180: (-1, 0)
      case 270: (0, -1)
      default: (1, 0)
      }
    let one: Int32 = 1 << 16
    let entries = [cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30]
    let encoded = entries.flatMap { entry in withUnsafeBytes(of: entry.bigEndian) { Array($0) } }
    bytes.replaceSubrange(matrix..<matrix + 36, with: encoded)
    return try write(name, bytes)
  }

  /// The bytes ffmpeg decodes a clip to.
  func decoded(_ clip: String, _ arguments: String) throws -> [UInt8] {
    try TemporaryFolder.read(make("decoded.raw", "-i \(clip) \(arguments) -f rawvideo"))
  }
}

/// Unpacking the filters takes half a second; tests run at the same time and take free clones, which only read this.
nonisolated(unsafe) let testDetector: FaceDetector = {
  do {
    return try FaceDetector()
  } catch {
    fatalError("\(error)")
  }
}()

/// Every picture of a clip as it is shown.
func shownPictures(_ path: String) throws -> (pictures: [ShownFrame], clip: ClipGeometry, decoder: VideoDecoder) {
  let decoder = try #require(try VideoDecoder(path: path, threads: 1))
  var clip = ClipGeometry()
  var pictures: [ShownFrame] = []
  while let frame = try decoder.next() { pictures.append(clip.shown(frame, decoder: decoder)) }
  return (pictures, clip, decoder)
}

extension ShownFrame {
  /// The whole shown picture in grey, rows close together.
  func wholeGrey() throws -> [UInt8] {
    try withGrey { pixels, width, height, stride throws(MediaError) in
      (0..<height).flatMap { y in (0..<width).map { pixels[y * stride + $0] } }
    }
  }

  /// The mean grey value.
  func brightness() throws -> Double {
    let grey = try wholeGrey()
    return grey.reduce(0) { $0 + Double($1) } / Double(grey.count)
  }
}
