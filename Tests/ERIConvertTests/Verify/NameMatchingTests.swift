import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

@Suite struct NameMatchingTests {
  private func compare(_ a: [Tensor], _ b: [Tensor]) throws -> WeightComparison {
    let sides = [a, b].map { tensors in
      Checkpoint(.safetensors, path: "x", entries: tensors.map { Checkpoint.Entry($0, dtypeName: "F32") })
    }
    return try WeightComparison(sides[0], sides[1])
  }

  private func renamed(_ change: (String) -> String) throws -> [String] {
    let tensors = SmallStateDict.tensors()
    let others = tensors.map { tensor in
      var tensor = tensor
      tensor.name = change(tensor.name)
      return tensor
    }
    let comparison = try compare(tensors, others)
    #expect(comparison.onlyA.isEmpty)
    #expect(comparison.onlyB.isEmpty)
    return comparison.renamed.map { $0.sentence }
  }

  @Test func `A renamed block is one renaming`() throws {
    #expect(
      try renamed { $0.hasPrefix("layer2") ? "layerB" + $0.dropFirst(6) : $0 }
        == ["layer2.0.* is layerB.0.* under another name, 5 tensors, values bit-equal"])
  }

  @Test func `A prefix of all names is one renaming`() throws {
    #expect(try renamed { "module.\($0)" } == ["* is module.* under another name, 13 tensors, values bit-equal"])
  }

  @Test func `Another last part of several names is one renaming`() throws {
    #expect(
      try renamed { $0.hasSuffix("bn.weight") ? $0.dropLast(6) + "gamma" : $0 }
        == ["*.weight is *.gamma under another name, 2 tensors, values bit-equal"])
  }

  @Test func `A single tensor is renamed by its values alone`() throws {
    #expect(
      try renamed { $0 == "fc.bias" ? "head" : $0 } == ["fc.bias is head under another name, values bit-equal"])
  }

  @Test func `A renamed block with a changed tensor is still that block`() throws {
    let tensors = SmallStateDict.tensors()
    let others = try SmallStateDict.tensors(changing: "layer2.0.bn.bias") { $0.map { $0 + 1 } }.map { tensor in
      var tensor = tensor
      if tensor.name.hasPrefix("layer2") { tensor.name = "layerB" + tensor.name.dropFirst(6) }
      return tensor
    }
    let comparison = try compare(tensors, others)
    #expect(
      comparison.renamed.map { $0.sentence }
        == ["layer2.0.* is layerB.0.* under another name, 5 tensors, 4 of 5 bit-equal"])
    #expect(
      comparison.pairs.filter { $0.verdict == .different }.map { $0.name } == ["layer2.0.bn.bias = layerB.0.bn.bias"])
  }

  @Test func `A renamed block that was trained further is found by its shapes`() throws {
    let others = try SmallStateDict.tensors().map { tensor in
      guard tensor.name.hasPrefix("layer2") else { return tensor }
      return Tensor(
        "layerB" + tensor.name.dropFirst(6), tensor.shape, floats: try SmallStateDict.floats(tensor).map { $0 + 0.5 })
    }
    #expect(
      try compare(SmallStateDict.tensors(), others).renamed.map { $0.sentence }
        == ["layer2.0.* is layerB.0.* under another name, 5 tensors, 0 of 5 bit-equal"])
  }

  @Test func `A prefix shows even where no value is the same`() throws {
    let tensors = SmallStateDict.tensors()
    let others = try tensors.map { tensor in
      Tensor("net.\(tensor.name)", tensor.shape, floats: try SmallStateDict.floats(tensor).map { $0 * 3 })
    }
    let comparison = try compare(tensors, others)
    #expect(
      comparison.renamed.map { $0.sentence } == ["* is net.* under another name, 13 tensors, 0 of 13 bit-equal"])
  }

  @Test func `What has no counterpart is listed on its side`() throws {
    let comparison = try compare(
      [Tensor("a", [1], floats: [1]), Tensor("b", [1], floats: [2])],
      [Tensor("a", [1], floats: [1]), Tensor("c", [2], floats: [3, 4])])
    #expect(comparison.onlyA.map { $0.tensor.name } == ["b"])
    #expect(comparison.onlyB.map { $0.tensor.name } == ["c"])
  }

  @Test func `A map of names is applied to A before anything is compared`() throws {
    let a = Checkpoint(
      .npz, path: "x", entries: [Checkpoint.Entry(Tensor("gamma", [1], floats: [1]), dtypeName: "float32")])
    let b = Checkpoint(
      .npz, path: "y", entries: [Checkpoint.Entry(Tensor("weight", [1], floats: [1]), dtypeName: "float32")])
    let comparison = try WeightComparison(a, b) { (side) throws(FormatError) in
      var side = side
      for index in side.entries.indices { side.entries[index].tensor.name = "weight" }
      return side
    }
    #expect(comparison.isSame(under: .sameWeights))
  }

  @Test func `Optimiser state is left out, and that is said`() throws {
    let state = Tensor("moment1.w", [1], role: .optimizerState, floats: [1])
    let comparison = try compare([Tensor("w", [1], floats: [1]), state], [Tensor("w", [1], floats: [1])])
    #expect(comparison.isSame(under: .sameWeights))
    #expect(comparison.notes == ["1 tensor of optimiser state of A not compared"])
  }
}
