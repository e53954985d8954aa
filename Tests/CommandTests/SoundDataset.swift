import ERIFormat
import ERITestSupport
import Foundation

/// What `eri prepare` said when it failed.
struct Unprepared: Error { let errors: String }

/// A folder of short tones whose loudness is a clip's first label, and a cache that `eri prepare` made of it.
struct SoundDataset {
  let folder: TemporaryFolder

  /// Options of a network small enough to train in moments.
  static let small =
    "--set temporal.width=8 --set temporal.blocks=1 --set temporal.levels=2 --set temporal.feed_forward=16 --set temporal.heads=2"

  /// - Parameter labels: of clip `index`; nil: loudness, and a constant.
  init(clips: Int = 24, labels: ((Int) -> [Float])? = nil, names: String = "Joy,Fear") throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(at: folder.url("data/wav"), withIntermediateDirectories: true)
    var lines = ["File_ID,Split,\(names),Subject"]
    for index in 0..<clips {
      var random = SeededRandom(seed: 1, stream: "clip \(index)")
      let loudness = random.uniform()
      let split = ["Train", "Train", "Val", "Test"][index % 4]
      let values = labels?(index) ?? [Float(loudness), 0.5]
      lines.append("[\(index)],\(split),\(values.map { "\($0)" }.joined(separator: ",")),person \(index % 5)")
      let samples = (0..<6_000).map { sample in
        Float((0.05 + 0.9 * loudness) * sin(Double(sample) * 0.1) * 0.5 + 0.01 * random.normal())
      }
      _ = try folder.write("data/wav/\(index).wav", SoundDataset.wave(samples))
    }
    _ = try folder.write("data/labels.csv", Array((lines.joined(separator: "\n") + "\n").utf8))
    let outcome = try Tool.eri.run("prepare data cache --modality audio --coefficients 12 --steps 8", in: folder)
    guard outcome.status == 0 else { throw Unprepared(errors: outcome.errors) }
  }

  /// The tool's outcome in the folder.
  func run(_ words: String) throws -> Tool.Outcome { try Tool.eri.run(words, in: folder) }

  /// 16-bit mono at 22 050 Hz.
  private static func wave(_ samples: [Float]) -> [UInt8] {
    func little(_ value: Int, _ bytes: Int) -> [UInt8] {
      (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let data = samples.flatMap { little(Int(max(-1, min(1, $0)) * 32_767), 2) }
    return Array("RIFF".utf8) + little(36 + data.count, 4) + Array("WAVEfmt ".utf8) + little(16, 4) + little(1, 2)
      + little(1, 2) + little(22_050, 4) + little(44_100, 4) + little(2, 2) + little(16, 2) + Array("data".utf8)
      + little(data.count, 4) + data
  }
}
