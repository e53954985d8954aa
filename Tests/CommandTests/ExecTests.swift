import ERIFormat
import ERITestSupport
import Foundation
import Testing

@Suite struct ExecTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try SmallModel.write(to: folder)
    try SmallModel.array("x.npy", [2, 3], [1, 2, 3, -4, 0, 1], to: folder)
  }

  private func refused(_ tool: Tool, _ sentence: String, status: Int32 = 2) -> Tool.Outcome {
    Tool.Outcome(errors: "\(tool.rawValue): \(sentence)\n", status: status)
  }

  @Test(arguments: Tool.allCases) func `outputs go to NAME.npy with slashes as underscores`(_ tool: Tool) throws {
    let outcome = try tool.run("exec model.eri --input x=x.npy --output-dir made/out", in: folder)
    #expect(outcome == Tool.Outcome("y/scaled float32 [2, 2] -> made/out/y_scaled.npy\n"))
    let output = try SmallModel.read(folder.path("made/out/y_scaled.npy"))
    #expect(output.shape == [2, 2])
    // relu([1 2 3; -4 0 1] wᵀ + b) by hand.
    #expect(output.values == [14.25, 0, 0, 3])
  }

  @Test(arguments: Tool.allCases) func `an input that may be left out is used when it is given`(_ tool: Tool) throws {
    try SmallModel.array("scale.npy", [2, 2], [2, 3, 4, 5], to: folder)
    _ = try tool.run("exec model.eri --input x=x.npy --input scale=scale.npy --output-dir .", in: folder)
    #expect(try SmallModel.read(folder.path("y_scaled.npy")).values == [28.5, 0, 0, 15])
  }

  @Test func `an input's path may hold an equals sign`() throws {
    try SmallModel.array("a=b.npy", [1, 3], [1, 0, 0], to: folder)
    _ = try Tool.eri.run("exec model.eri --input x=a=b.npy --output-dir .", in: folder)
    #expect(try SmallModel.read(folder.path("y_scaled.npy")).values == [1.25, 0])
  }

  @Test func `the order and number of threads change no bit`() throws {
    for threads in 1...3 {
      _ = try Tool.eri.run("exec model.eri --input x=x.npy --output-dir \(threads) --threads \(threads)", in: folder)
    }
    #expect(try folder.bytes("1/y_scaled.npy") == folder.bytes("2/y_scaled.npy"))
    #expect(try folder.bytes("1/y_scaled.npy") == folder.bytes("3/y_scaled.npy"))
  }

  @Test(arguments: Tool.allCases) func `a plan for little memory computes what exact computes`(_ tool: Tool) throws {
    _ = try tool.run("exec model.eri --input x=x.npy --output-dir low --memory low", in: folder)
    _ = try tool.run("exec model.eri --input x=x.npy --output-dir exact --exact", in: folder)
    #expect(try folder.bytes("low/y_scaled.npy") == folder.bytes("exact/y_scaled.npy"))
  }

  @Test func `the device tool names the plans that there are`() throws {
    let outcome = try Tool.device.run("exec model.eri --input x=x.npy --output-dir o --memory tiny", in: folder)
    #expect(outcome == refused(.device, "--memory: expected fast or low, found \"tiny\"", status: 64))
  }

  @Test(arguments: Tool.allCases) func `JSON tells outputs, median and profile`(_ tool: Tool) throws {
    let outcome = try tool.run(
      "exec model.eri --input x=x.npy --output-dir out --repeat 3 --profile --json --threads 2", in: folder)
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
    #expect(outcome.output.split(separator: "\n").count == 1)
    let report = try object(outcome.output)
    #expect(report["model"] as? String == "model.eri")
    #expect(report["threads"] as? Int == 2)
    #expect(try #require(report["peak_resident_bytes"] as? Int) > 1 << 20)
    #expect(report["repeat"] as? Int == 3)
    #expect(try #require(report["median_ms"] as? Double) > 0)
    let outputs = try #require(report["outputs"] as? [[String: Any]])
    #expect(outputs.count == 1)
    #expect(outputs[0]["name"] as? String == "y/scaled")
    #expect(outputs[0]["dtype"] as? String == "float32")
    #expect(outputs[0]["shape"] as? [Int] == [2, 2])
    #expect(outputs[0]["file"] as? String == "out/y_scaled.npy")
    let profile = try #require(report["profile"] as? [[String: Any]])
    let shares = profile.compactMap { $0["share"] as? Double }
    #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
    #expect(shares.count == profile.count)
  }

  @Test func `the median is printed with what was measured`() throws {
    let outcome = try Tool.eri.run("exec model.eri --input x=x.npy --output-dir . --repeat 4", in: folder)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(
      lines[1].wholeMatch(of: /median_ms \d+\.\d{3} \(of 4 runs after one that was not measured, \w+, threads 1\)/)
        != nil)
  }

  @Test(arguments: Tool.allCases) func `a name that is no input is refused`(_ tool: Tool) throws {
    #expect(
      try tool.run("exec model.eri --input z=x.npy --output-dir out", in: folder)
        == refused(tool, "model.eri: input \"z\": expected one of the inputs x, scale, found no such name"))
  }

  @Test(arguments: Tool.allCases) func `another type is refused, since nothing is converted`(_ tool: Tool) throws {
    try [Double](repeating: 1, count: 3).withUnsafeBytes { try writeNPY(folder.path("d.npy"), .f64, [1, 3], $0) }
    #expect(
      try tool.run("exec model.eri --input x=d.npy --output-dir out", in: folder)
        == refused(
          tool,
          "d.npy: input \"x\": expected float32 [N, 3], found float64 [1, 3]; nothing is converted here, save it as float32"
        ))
    #expect(try !folder.entries().contains("out"))
  }

  @Test(arguments: Tool.allCases) func `another shape is refused`(_ tool: Tool) throws {
    try SmallModel.array("wide.npy", [2, 4], [Float](repeating: 0, count: 8), to: folder)
    #expect(
      try tool.run("exec model.eri --input x=wide.npy --output-dir out", in: folder)
        == refused(tool, "wide.npy: input \"x\": expected float32 [N, 3], found [2, 4]"))
  }

  @Test(arguments: Tool.allCases) func `one symbol of two sizes is refused`(_ tool: Tool) throws {
    try SmallModel.array("scale.npy", [3, 2], [Float](repeating: 0, count: 6), to: folder)
    #expect(
      try tool.run("exec model.eri --input x=x.npy --input scale=scale.npy --output-dir out", in: folder)
        == refused(
          tool, "scale.npy: input \"scale\": expected N = 2 as in the inputs before it, found 3 in [3, 2]"))
  }

  @Test(arguments: Tool.allCases) func `an input given twice is refused`(_ tool: Tool) throws {
    #expect(
      try tool.run("exec model.eri --input x=x.npy --input x=x.npy --output-dir out", in: folder)
        == refused(tool, "model.eri: input \"x\": expected one file, found two; give it once"))
  }

  @Test(arguments: Tool.allCases) func `a required input that is missing is named`(_ tool: Tool) throws {
    #expect(
      try tool.run("exec model.eri --output-dir out", in: folder)
        == refused(tool, "model.eri: input \"x\": expected float32 [N, 3], found nothing; give it"))
  }

  @Test(arguments: Tool.allCases) func `a missing array is named with the system's reason`(_ tool: Tool) throws {
    #expect(
      try tool.run("exec model.eri --input x=none.npy --output-dir out", in: folder)
        == refused(tool, "none.npy: cannot be read: No such file or directory"))
  }

  @Test(arguments: Tool.allCases) func `a missing model is named with the system's reason`(_ tool: Tool) throws {
    #expect(
      try tool.run("exec none.eri --input x=x.npy --output-dir out", in: folder)
        == refused(tool, "none.eri: expected a readable file, found \"No such file or directory\""))
  }

  @Test(arguments: Tool.allCases) func `tensors without a graph are valid but not executed`(_ tool: Tool) throws {
    var model = try SmallModel.model()
    model.graph = nil
    model.labels = []
    _ = try model.write(to: folder.path("tensors.eri"))
    #expect(
      try tool.run("exec tensors.eri --input x=x.npy --output-dir out", in: folder)
        == refused(
          tool,
          "tensors.eri: expected a model with a graph, found tensors alone; give it one with `eri convert --network`",
          status: 3))
  }

  @Test(arguments: Tool.allCases) func `a folder that cannot be made is an output error`(_ tool: Tool) throws {
    #expect(
      try tool.run("exec model.eri --input x=x.npy --output-dir x.npy/out", in: folder)
        == refused(tool, "x.npy/out: cannot be made a folder: Not a directory"))
  }
}

@Suite struct CheckTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ expected: [Float]) throws {
    var golden = Golden()
    golden.name = "by hand"
    golden.inputs = [Golden.Values("x", .f32, [1, 3], [Float]([1, 2, 3]).withUnsafeBytes { [UInt8]($0) })]
    golden.outputs = [Golden.Values("y/scaled", .f32, [1, 2], expected.withUnsafeBytes { [UInt8]($0) })]
    golden.tolerance = 1e-5
    var model = try SmallModel.model()
    model.goldens = [golden]
    _ = try model.write(to: folder.path("model.eri"))
  }

  @Test(arguments: Tool.allCases) func `outputs as expected end with 0`(_ tool: Tool) throws {
    try write([14.25, 0])
    #expect(
      try tool.run("check model.eri", in: folder)
        == Tool.Outcome(
          "golden 0 (by hand): y/scaled: largest difference 0.0 of the largest value 14.25, allowed 1e-05: same\n"))
  }

  @Test(arguments: Tool.allCases) func `an output beyond the tolerance ends with 1`(_ tool: Tool) throws {
    try write([16, 0])
    #expect(
      try tool.run("check model.eri", in: folder)
        == Tool.Outcome(
          "golden 0 (by hand): y/scaled: largest difference 0.109375 of the largest value 16.0, allowed 1e-05: different\n",
          status: 1))
  }

  @Test(arguments: Tool.allCases) func `a file without goldens cannot be checked`(_ tool: Tool) throws {
    try SmallModel.write(to: folder)
    #expect(
      try tool.run("check model.eri", in: folder)
        == Tool.Outcome(
          errors: "\(tool.rawValue): model.eri: expected goldens to compare with, found none; check another file\n",
          status: 3))
  }
}
