import ERIFormat
import ERINetworks
import ERITestSupport
import Testing

@Suite struct InitialisationTests {
  private func floats(_ model: Model, _ name: String) throws -> [Float] {
    let tensor = try #require(model.tensors.first { $0.name == name })
    guard case .bytes(let bytes) = tensor.values else {
      Issue.record("expected values in memory")
      return []
    }
    return bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { Float(bitPattern: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
    }
  }

  /// FNV-1a over the values' bytes.
  private func digest(_ values: [Float]) -> UInt64 {
    values.withUnsafeBytes { $0.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 } }
  }

  private func narrow(seed: UInt64) throws -> Model {
    try Network.dualBranch(narrowParameters()).initialised(seed: seed)
  }

  @Test func `the same seed gives the same bits, another seed other ones`() throws {
    let first = try narrow(seed: 3)
    let second = try narrow(seed: 3)
    let other = try narrow(seed: 4)
    for tensor in first.tensors {
      #expect(try floats(first, tensor.name) == floats(second, tensor.name))
    }
    #expect(try floats(first, "fusion.fc.weight") != floats(other, "fusion.fc.weight"))
  }

  @Test func `two tensors of one shape draw different numbers`() throws {
    let model = try narrow(seed: 0)
    #expect(
      try floats(model, "video.temporal.blocks.0.attn.q.weight")
        != floats(model, "video.temporal.blocks.0.attn.k.weight"))
  }

  // Digests from Tests/Golden/generate/seeded.py, which draws the same numbers apart from this code.
  @Test(arguments: [
    ("video.backbone.conv1.weight", 0xb40669c32334829b as UInt64),
    ("video.spatial.pos", 0x626080f656d6daea),
    ("video.tcn.0.conv1.v", 0x5cc2af919b9b3c48),
    ("video.tcn.0.conv1.g", 0xdcf9a2d7ee1832b5),
    ("fusion.fc.bias", 0x7795a6789471aeeb),
    ("audio.temporal.positions", 0x3eade34774c9e6bd),
  ])
  func `a tensor of seed 0 keeps its bits`(name: String, expected: UInt64) throws {
    #expect(digest(try floats(narrow(seed: 0), name)) == expected)
  }

  @Test(arguments: [
    ("video.backbone.conv1.weight", 3 * 49), ("video.backbone.layer1.0.conv1.weight", 8 * 9),
    ("video.spatial.blocks.0.ffn.fc1.weight", 32), ("video.spatial.blocks.0.ffn.fc2.weight", 48),
    ("audio.tcn.0.conv1.v", 24 * 3), ("audio.tcn.0.down.weight", 24), ("fusion.proj.weight", 32),
  ])
  func `a weight is uniform within 1 over the root of its fan-in`(name: String, fanIn: Int) throws {
    let values = try floats(narrow(seed: 1), name).map(Double.init)
    let bound = 1 / Double(fanIn).squareRoot()
    // Rounding to Float may carry a value half an ulp past the bound.
    #expect(values.allSatisfy { abs($0) <= bound * (1 + 0x1p-24) })
    // Five standard errors of the mean and of the mean square (variance 4/45 of bound⁴) of a uniform variable.
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let square = values.reduce(0) { $0 + $1 * $1 } / count
    #expect(abs(mean) < 5 * bound / (3 * count).squareRoot())
    #expect(abs(square - bound * bound / 3) < 5 * bound * bound * (4 / 45 / count).squareRoot())
  }

  @Test func `a bias has the bound of its layer's weight`() throws {
    let bias = try floats(narrow(seed: 1), "video.spatial.blocks.0.ffn.fc2.bias")
    #expect(bias.allSatisfy { abs($0) <= Float(1 / 48.0.squareRoot()) } && Set(bias).count > 1)
  }

  @Test func `positions are normal with deviation 0.02`() throws {
    let model = try Network(named: "video-branch").initialised(seed: 0)
    let values = try floats(model, "video.spatial.pos").map(Double.init)
    // Five standard errors for 12,544 draws.
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let deviation = (values.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
    #expect(abs(mean) < 5 * 0.02 / count.squareRoot())
    #expect(abs(deviation - 0.02) < 5 * 0.02 / (2 * count).squareRoot())
  }

  @Test func `weight norm starts at its direction's own length`() throws {
    let model = try narrow(seed: 2)
    let g = try floats(model, "video.tcn.1.conv2.g")
    let v = try floats(model, "video.tcn.1.conv2.v")
    for (row, length) in g.enumerated() {
      let square = v[row * 48..<(row + 1) * 48].reduce(0.0) { $0 + Double($1) * Double($1) }
      #expect(length == Float(square.squareRoot()))
    }
  }

  @Test func `norms start as the identity`() throws {
    let model = try narrow(seed: 2)
    for name in ["video.backbone.bn1.weight", "video.backbone.bn1.running_var", "fusion.norm.weight"] {
      #expect(try floats(model, name).allSatisfy { $0 == 1 })
    }
    for name in ["video.backbone.bn1.bias", "video.backbone.bn1.running_mean", "fusion.norm.bias"] {
      #expect(try floats(model, name).allSatisfy { $0 == 0 })
    }
  }

  @Test func `the position table is sine and cosine at wavelengths up to the base`() throws {
    let table = try floats(narrow(seed: 0), "audio.temporal.positions")
    #expect(table.count == 8 * 16)
    #expect(table[0] == 0 && table[1] == 1)
    // Step 1: sin 1, cos 1; the last pair's frequency is 1000^(-14/16) = 0.0023713737.
    #expect(table[16] == Float(0.8414709848078965) && table[17] == Float(0.5403023058681398))
    #expect(abs(table[16 * 7 + 14] - 0.016598853) < 1e-8)
  }
}
