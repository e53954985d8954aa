import ERIFormat
import ERINetworks
import ERIReference
import ERITestSupport
import Testing

/// What the layers' definitions promise, on the narrow networks in Double.
@Suite struct NetworkInvariantTests {
  private static let video = Result {
    try ReferenceExecutor(Program(validating: Network.videoBranch(narrowVideoParameters()).initialised(seed: 21)))
  }
  private static let audio = Result {
    try ReferenceExecutor(Program(validating: Network.audioBranch(narrowAudioParameters()).initialised(seed: 21)))
  }

  private func deviates(_ name: String, _ shape: [Int]) -> ReferenceTensor {
    var random = SeededRandom(seed: 5, stream: name)
    return ReferenceTensor(shape: shape, values: (0..<shape.reduce(1, *)).map { _ in random.normal() })
  }

  private func value(
    _ executor: Result<ReferenceExecutor, any Error>, _ input: String, _ x: ReferenceTensor, _ name: String
  ) throws -> ReferenceTensor {
    try #require(try executor.get().run(inputs: [input: x])[name])
  }

  @Test func `intensities lie strictly between 0 and 1`() throws {
    let heard = try value(Self.audio, "audio", deviates("audio", [2, 8, 24]), "intensities")
    let seen = try value(Self.video, "faces", deviates("faces", [1, 8, 3, 32, 32]), "intensities")
    #expect(heard.shape == [2, 7] && heard.values.allSatisfy { $0 > 0 && $0 < 1 })
    #expect(seen.shape == [1, 7] && seen.values.allSatisfy { $0 > 0 && $0 < 1 })
  }

  @Test(arguments: [1, 4, 7]) func `a change at one step leaves the convolutions' earlier outputs as they were`(
    step: Int
  ) throws {
    let x = deviates("audio", [1, 8, 24])
    var changed = x
    for column in 0..<24 { changed.values[step * 24 + column] += 3 }
    let before = try value(Self.audio, "audio", x, "audio.tcn.out")
    let after = try value(Self.audio, "audio", changed, "audio.tcn.out")
    #expect(Array(before.values[..<(step * 16)]) == Array(after.values[..<(step * 16)]))
    #expect(Array(before.values[(step * 16)...]) != Array(after.values[(step * 16)...]))
  }

  // 2 convolutions of kernel 3 at dilations 1, 2, 4 see 2 · 2 · (1 + 2 + 4) + 1 = 29 steps; one each sees 15.
  @Test(arguments: [(2, 29), (1, 15)]) func `an impulse is heard as long as the receptive field and no longer`(
    convolutions: Int, length: Int
  ) throws {
    var parameters = narrowAudioParameters()
    parameters.reaction.steps = 40
    parameters.temporal.convolutionsPerBlock = convolutions
    let executor = Result {
      try ReferenceExecutor(Program(validating: Network.audioBranch(parameters).initialised(seed: 21)))
    }
    let silence = ReferenceTensor(shape: [1, 40, 24], repeating: 0)
    var impulse = silence
    for column in 0..<24 { impulse.values[column] = 100 }
    let quiet = try value(executor, "audio", silence, "audio.tcn.out")
    let heard = try value(executor, "audio", impulse, "audio.tcn.out")
    let steps = (0..<40).filter { step in
      heard.values[(step * 16)..<(step * 16 + 16)] != quiet.values[(step * 16)..<(step * 16 + 16)]
    }
    #expect(steps == Array(0..<length))
  }

  @Test func `attention over the steps is not causal`() throws {
    let x = deviates("audio", [1, 8, 24])
    var changed = x
    for column in 0..<24 { changed.values[7 * 24 + column] += 3 }
    let before = try value(Self.audio, "audio", x, "audio.temporal.norm.out")
    let after = try value(Self.audio, "audio", changed, "audio.temporal.norm.out")
    #expect(before.values[0] != after.values[0])
  }

  @Test func `a clip's intensities do not depend on the others in its batch`() throws {
    let x = deviates("audio", [2, 8, 24])
    let both = try value(Self.audio, "audio", x, "intensities")
    let second = ReferenceTensor(shape: [1, 8, 24], values: Array(x.values[(8 * 24)...]))
    #expect(try value(Self.audio, "audio", second, "intensities").values == Array(both.values[7...]))
  }

  /// A pool alone, with weights drawn from a seed.
  private func pool(_ x: ReferenceTensor) throws -> ReferenceTensor {
    let width = x.shape[2]
    var builder = GraphBuilder(symbols: [])
    let value = builder.input("x", ValueType(.f32, constant: x.shape))
    let weight = builder.tensor(Tensor("weight", [1, width], floats: deviates("w", [width]).values.map { Float($0) }))
    let bias = builder.tensor(Tensor("bias", [1], floats: [0.5]))
    builder.output(try builder.apply(.attentionPool(AttentionPool()), [value, weight, bias], name: "y"))
    var model = Model()
    model.graph = builder.graph
    model.tensors = builder.tensors
    return try #require(try ReferenceExecutor(Program(validating: model)).run(inputs: ["x": x])["y"])
  }

  // Weights that sum to 1 give back what all elements share; differences are Double's rounding of 9 terms.
  @Test func `a pool's weights sum to 1`() throws {
    let row = deviates("row", [6]).values
    let y = try pool(ReferenceTensor(shape: [1, 9, 6], values: (0..<9).flatMap { _ in row }))
    #expect(zip(y.values, row).allSatisfy { abs($0 - $1) < 1e-14 })
  }

  @Test func `a pool stays within its elements' range`() throws {
    let x = deviates("x", [1, 9, 6])
    let y = try pool(x)
    for column in 0..<6 {
      let values = stride(from: column, to: 54, by: 6).map { x.values[$0] }
      #expect(y.values[column] > values.min() ?? 0 && y.values[column] < values.max() ?? 0)
    }
  }

  @Test func `a pool does not see the order of its elements`() throws {
    let x = deviates("x", [1, 9, 6])
    let order = [3, 8, 0, 5, 1, 7, 2, 6, 4]
    let permuted = ReferenceTensor(
      shape: x.shape, values: order.flatMap { x.values[($0 * 6)..<($0 * 6 + 6)] })
    let difference = zip(try pool(x).values, try pool(permuted).values).map { abs($0 - $1) }.max() ?? 1
    // Sums of 9 terms in another order.
    #expect(difference < 1e-14)
  }

  /// Values of the narrow video network whose spatial positions are permuted with the pixels' tokens, or dropped.
  private func spatialVectors(positions: [Float], tokens: [Int]) throws -> [Double] {
    // A graph of the spatial encoder alone: tokens [8, 4, 32] plus positions through the blocks and the pool.
    let model = try Network.videoBranch(narrowVideoParameters()).initialised(seed: 21)
    let stem = try value(Self.video, "faces", deviates("faces", [1, 8, 3, 32, 32]), "video.spatial.tokens")
    var builder = GraphBuilder(symbols: [])
    var values: [String: Int] = [:]
    values["video.spatial.tokens"] = builder.input("video.spatial.tokens", ValueType(.f32, constant: stem.shape))
    for tensor in model.tensors where tensor.name.hasPrefix("video.spatial.") || tensor.name.hasPrefix("video.pool.") {
      let tensor = tensor.name == "video.spatial.pos" ? Tensor(tensor.name, tensor.shape, floats: positions) : tensor
      values[tensor.name] = builder.tensor(tensor)
    }
    let graph = try #require(model.graph)
    for node in graph.nodes {
      let inputs = node.inputs.map { $0.flatMap { values[graph.values[$0].name] } }
      let name = graph.values[node.outputs[0]].name
      guard values[name] == nil, !inputs.contains(nil) else { continue }
      values[name] = try builder.apply(node.op, inputs, name: name)
      if name == "video.pool.out" { break }
    }
    builder.output(try #require(values["video.pool.out"]))
    var part = Model()
    part.graph = builder.graph
    part.tensors = builder.tensors
    var permuted = stem
    for frame in 0..<8 {
      for (place, token) in tokens.enumerated() {
        for column in 0..<32 {
          permuted.values[(frame * 4 + place) * 32 + column] = stem.values[(frame * 4 + token) * 32 + column]
        }
      }
    }
    let result = try ReferenceExecutor(Program(validating: part)).run(inputs: ["video.spatial.tokens": permuted])
    return try #require(result["video.pool.out"]).values
  }

  private func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
  }

  // 1e-12: Double's rounding over two blocks; permuting without positions moves values by far more than 1e-6.
  @Test func `only positions tell the spatial network where a token is`() throws {
    let positions = deviates("positions", [4, 32]).values.map { Float($0) }
    let order = [2, 0, 3, 1]
    let permutedPositions = order.flatMap { positions[($0 * 32)..<($0 * 32 + 32)] }
    let none = [Float](repeating: 0, count: 128)
    let plain = try spatialVectors(positions: positions, tokens: [0, 1, 2, 3])
    #expect(largestDifference(plain, try spatialVectors(positions: permutedPositions, tokens: order)) < 1e-12)
    #expect(largestDifference(plain, try spatialVectors(positions: positions, tokens: order)) > 1e-6)
    #expect(
      largestDifference(
        try spatialVectors(positions: none, tokens: [0, 1, 2, 3]), try spatialVectors(positions: none, tokens: order))
        < 1e-12)
  }

  @Test func `weight norm at its start leaves the convolution its direction as drawn`() throws {
    let model = try Network.audioBranch(narrowAudioParameters()).initialised(seed: 21)
    let tensor = try #require(model.tensors.first { $0.name == "audio.tcn.0.conv1.v" })
    let weight = try value(Self.audio, "audio", deviates("audio", [1, 8, 24]), "audio.tcn.0.conv1.weight")
    let direction = try value(Self.audio, "audio", deviates("audio", [1, 8, 24]), "audio.tcn.0.conv1.v")
    #expect(weight.shape == tensor.shape)
    // g is ‖v‖ rounded to Float: a relative 2⁻²⁴.
    #expect(zip(weight.values, direction.values).allSatisfy { abs($0 - $1) <= 0x1p-24 * abs($1) })
  }
}
