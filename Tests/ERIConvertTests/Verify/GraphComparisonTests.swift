import ERIConvert
import ERIFormat
import ERINetworks
import ERITestSupport
import Testing

/// The narrow network against itself with one thing changed.
@Suite struct GraphComparisonTests {
  private static let network = Result { try Network.dualBranch(narrowParameters()).initialised(seed: 7) }

  private func compare(
    policy: VerifyPolicy = .fp32, _ change: (inout Model) throws -> Void
  ) throws -> GraphComparison {
    let folder = try TemporaryFolder()
    let model = try Self.network.get()
    var changed = model
    try change(&changed)
    try model.write(to: folder.path("a.eri"), level: 1)
    try changed.write(to: folder.path("b.eri"), level: 1)
    let report = try VerifyReport(
      VerifySide(reading: folder.path("a.eri")), VerifySide(reading: folder.path("b.eri")), policy: policy)
    return try #require(report.graph)
  }

  /// The node that computes a value, and its number.
  private func node(_ model: Model, _ name: String) throws -> Int {
    let graph = try #require(model.graph)
    let value = try #require(graph.values.firstIndex { $0.name == name })
    return try #require(graph.nodes.firstIndex { $0.outputs == [value] })
  }

  private func change(_ model: inout Model, tensor name: String, _ change: ([Float], [Int]) -> [Float]) throws {
    let index = try #require(model.tensors.firstIndex { $0.name == name })
    let tensor = model.tensors[index]
    model.tensors[index] = Tensor(
      name, tensor.shape, role: tensor.role, floats: change(try SmallStateDict.floats(tensor), tensor.shape))
  }

  /// The first value of the network whose operator passes a test.
  private func first(_ model: Model, _ test: (Operator) -> Bool) throws -> (name: String, node: Int) {
    let graph = try #require(model.graph)
    let node = try #require(graph.nodes.firstIndex { test($0.op) })
    return (graph.values[graph.nodes[node].outputs[0]].name, node)
  }

  @Test func `Equal networks agree in every value`() throws {
    let comparison = try compare { _ in }
    #expect(comparison.divergence == nil)
    #expect(comparison.differences == [])
    #expect(comparison.rows.allSatisfy { $0.isolated == 0 && $0.cumulative == 0 })
    #expect(comparison.rows.count == comparison.rows.filter { $0.isolatedErrorB != nil }.count)
    #expect(comparison.rows.count == 197)
  }

  @Test func `Every operator stays within its tolerance of the Double run`() throws {
    let comparison = try compare { _ in }
    for row in comparison.rows {
      #expect((row.isolatedErrorB ?? .infinity) <= row.allowed, "\(row.place)")
      #expect((row.cumulativeErrorB ?? .infinity) <= row.cumulativeAllowed, "\(row.place)")
    }
  }

  @Test func `Another epsilon is found at its operator`() throws {
    var name = ""
    let comparison = try compare { model in
      let found = try first(model) { if case .layerNorm = $0 { true } else { false } }
      name = found.name
      model.graph?.nodes[found.node].op = .layerNorm(LayerNorm(epsilon: 1e-3))
    }
    let divergence = try #require(comparison.divergence)
    #expect(divergence.row.name == name)
    #expect(divergence.causes.first == Cause(kind: .epsilon, sentence: "epsilon is 0.001 in B, 1e-05 in A"))
    #expect(divergence.judgement.hasPrefix("the graphs ask for different results, in Double they lie "))
  }

  @Test func `An epsilon that changes less than the operator may round is found all the same`() throws {
    let comparison = try compare { model in
      let found = try first(model) { if case .batchNorm = $0 { true } else { false } }
      model.graph?.nodes[found.node].op = .batchNorm(BatchNorm(epsilon: 1.2e-5))
    }
    #expect(comparison.divergence?.causes.first?.kind == .epsilon)
    #expect(comparison.attributes.count == 1)
  }

  @Test func `The other form of GELU is found at its operator`() throws {
    var name = ""
    let comparison = try compare { model in
      let found = try first(model) { $0 == .unary(Unary(.gelu)) }
      name = found.name
      model.graph?.nodes[found.node].op = .unary(Unary(.geluTanh))
    }
    #expect(comparison.divergence?.row.name == name)
    #expect(
      comparison.divergence?.causes.first
        == Cause(kind: .gelu, sentence: "B computes GELU in the form gelu_tanh, A in gelu"))
  }

  @Test func `A transposed kernel is found at its convolution`() throws {
    let comparison = try compare { model in
      try change(&model, tensor: "video.backbone.layer1.0.conv1.weight") { values, shape in
        values.indices.map { index in
          let plane = shape[2] * shape[3]
          let (o, i, rest) = (index / plane / shape[1], index / plane % shape[1], index % plane)
          return values[(i * shape[1] + o) * plane + rest]
        }
      }
    }
    #expect(comparison.divergence?.row.name == "video.backbone.layer1.0.conv1.out")
    #expect(
      comparison.divergence?.causes.first
        == Cause(
          kind: .transposed,
          sentence: "the weight \"video.backbone.layer1.0.conv1.weight\" is stored with its axes as [1, 0, 2, 3]"))
  }

  @Test func `Blue for red is found at the first convolution`() throws {
    let comparison = try compare { model in
      try change(&model, tensor: "video.backbone.conv1.weight") { values, shape in
        values.indices.map { index in
          let plane = shape[2] * shape[3]
          return values[index + (2 - 2 * (index / plane % 3)) * plane]
        }
      }
    }
    #expect(comparison.divergence?.row.name == "video.backbone.conv1.out")
    #expect(
      comparison.divergence?.causes.first
        == Cause(
          kind: .channels,
          sentence: "the input channels of \"video.backbone.conv1.weight\" are in reverse: RGB against BGR"))
  }

  @Test func `Padding on the other side is found at its convolution`() throws {
    var name = ""
    let comparison = try compare { model in
      let found = try first(model) { if case .conv(let conv) = $0 { conv.padsBegin != conv.padsEnd } else { false } }
      name = found.name
      guard case .conv(var conv)? = model.graph?.nodes[found.node].op else { return }
      (conv.padsBegin, conv.padsEnd) = (conv.padsEnd, conv.padsBegin)
      model.graph?.nodes[found.node].op = .conv(conv)
    }
    #expect(comparison.divergence?.row.name == name)
    #expect(comparison.divergence?.causes.first?.kind == .padding)
  }

  @Test func `Mean and deviation folded into the first convolution are found`() throws {
    let comparison = try compare { model in
      let mean: [Float] = [0.485, 0.456, 0.406]
      let deviation: [Float] = [0.229, 0.224, 0.225]
      let graph = try #require(model.graph)
      let node = try self.node(model, "video.backbone.conv1.out")
      let tensor = try #require(model.tensors.first { $0.name == "video.backbone.conv1.weight" })
      let values = try SmallStateDict.floats(tensor)
      let plane = tensor.shape[2] * tensor.shape[3]
      let bias = (0..<tensor.shape[0]).map { output -> Float in
        var sum: Float = 0
        for rest in 0..<3 * plane {
          sum -= values[output * 3 * plane + rest] * mean[rest / plane] / deviation[rest / plane]
        }
        return sum
      }
      try change(&model, tensor: tensor.name) { values, _ in
        values.indices.map { values[$0] / deviation[$0 / plane % 3] }
      }
      model.tensors.append(Tensor("video.backbone.conv1.bias", [tensor.shape[0]], floats: bias))
      model.graph?.values.append(Value("video.backbone.conv1.bias", .tensor(model.tensors.count - 1)))
      model.graph?.nodes[node].inputs.append(graph.values.count)
    }
    #expect(comparison.divergence?.row.name == "video.backbone.conv1.out")
    #expect(comparison.divergence?.causes.first?.kind == .normalisation)
    #expect(
      comparison.divergence?.causes.first?.sentence.hasPrefix(
        "B takes pixels of 0…1, as when mean and deviation (ImageNet's) are folded into its weights") == true)
  }

  @Test func `Another weight without a pattern is named as that`() throws {
    let comparison = try compare { model in
      try change(&model, tensor: "video.backbone.conv1.weight") { values, _ in
        values.enumerated().map { $0 % 7 == 0 ? $1 * 1.5 : $1 }
      }
    }
    #expect(
      comparison.divergence?.causes
        == [
          Cause(
            kind: .weights,
            sentence: "the values of \"video.backbone.conv1.weight\" are others; with A's the difference vanishes")
        ])
  }

  @Test func `Another stride is an attribute`() throws {
    let comparison = try compare { model in
      let node = try self.node(model, "video.backbone.layer1.0.conv1.out")
      guard case .conv(var conv)? = model.graph?.nodes[node].op else { return }
      conv.dilations = [2, 2]
      conv.padsBegin = [2, 2]
      conv.padsEnd = [2, 2]
      model.graph?.nodes[node].op = .conv(conv)
    }
    #expect(comparison.divergence?.row.name == "video.backbone.layer1.0.conv1.out")
    #expect(
      comparison.divergence?.causes.first
        == Cause(
          kind: .attributes,
          sentence:
            "attributes differ: dilations [1, 1] in A, [2, 2] in B, pads begin [1, 1] in A, [2, 2] in B, pads end "
            + "[1, 1] in A, [2, 2] in B"))
  }

  @Test func `Rounding to bfloat16 is different in float32 and allowed for 8-bit integers`() throws {
    func rounded(_ model: inout Model) throws {
      for tensor in model.tensors where tensor.role == .weight {
        try change(&model, tensor: tensor.name) { values, _ in SmallStateDict.bfloat16(values) }
      }
    }
    #expect(try compare(rounded).differences.count == 2)
    #expect(try compare(policy: .int8, rounded).differences == [])
  }

  @Test func `The slice computes what the operator computed, and its golden is A's result`() throws {
    let comparison = try compare { model in
      let found = try first(model) { $0 == .unary(Unary(.gelu)) }
      model.graph?.nodes[found.node].op = .unary(Unary(.geluTanh))
    }
    let slice = try #require(comparison.divergence?.slice)
    #expect(slice.nodeCount == 1)
    #expect(slice.inputs.count == 1)
    #expect(slice.model.goldens.count == 1)
    #expect(slice.model.goldens.first?.inputs.map { $0.name } == slice.inputs.map { $0.name })
    _ = try Program(validating: slice.model)
  }

  @Test func `Renamed values are compared under their renaming`() throws {
    let comparison = try compare { model in
      func renamed(_ name: String) -> String {
        name.hasPrefix("video.backbone.layer2") ? "video.backbone.block" + name.dropFirst(21) : name
      }
      for index in model.tensors.indices { model.tensors[index].name = renamed(model.tensors[index].name) }
      var graph = try #require(model.graph)
      for index in graph.values.indices { graph.values[index].name = renamed(graph.values[index].name) }
      model.graph = graph
    }
    #expect(comparison.rows.count == 197)
    #expect(comparison.differences == [])
  }

  @Test func `A tolerance grows with the square root of the reduction's length`() throws {
    let comparison = try compare { _ in }
    let product = try #require(comparison.rows.first { $0.name == "video.backbone.conv1.out" })
    // 8 (√(3 · 7 · 7) + 4) u.
    #expect(product.allowed == 8 * (147.0.squareRoot() + 4) * Tolerance.unit)
  }
}
