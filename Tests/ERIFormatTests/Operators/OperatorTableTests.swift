import CERISchema
import Testing

@testable import ERIFormat

@Suite struct `Table of operators` {
  static let operators: [Operator] = [
    .conv(Conv(strides: [1], dilations: [1], padsBegin: [0], padsEnd: [0])), .batchNorm(BatchNorm()),
    .weightNorm(WeightNorm()), .linear(Linear()),
    .maxPool(MaxPool(kernel: [1], strides: [1], dilations: [1], padsBegin: [0], padsEnd: [0])),
    .layerNorm(LayerNorm()), .attention(Attention(heads: 1, scale: 1)), .attentionPool(AttentionPool()),
    .unary(Unary(.relu)), .binary(Binary(.add)), .concat(Concat(axis: 0)), .reshape(Reshape([])),
    .transpose(Transpose([])), .gate(Gate(index: 0)),
    .onnx(
      ONNXOperator(
        "Resize", domain: "ai.onnx.ml", opset: 19,
        attributes: [
          ONNXAttribute("z", .integer(-1)), ONNXAttribute("b", .number(0.5)), ONNXAttribute("c", .text("nearest")),
          ONNXAttribute("d", .integers([-1, 2])), ONNXAttribute("e", .numbers([])),
          ONNXAttribute("f", .texts(["a", "é"])),
          ONNXAttribute("a", .tensor(Golden.Values("", .i4, [2], [1, 255]))),
        ])),
    .prelu(PReLU()), .softmax(Softmax(axis: 0)),
  ]

  @Test func `holds the schema's operators under the schema's names and numbers`() throws {
    let arena = WireArena()
    let node = WireMessage(try arena.message(eri__node__init))
    let fields = (0..<node.fieldCount).map { node.field($0) }.filter { $0.number >= Conv.number }
    let identities = `Table of operators`.operators.map { $0.identity }
    #expect(identities.map { $0.name } == fields.map { $0.name })
    #expect(identities.map { $0.number } == fields.map { $0.number })
    withExtendedLifetime(arena) {}
  }

  @Test(arguments: operators)
  func `comes back from the wire as it went`(op: Operator) throws {
    let arena = WireArena()
    let node = try arena.message(eri__node__init)
    try op.write(to: node, in: arena)
    #expect(try Operator(wire: node.pointee) == op)
    withExtendedLifetime(arena) {}
  }
}
