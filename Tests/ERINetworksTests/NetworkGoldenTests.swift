import ERIFormat
import ERINetworks
import ERIReference
import ERITestSupport
import Testing

/// The networks in Double against PyTorch in float32, stage by stage.
@Suite struct NetworkGoldenTests {
  /// Differences as a share of each stage's largest value.
  private func differences(_ golden: NetworkGolden) throws -> [String: Double] {
    var inputs: [String: ReferenceTensor] = [:]
    for input in golden.inputs {
      inputs[input.name] = ReferenceTensor(shape: input.shape, values: input.values.map(Double.init))
    }
    let values = try ReferenceExecutor(Program(validating: golden.model)).run(inputs: inputs)
    var differences: [String: Double] = [:]
    for (name, expected) in golden.stages {
      let found = try #require(values[name], "\(name)")
      #expect(found.shape == expected.shape, "\(name)")
      differences[name] = relativeDifference(expected.values, found.values)
    }
    return differences
  }

  @Test func `the narrow network agrees with PyTorch at every stage`() throws {
    let differences = try differences(.narrow())
    #expect(differences.count == 27)
    for (name, difference) in differences { #expect(difference <= Tolerance.products.bound, "\(name)") }
  }

  @Test func `a network with every choice away from its default agrees with PyTorch`() throws {
    let differences = try differences(.choices())
    #expect(differences.count == 7)
    for (name, difference) in differences { #expect(difference <= Tolerance.products.bound, "\(name)") }
  }

  @Test(arguments: MTCNNStage.allCases) func `MTCNN's networks agree with PyTorch`(stage: MTCNNStage) throws {
    let differences = try differences(.mtcnn(stage))
    #expect(differences.count == (stage == .output ? 3 : 2))
    for (name, difference) in differences { #expect(difference <= Tolerance.products.bound, "\(name)") }
  }
}
