import ERITestSupport
import Foundation
import Testing

/// `eri gradients`: what it writes, and the sentences of what it refuses.
@Suite struct GradientsTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let outcome = try Tool.eri.run(
      "init audio-branch m.eri --set steps=4 --set temporal.width=8 --set temporal.levels=1 --set temporal.blocks=1 "
        + "--set temporal.feed_forward=8 --set sound.coefficients=4 --set sound.stack=2", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    try SmallModel.array("x.npy", [2, 4, 8], (0..<64).map { Float($0 % 5) }, to: folder)
    try SmallModel.array("t.npy", [2, 7], [Float](repeating: 0.5, count: 14), to: folder)
  }

  @Test func `a gradient is written for every weight`() throws {
    let outcome = try Tool.eri.run("gradients m.eri --input audio=x.npy --targets t.npy --output-dir g", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("g"))
    #expect(outcome.output.hasSuffix("\(files.count) gradients -> g\n"))
    #expect(files.contains("audio.head.fc.weight.npy"))
  }

  @Test func `an input that is missing is named`() throws {
    let outcome = try Tool.eri.run("gradients m.eri --targets t.npy --output-dir g", in: folder)
    #expect(
      outcome
        == Tool.Outcome(errors: "eri: m.eri: expected input \"audio\", found none; give it with --input\n", status: 2))
  }

  @Test func `a value that the graph does not have is named`() throws {
    let outcome = try Tool.eri.run(
      "gradients m.eri --input sound=x.npy --targets t.npy --output-dir g", in: folder)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("expected a value \"sound\", found none"))
  }
}
