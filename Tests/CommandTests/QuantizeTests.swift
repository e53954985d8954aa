import ERIFormat
import ERITestSupport
import Foundation
import Testing

/// A narrow sound network, quantised with drawn rows.
@Suite struct QuantizeTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let outcome = try Tool.eri.run(
      "init audio-branch float.eri --seed 3 --set temporal.width=16 --set temporal.blocks=1 --set temporal.feed_forward=32 "
        + "--set temporal.levels=2 --set sound.coefficients=6 --set sound.stack=4 --set steps=8", in: folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    try FileManager.default.createDirectory(atPath: folder.path("rows"), withIntermediateDirectories: true)
    try SmallModel.array(
      "rows/audio.npy", [12, 8, 24], SeededRandom.deviates(12 * 8 * 24, seed: 5, stream: "rows"), to: folder)
  }

  private func quantize(_ words: String = "") throws -> Tool.Outcome {
    try Tool.eri.run("quantize float.eri int8.eri --calibrate rows \(words)", in: folder)
  }

  @Test func `layers get 8-bit weights and inputs, and the report names each`() throws {
    let outcome = try quantize("--report report.json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let model = try Model(reading: folder.path("int8.eri"))
    let weights = model.tensors.filter { $0.quantization != nil }
    #expect(!weights.isEmpty && weights.allSatisfy { $0.dtype == .i8 && $0.quantization?.minimum == -127 })
    let values = try #require(model.graph).values.compactMap { $0.quantization }
    #expect(!values.isEmpty && values.allSatisfy { $0.stored == .u8 && $0.scales.count == 1 })
    let report = try object(String(contentsOfFile: folder.path("report.json"), encoding: .utf8))
    let layers = try #require(report["layers"] as? [[String: Any]])
    #expect(layers.count == weights.count)
    for layer in layers {
      #expect(outcome.output.contains(try #require(layer["name"] as? String)))
      #expect(try #require(layer["sqnr_db"] as? Double) > 20)
    }
    #expect(try #require(report["pearson"] as? Double) > 0.99)
  }

  @Test func `the lineage tells what was chosen, and norms worked into weights are said`() throws {
    let outcome = try quantize()
    #expect(outcome.errors.contains("float.eri: 4 weight norms worked into their weights: .g and .v became .weight"))
    let lineage = try Model(reading: folder.path("int8.eri")).lineage
    let step = try #require(lineage.first { $0.action == "quantize" })
    #expect(step.detail.contains("activations per tensor by mse over 12 samples"))
    #expect(step.detail.contains("weight norms worked into their weights"))
  }

  @Test(arguments: Tool.allCases) func `both tools check and compute a quantized file`(_ tool: Tool) throws {
    _ = try quantize()
    let check = try tool.run("check int8.eri", in: folder)
    #expect(check.status == 0, "\(check.output)\(check.errors)")
    for model in ["float", "int8"] {
      let run = try tool.run("exec \(model).eri --input audio=rows/audio.npy --output-dir \(model)", in: folder)
      #expect(run.status == 0, "\(run.errors)")
    }
    let float = try SmallModel.read(folder.path("float/intensities.npy")).values
    let integer = try SmallModel.read(folder.path("int8/intensities.npy")).values
    let largest = zip(float, integer).map { ($0 - $1).magnitude }.max() ?? .infinity
    #expect(float != integer && largest < 0.05)
  }

  @Test(arguments: [
    "inspect int8.eri", "id int8.eri", "verify int8.eri int8.eri", "compat int8.eri", "unpack int8.eri b.eri",
  ])
  func `a quantized file is a file like any other`(words: String) throws {
    _ = try quantize()
    let outcome = try Tool.eri.run(words, in: folder)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
  }

  @Test func `weights of 7 bits stay within 63 where products are summed and the lineage says so`() throws {
    let outcome = try quantize("--bits 7")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let model = try Model(reading: folder.path("int8.eri"))
    let linears = model.tensors.filter { $0.quantization != nil && $0.shape.count == 2 }
    #expect(
      !linears.isEmpty && linears.allSatisfy { $0.quantization?.minimum == -63 && $0.quantization?.maximum == 63 })
    #expect(model.lineage.contains { $0.detail.contains("7 bits where products are summed, 8 elsewhere") })
    #expect(try Tool.eri.run("check int8.eri", in: folder).status == 0)
  }

  @Test func `what is read with 7 bits has steps twice as large and codes beyond 127 for larger numbers`() throws {
    _ = try quantize("--method minmax")
    let eight = try Model(reading: folder.path("int8.eri"))
    _ = try quantize("--method minmax --bits 7")
    let seven = try Model(reading: folder.path("int8.eri"))
    let pairs = zip(eight.graph?.values ?? [], seven.graph?.values ?? []).compactMap { pair in
      pair.0.quantization.flatMap { first in pair.1.quantization.map { (first, $0) } }
    }
    let ratios = pairs.map { Double($0.1.scales[0]) / Double($0.0.scales[0]) }
    #expect(ratios.contains { $0 > 1.9 } && ratios.allSatisfy { abs($0 - 255.0 / 127) < 0.01 || abs($0 - 1) < 0.1 })
    let doubled = zip(pairs, ratios).filter { $0.1 > 1.9 }.map { $0.0.1 }
    #expect(doubled.allSatisfy { $0.maximum == 255 && ($0.zeroPoints.first ?? 0) <= 127 })
  }

  @Test(arguments: ["minmax", "percentile", "mse", "entropy"]) func `every method keeps the outputs close`(
    method: String
  ) throws {
    let outcome = try quantize("--method \(method) --report report.json --bias-correction")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try object(String(contentsOfFile: folder.path("report.json"), encoding: .utf8))
    #expect(report["method"] as? String == method)
    #expect(try #require(report["pearson"] as? Double) > 0.98)
  }

  @Test func `the same command writes the same file whatever the number of threads`() throws {
    _ = try quantize("--threads 1")
    let one = try folder.bytes("int8.eri")
    _ = try quantize("--threads 3")
    #expect(try folder.bytes("int8.eri") == one)
  }

  @Test func `excluded layers stay in float32`() throws {
    let outcome = try quantize("--exclude audio.temporal")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let model = try Model(reading: folder.path("int8.eri"))
    let names = model.tensors.filter { $0.quantization != nil }.map { $0.name }
    #expect(!names.contains { $0.hasPrefix("audio.temporal.") })
    #expect(outcome.output.contains("float32: excluded"))
  }

  @Test func `a drop of nothing keeps layers in float32 until nothing is lost`() throws {
    let outcome = try quantize("--max-drop 0")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("float32: kept: the outputs lose most by it"))
  }

  @Test func `an excluded layer that does not exist is refused with those that do`() throws {
    let outcome = try quantize("--exclude nowhere")
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("eri: float.eri: --exclude: expected a layer among "))
    #expect(outcome.errors.hasSuffix(", found \"nowhere\"\n"))
  }

  @Test func `a quantized file is not quantized again`() throws {
    _ = try quantize()
    let outcome = try Tool.eri.run("quantize int8.eri b.eri --calibrate rows", in: folder)
    #expect(
      outcome
        == Tool.Outcome(
          errors:
            "eri: int8.eri: expected a float32 model, found a quantized one; quantize the model that it came from\n",
          status: 3))
  }

  @Test func `tensors alone are refused`() throws {
    var model = Model()
    model.tensors = [Tensor("w", [1], floats: [1])]
    _ = try model.write(to: folder.path("tensors.eri"))
    let outcome = try Tool.eri.run("quantize tensors.eri b.eri --calibrate rows", in: folder)
    #expect(outcome.status == 3)
  }

  @Test func `a folder of nothing to calibrate with is refused`() throws {
    try FileManager.default.createDirectory(atPath: folder.path("empty"), withIntermediateDirectories: true)
    let outcome = try Tool.eri.run("quantize float.eri b.eri --calibrate empty", in: folder)
    #expect(
      outcome
        == Tool.Outcome(errors: "eri: empty: expected clips in the folder, found no file\n", status: 2))
  }

  @Test func `other containers have no place for the scales`() throws {
    _ = try quantize()
    let outcome = try Tool.eri.run("convert int8.eri b.safetensors", in: folder)
    #expect(outcome.status == 3)
    #expect(outcome.errors.contains("expected values that mean themselves, found quantized ones"))
  }
}
