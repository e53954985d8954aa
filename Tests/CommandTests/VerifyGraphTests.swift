import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

/// The frozen narrow network against itself with one thing changed.
@Suite struct VerifyGraphTests {
  /// One change of the network, the operator that it shows at and what is to be said of it.
  struct Change: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let op: String
    let kind: String
    let cause: String
    let apply: @Sendable (inout Model) throws -> Void
  }

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func replace(_ model: inout Model, _ new: (Operator) -> Operator?) {
    guard let graph = model.graph else { return }
    for (index, node) in graph.nodes.enumerated() {
      guard let op = new(node.op) else { continue }
      model.graph?.nodes[index].op = op
      return
    }
  }

  private static func replace(_ model: inout Model, tensor name: String, _ place: (Int, [Int]) -> Int) throws {
    guard let index = model.tensors.firstIndex(where: { $0.name == name }) else { return }
    let tensor = model.tensors[index]
    let values = try SmallStateDict.floats(tensor)
    model.tensors[index] = Tensor(
      name, tensor.shape, floats: values.indices.map { values[place($0, tensor.shape)] })
  }

  static let changes = [
    Change(
      testDescription: "epsilon", op: "layer_norm", kind: "epsilon", cause: "epsilon is 0.001 in B, 1e-05 in A"
    ) { model in
      replace(&model) { if case .layerNorm = $0 { .layerNorm(LayerNorm(epsilon: 1e-3)) } else { nil } }
    },
    Change(
      testDescription: "GELU form", op: "unary", kind: "GELU form",
      cause: "B computes GELU in the form gelu_tanh, A in gelu"
    ) { model in
      replace(&model) { $0 == .unary(Unary(.gelu)) ? .unary(Unary(.geluTanh)) : nil }
    },
    Change(
      testDescription: "transposed kernel", op: "conv", kind: "transposed weight",
      cause: "the weight \"video.backbone.layer1.0.conv1.weight\" is stored with its axes as [1, 0, 2, 3]"
    ) { model in
      try replace(&model, tensor: "video.backbone.layer1.0.conv1.weight") { index, shape in
        let plane = shape[2] * shape[3]
        return (index / plane % shape[1] * shape[1] + index / plane / shape[1]) * plane + index % plane
      }
    },
    Change(
      testDescription: "BGR", op: "conv", kind: "channel order",
      cause: "the input channels of \"video.backbone.conv1.weight\" are in reverse: RGB against BGR"
    ) { model in
      try replace(&model, tensor: "video.backbone.conv1.weight") { index, shape in
        let plane = shape[2] * shape[3]
        return index + (2 - 2 * (index / plane % 3)) * plane
      }
    },
    Change(
      testDescription: "padding side", op: "conv", kind: "padding side",
      cause: "the padding is on the other side: [0] at the beginning and [2] at the end in B, the other way round in A"
    ) { model in
      replace(&model) { op in
        guard case .conv(var conv) = op, conv.padsBegin != conv.padsEnd else { return nil }
        (conv.padsBegin, conv.padsEnd) = (conv.padsEnd, conv.padsBegin)
        return .conv(conv)
      }
    },
  ]

  /// Writes a.eri, the frozen network, and b.eri, the changed one.
  private func write(_ change: (inout Model) throws -> Void) throws {
    let model = try Model(reading: Checkout.path("Tests/Golden/v1/narrow-dual-branch.eri"))
    try model.write(to: folder.path("a.eri"), level: 1)
    var changed = model
    try change(&changed)
    try changed.write(to: folder.path("b.eri"), level: 1)
  }

  private func divergence(_ outcome: Tool.Outcome) throws -> (
    op: String, value: String, causes: [[String: Any]], isolated: Double
  ) {
    let graph = try #require(try object(outcome.output)["graph"] as? [String: Any])
    let found = try #require(graph["first_divergent"] as? [String: Any])
    let value = try #require(found["value"] as? String)
    let rows = try #require(graph["values"] as? [[String: Any]])
    let row = try #require(rows.first { $0["name"] as? String == value })
    return (
      try #require(found["operator"] as? String), value, try #require(found["causes"] as? [[String: Any]]),
      try #require(row["isolated"] as? Double)
    )
  }

  @Test(arguments: changes) func `the first divergent operator and the cause are named`(_ change: Change) throws {
    try write(change.apply)
    let outcome = try Tool.eri.run("verify a.eri b.eri", in: folder)
    #expect(outcome.status == 1)
    let lines = outcome.output.split(separator: "\n").map { String($0) }
    let place = try #require(lines.first { $0.hasPrefix("  first divergent operator: node ") })
    #expect(place.contains(" (\(change.op) "))
    #expect(lines.contains("    cause: \(change.cause)"))
    #expect(lines.last?.hasPrefix("different under fp32: ") == true)
  }

  @Test(arguments: changes) func `the saved slice shows the difference by itself`(_ change: Change) throws {
    try write(change.apply)
    let outcome = try Tool.eri.run("verify a.eri b.eri --json --save-slice slice", in: folder)
    #expect(outcome.status == 1)
    let found = try divergence(outcome)
    #expect(found.causes.first?["kind"] as? String == change.kind)
    // The command that is said to run it runs it.
    let marker = "run it with: eri "
    let line = try #require(outcome.errors.split(separator: "\n").first { $0.contains(marker) })
    let words = try #require(line.range(of: marker).map { String(line[$0.upperBound...]) })
    #expect(try Tool.eri.run(words, in: folder).status == 0)
    let slice = try Model(reading: folder.path("slice/slice.eri"))
    #expect(slice.graph?.nodes.count == 1)
    let expected = try #require(slice.goldens.first?.outputs.first)
    let wanted = expected.bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map { Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
    }
    let computed = try SmallModel.read(folder.path("slice/out/\(found.value).npy"))
    #expect(computed.shape == expected.shape)
    let difference = relativeDifference(computed.values, wanted)
    // The slice is the item of the batch with the largest difference, whose largest value may be smaller than the batch's.
    #expect(difference >= found.isolated - Tolerance.winograd.bound)
    #expect(computed.shape.first == 1)
    #expect(difference > slice.goldens[0].tolerance)
    #expect(try Tool.eri.run("check slice/slice.eri", in: folder).status == 1)
  }

  @Test func `equal models are the same, and nothing is saved`() throws {
    try write { _ in }
    let outcome = try Tool.eri.run("verify a.eri b.eri --save-slice slice", in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.output.hasSuffix("\nthe same under fp32\n"))
    #expect(outcome.errors == "slice: no operator diverges, so there is no slice to save\n")
    #expect(try folder.entries() == ["a.eri", "b.eri"])
  }

  @Test func `given inputs are used, and a missing one is an error`() throws {
    try SmallModel.write(to: folder)
    try SmallModel.array("x.npy", [2, 3], [1, 2, 3, 4, 5, 6], to: folder)
    let outcome = try Tool.eri.run("verify model.eri model.eri --inputs .", in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("\ngraph: 3 values compared on x [2, 3]\n"))
    let missing = try Tool.eri.run("verify model.eri model.eri --inputs nowhere", in: folder)
    #expect(
      missing == Tool.Outcome(errors: "eri: nowhere/x.npy: cannot be read: No such file or directory\n", status: 2))
  }

  @Test func `the seed decides the inputs`() throws {
    try write(Self.changes[0].apply)
    let outcomes = try ["", "--seed 0", "--seed 1"].map { seed in
      try divergence(Tool.eri.run("verify a.eri b.eri --json \(seed)", in: folder)).isolated
    }
    #expect(outcomes[0] == outcomes[1])
    #expect(outcomes[0] != outcomes[2])
  }

  @Test func `same-weights asks for weights alone, and says so`() throws {
    try write(Self.changes[0].apply)
    let outcome = try Tool.eri.run("verify a.eri b.eri --policy same-weights", in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("note: what the graphs compute was not compared under same-weights\n"))
  }

  @Test func `a model against its weights alone compares weights, and says so`() throws {
    try write { _ in }
    _ = try Tool.eri.run("convert a.eri w.safetensors", in: folder)
    let outcome = try Tool.eri.run("verify a.eri w.safetensors", in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("note: only A has a graph, so what it computes was not compared\n"))
  }
}
