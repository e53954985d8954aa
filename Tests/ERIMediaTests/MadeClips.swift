import Foundation
import Testing

@testable import ERIMedia

/// Clips that a test makes with the ffmpeg command, in a folder of its own that goes with it.
final class MadeClips {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("eri-clips-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Runs ffmpeg with space-separated arguments and the output's path last.
  /// - Returns: the output's path.
  @discardableResult
  func make(_ name: String, _ arguments: String, appending further: [String] = []) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["ffmpeg", "-nostdin", "-v", "error", "-y"] + arguments.split(separator: " ").map(String.init) + further
      + [path(name)]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "ffmpeg \(arguments) failed")
    return path(name)
  }

  /// The bytes ffmpeg decodes a clip to.
  func decoded(_ clip: String, _ arguments: String) throws -> [UInt8] {
    let raw = try make("decoded.raw", "-i \(clip) \(arguments) -f rawvideo")
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: raw)))
  }

  func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
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
