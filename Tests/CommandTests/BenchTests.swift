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

  @Test func `a size that the model has not is refused with those it has`() throws {
    #expect(
      try Tool.eri.run("bench model.eri --size T=4", in: folder)
        == Tool.Outcome(errors: "eri: model.eri: --size: expected one of the sizes N, found \"T\"\n", status: 2))
  }
}
