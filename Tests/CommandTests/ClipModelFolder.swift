import ERITestSupport
import Testing

extension TemporaryFolder {
  /// A folder with model.eri, a small one that takes faces and sound in steps of a row, and a synthesised clip of two seconds,
  /// made/clip_0000.mp4.
  static func withClipModel() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let model = try Tool.eri.run(
      "init dual-branch model.eri --seed 7 --set steps=8 --set spatial.image_size=32 --set spatial.base_width=8 "
        + "--set spatial.blocks=1 --set sound.coefficients=6 --set temporal.levels=2 --set temporal.width=16 "
        + "--set temporal.blocks=1", in: folder)
    let clip = try Tool.eri.run("synthesize made --clips 1 --seed 0 --seconds 2", in: folder)
    try #require(model.status == 0 && clip.status == 0)
    return folder
  }
}
