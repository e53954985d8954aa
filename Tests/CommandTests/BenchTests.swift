import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct BenchTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try SmallModel.write(to: folder)
  }

  private func report(_ options: String) throws -> [String: Any] {
    let outcome = try Tool.eri.run("bench model.eri --json \(options)", in: folder)
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
    return try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  @Test func `JSON tells shapes, times, rate and the processor's peak`() throws {
    let report = try report("--size N=5 --threads 2 --rounds 3")
    let inputs = try #require(report["inputs"] as? [[String: Any]])
    // The other input has a fill value.
    #expect(inputs.map { $0["name"] as? String } == ["x"])
    #expect(inputs.first?["shape"] as? [Int] == [5, 3])
    #expect(report["rounds"] as? Int == 3)
    #expect(report["threads"] as? Int == 2)
    let median = try #require(report["median_ms"] as? Double)
    #expect(try #require(report["least_ms"] as? Double) <= median)
    #expect(try #require(report["p90_ms"] as? Double) >= median)
    // x wᵀ, and one for each product with the scale.
    #expect(try #require(report["multiply_adds"] as? Int) >= 5 * 3 * 2)
    #expect(try #require(report["peak_gflops"] as? Double) > 0)
    #expect(report["profile"] == nil)
  }

  @Test func `a size that nobody gives is 1`() throws {
    let inputs = try #require(try report("--rounds 1")["inputs"] as? [[String: Any]])
    #expect(inputs.first?["shape"] as? [Int] == [1, 3])
  }

  @Test func `the profile tells each step's share of the peak`() throws {
    let profile = try #require(try report("--rounds 1 --profile")["profile"] as? [[String: Any]])
    #expect(profile.first?["kernel"] as? String == "linear")
    #expect(try #require(profile.first?["of_peak"] as? Double) > 0)
  }

  private func exec(_ options: String = "") throws -> (errors: String, tuned: Bool?) {
    try SmallModel.array("x.npy", [1, 3], [1, 2, 3], to: folder)
    let outcome = try Tool.device.run("exec model.eri --input x=x.npy --output-dir out --json \(options)", in: folder)
    #expect(outcome.status == 0)
    let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    return (outcome.errors, report?["tuned"] as? Bool)
  }

  @Test func `what tuning measured is remembered beside the model and used there`() throws {
    let tuning = try #require(try report("--tune --rounds 2")["tuning"] as? [String: Any])
    #expect(try #require(tuning["ratio"] as? Double) <= 1)
    #expect(try exec() == ("", true))
    #expect(try exec("--no-plan") == ("", false))
    #expect(try exec("--threads 2") == ("", false))
    #expect(try report("--rounds 1")["tuned"] as? Bool == true)
  }

  @Test func `plans of another model are not used, and that is said`() throws {
    _ = try report("--tune --rounds 1")
    let path = URL(fileURLWithPath: folder.path("model.eri.plan"))
    let text = try String(contentsOf: path, encoding: .utf8)
    let lines = text.split(separator: "\n")
    let digest = try #require(lines.first { $0.hasPrefix("model ") }).dropFirst(6)
    try Data(text.replacing(digest, with: "0123").utf8).write(to: path)
    let sentence = "model.eri.plan: expected the plans of the model \(digest), found those of another; it is not used, "
    #expect(try exec() == (sentence + "`eri bench --tune` makes it anew\n", false))
  }

  @Test func `a damaged plan is not used, and that is said`() throws {
    try Data("nonsense".utf8).write(to: URL(fileURLWithPath: folder.path("model.eri.plan")))
    let sentence = "model.eri.plan: expected a last line that ends, found none; it is not used, "
    #expect(try exec() == (sentence + "`eri bench --tune` makes it anew\n", false))
  }

  @Test func `a size that the model has not is refused with those it has`() throws {
    #expect(
      try Tool.eri.run("bench model.eri --size T=4", in: folder)
        == Tool.Outcome(errors: "eri: model.eri: --size: expected one of the sizes N, found \"T\"\n", status: 2))
  }
}
