import ERIFormat
import ERINetworks
import ERIReference
import ERITestSupport
import Testing

/// What the tests of training rest on: both sides draw the same weights, inputs and targets.
@Suite struct TrainingGoldenTests {
  @Test func `the audio branch's loss on the drawn batch is PyTorch's`() throws {
    let golden = try TrainingGolden.audioBranch()
    var inputs: [String: ReferenceTensor] = [:]
    for input in golden.inputs {
      inputs[input.name] = ReferenceTensor(shape: input.shape, values: input.values.map(Double.init))
    }
    let values = try ReferenceExecutor(Program(validating: golden.model)).run(inputs: inputs)
    let found = try #require(values["intensities"])
    #expect(found.shape == golden.targets.shape)
    let squares = zip(found.values, golden.targets.values).map { ($0 - Double($1)) * ($0 - Double($1)) }
    let loss = squares.reduce(0, +) / Double(squares.count)
    #expect(abs(loss - golden.loss) <= Tolerance.elements.bound * golden.loss)
  }

  @Test func `every expected tensor is a weight of the golden's model in its shape`() throws {
    for golden in try [TrainingGolden.audioBranch(), .videoBranch(), .fusion()] {
      #expect(!golden.expected.isEmpty)
      let shapes = Dictionary(uniqueKeysWithValues: golden.model.tensors.map { ($0.name, $0.shape) })
      for tensor in golden.expected { #expect(shapes[tensor.name] == tensor.shape, "\(tensor.name)") }
    }
  }
}
