import ERIFormat
import Testing

@testable import ERIONNX

/// Layers of one unit with linear functions, so that every value is exact.
@Suite struct RecurrentTests {
  private typealias Operand = Application.Operand

  private func layer(_ name: String, _ activations: [String], _ attributes: [ONNXAttribute] = [], outputs: Int = 2)
    -> Application
  {
    Application(name, opset: 22, [ONNXAttribute("activations", .texts(activations))] + attributes, outputs: outputs)
  }

  /// Sums what it has seen.
  private func sums(_ direction: String, _ attributes: [ONNXAttribute] = []) -> Application {
    layer("RNN", ["Relu", "Relu"], [ONNXAttribute("direction", .text(direction))] + attributes)
  }
  private let x = Operand.f32([3, 1, 1], [1, 2, 3])
  private let one = Operand.f32([1, 1, 1], 1)

  @Test func `a reverse layer begins at the end of each item's own sequence`() throws {
    #expect(try sums("reverse").floats([x, one, one]) == [6, 5, 3])
    let lengths = Operand(.i32, [1], [Int32(2)])
    #expect(try sums("reverse").floats([x, one, one, nil, lengths]) == [3, 2, 0])
    #expect(try sums("reverse").floats([x, one, one, nil, lengths], output: 1) == [3])
  }

  @Test func `both directions lie side by side, behind the batch where it comes first`() throws {
    let weights = Operand.f32([2, 1, 1], 1)
    let batch = sums("bidirectional", [ONNXAttribute("layout", .integer(1))])
    let (results, _) = try batch.run([.f32([1, 3, 1], [1, 2, 3]), weights, weights])
    #expect(results.map { $0.shape } == [[1, 3, 2, 1], [1, 2, 1]])
    #expect(results[0].values(Float.self) == [1, 6, 3, 5, 6, 3])
    #expect(results[1].values(Float.self) == [6, 6])
  }

  @Test func `the reset gate is applied before the recurrent product, or after it`() throws {
    func hidden(_ resetsProduct: Int64) throws -> [Float] {
      let gru = layer("GRU", ["Affine", "Affine"], [ONNXAttribute("linear_before_reset", .integer(resetsProduct))])
      let operands: [Operand?] = [
        one, .f32([1, 3, 1], [0.5, 3, 1]), .f32([1, 3, 1], [0, 0, 1]), .f32([1, 6], [0, 0, 0, 0, 0, 10]), nil,
        .f32([1, 1, 1], 2),
      ]
      return try gru.floats(operands, output: 1)
    }
    #expect(try hidden(0) == [9.5])
    #expect(try hidden(1) == [19.5])
  }

  @Test func `the output gate peeps at the new cell, the others at the old one`() throws {
    let lstm = layer("LSTM", ["Affine", "Affine", "Affine"], outputs: 3)
    #expect(try lstm.floats(peepholes, output: 1) == [528])
    #expect(try lstm.floats(peepholes, output: 2) == [22])
  }

  @Test func `clipping holds the gates' sums, not the cell`() throws {
    let lstm = layer("LSTM", ["Affine", "Affine", "Affine"], [ONNXAttribute("clip", .number(2))], outputs: 3)
    #expect(try lstm.floats(peepholes, output: 1) == [16])
  }

  /// A cell of 2, weights 1, 2, 3, 4 for input, output, forget and cell gate, and peepholes of 1.
  private var peepholes: [Operand?] {
    [
      one, .f32([1, 4, 1], [1, 2, 3, 4]), .f32([1, 4, 1], 0), nil, nil, nil, .f32([1, 1, 1], 2), .f32([1, 3], 1),
    ]
  }

  @Test(arguments: [[0.5], [0, 0.5]]) func `an alpha goes to the function that takes one`(alphas: [Float]) throws {
    let gru = layer("GRU", ["Sigmoid", "LeakyRelu"], [ONNXAttribute("activation_alpha", .numbers(alphas))])
    let operands: [Operand?] = [one, .f32([1, 3, 1], [0, 0, -4]), .f32([1, 3, 1], 0)]
    #expect(try gru.floats(operands) == [-1])
  }

  @Test func `a length past the sequences' end stops the run`() throws {
    let (_, fault) = try sums("forward").run([x, one, one, nil, Operand(.i32, [1], [Int32(4)])])
    #expect(fault?.text == "expected sequence_lens from 0 to the length of the sequences")
  }

  @Test func `weights of another shape are refused`() {
    let error = #expect(throws: FormatError.self) { try sums("bidirectional").kernel([x, one, one]) }
    #expect(error?.message == "expected w float32 [2, 1, 1], found float32 [1, 1, 1]")
  }

  @Test func `an unknown function is refused`() {
    let error = #expect(throws: FormatError.self) { try layer("RNN", ["Cosine"]).kernel([x, one, one]) }
    #expect(
      error?.message
        == "expected an activation among Relu, Tanh, Sigmoid, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, Softsign and Softplus, found Cosine"
    )
  }
}
