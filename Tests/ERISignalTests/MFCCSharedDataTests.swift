import ERITestSupport
import Foundation
import Testing

@testable import ERISignal

/// librosa's MFCC of real clips, decoded to 22,050 Hz before; run where the shared data is present.
@Suite struct MFCCSharedDataTests {
  private static let clips: [URL] = {
    guard let folder = TestFolders.sharedData?.appendingPathComponent("golden/decoded22050") else { return [] }
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "wav" }.sorted { $0.path < $1.path }
  }()

  @Test(.enabled(if: !clips.isEmpty, "needs the shared data folder (ERI_SHARED_DATA)"), arguments: clips)
  func `equals librosa on real clips`(clip: URL) throws {
    let name = clip.lastPathComponent.replacingOccurrences(of: ".22050mono.wav", with: "")
    let folder = clip.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("mfcc128")
    let golden = try NumPyArray(folder.appendingPathComponent("\(name).npy"))
    let samples = try floatSamples(ofWave: clip)
    let found = try MFCC().compute(samples)
    let frames = golden.shape[1]
    let expected = (0..<frames).flatMap { frame in (0..<128).map { golden.values[$0 * frames + frame] } }
    let difference = largestDifference(found, expected)
    print("MFCC of \(name): \(frames) frames, largest difference from librosa \(difference)")
    #expect(difference < 1e-3)
  }

  /// Samples of a WAV file of 32-bit floats, one channel.
  private func floatSamples(ofWave file: URL) throws -> [Float] {
    let bytes = try Data(contentsOf: file)
    let start = try #require(bytes.range(of: Data("data".utf8))).upperBound + 4
    return stride(from: start, to: bytes.count - 3, by: 4).map { position in
      Float(
        bitPattern: bytes[position..<(position + 4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }
  }
}
