import ERIFormat
import ERINetworks
import ERIRuntime
import ERITestSupport
import Testing

/// The runtime against PyTorch, stage by stage.
@Suite struct NetworkGoldenTests {
  private func session(_ golden: NetworkGolden, exact: Bool, keepsValues: Bool) throws -> Session {
    var options = SessionOptions()
    options.exact = exact
    options.keepsValues = keepsValues
    let session = try Session(Program(validating: golden.model), options: options)
    try session.bind(golden.inputs.map { Session.InputShape($0.name, $0.shape) })
    for input in golden.inputs {
      _ = session.withInput(input.name) { buffer in
        for (index, value) in input.values.enumerated() { buffer[index] = value }
      }
    }
    #expect(session.run() == .done)
    return session
  }

  /// Requires every stage, and the fused plan's output, within the tolerance of PyTorch's.
  private func compare(_ golden: NetworkGolden, exact: Bool) throws {
    let bound = exact ? Tolerance.products.bound : Tolerance.winograd.bound
    let kept = try session(golden, exact: exact, keepsValues: true)
    for (name, expected) in golden.stages {
      let values = try #require(kept.value(named: name), "\(name)")
      #expect(relativeDifference(values, expected.values.map(Double.init)) <= bound, "\(name)")
    }
    let fused = try session(golden, exact: exact, keepsValues: false)
    let expected = try #require(golden.stages["intensities"]).values.map(Double.init)
    #expect(relativeDifference(try #require(fused.withOutput(0) { [Float]($0) }), expected) <= bound)
  }

  @Test(arguments: [true, false]) func `the narrow network agrees with PyTorch at every stage`(exact: Bool) throws {
    try compare(.narrow(), exact: exact)
  }

  @Test(arguments: [true, false]) func `a network with every choice away from its default agrees with PyTorch`(
    exact: Bool
  ) throws {
    try compare(.choices(), exact: exact)
  }

  @Test(
    .enabled(
      if: NetworkGolden.fullFolder != nil, "ERI_FULL_GOLDEN names no folder; Tests/Golden/generate/full makes one"),
    arguments: [true, false])
  func `the full network agrees with PyTorch at every stage`(exact: Bool) throws {
    let golden = try NetworkGolden.full()
    #expect(!golden.stages.isEmpty)
    try compare(golden, exact: exact)
  }

  @Test(arguments: MTCNNStage.allCases) func `MTCNN's networks agree with PyTorch`(stage: MTCNNStage) throws {
    let golden = try NetworkGolden.mtcnn(stage)
    #expect(golden.stages.count == (stage == .output ? 3 : 2))
    let session = try session(golden, exact: false, keepsValues: false)
    for (index, output) in session.outputs.enumerated() {
      let expected = try #require(golden.stages[output.name], "\(output.name)")
      #expect(output.shape == expected.shape)
      let values = try #require(session.withOutput(index) { [Float]($0) })
      #expect(
        relativeDifference(values, expected.values.map(Double.init)) <= Tolerance.products.bound, "\(output.name)")
    }
  }
}
