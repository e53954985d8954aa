import ERITestSupport
import Foundation
import Testing

@testable import ERIMedia
@testable import ERISignal

/// Real sound files and video tracks; run where the shared data is present.
@Suite struct SoundSharedDataTests {
  private static let sharedData = TestFolders.sharedData

  private static func files(in folders: [String]) -> [URL] {
    guard let sharedData else { return [] }
    return folders.flatMap { folder -> [URL] in
      let files = try? FileManager.default.contentsOfDirectory(
        at: sharedData.appendingPathComponent(folder), includingPropertiesForKeys: nil)
      return (files ?? []).filter { !$0.hasDirectoryPath }.sorted { $0.path < $1.path }
    }
  }

  /// [frames, 128] of a golden, which is stored as [128, frames]; nil if there is none.
  private func golden(_ name: String) throws -> [Float]? {
    guard let file = Self.sharedData?.appendingPathComponent("golden/mfcc128/\(name)"),
      FileManager.default.fileExists(atPath: file.path)
    else { return nil }
    let array = try NumPyArray(file)
    let frames = array.shape[1]
    return (0..<frames).flatMap { frame in (0..<128).map { array.values[$0 * frames + frame] } }
  }

  @Test(
    .enabled(if: sharedData != nil, "needs the shared data folder (ERI_SHARED_DATA)"),
    arguments: files(in: ["audio", "video"]))
  func `real clips give librosa's coefficients`(file: URL) throws {
    let name = file.lastPathComponent
    let byLibrosa = try golden("\(name).librosaload.npy")
    let byFFmpeg = try golden("\(name).npy")
    guard let sound = try Sound.read(path: file.path) else {
      print("\(name): no sound track")
      #expect(byFFmpeg == nil)
      return
    }
    let clock = ContinuousClock()
    let start = clock.now
    let mfcc = try MFCC().compute(sound.samples)
    let elapsed = clock.now - start
    print(
      "\(name): \(sound.decoder), \(sound.codec), \(sound.channels) x \(sound.sourceRate) Hz, "
        + "\(sound.samples.count) samples, \(mfcc.count / 128) frames, MFCC \(elapsed); "
        + "largest difference: librosa.load \(byLibrosa.map { largestDifference(mfcc, $0) } ?? .nan), "
        + "ffmpeg's default resampler \(byFFmpeg.map { largestDifference(mfcc, $0) } ?? .nan); "
        + "warnings: \(sound.warnings)")
    if let byLibrosa {
      // Same decoder, same resampler: nothing but rounding is left.
      #expect(largestDifference(mfcc, byLibrosa) < 1e-3)
    } else {
      #expect(mfcc.count == byFFmpeg?.count)
    }
  }

  /// The largest absolute difference; infinite if the counts differ.
  private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
  }
}
