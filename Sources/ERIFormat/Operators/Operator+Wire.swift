import CERISchema

extension Operator {
  /// The operator of a wire node.
  init(wire: Eri__Node) throws(FormatError) {
    switch wire.operator_case {
    case ERI__NODE__OPERATOR_CONV: self = .conv(try Conv(wire: try Operator.body(wire.conv)))
    case ERI__NODE__OPERATOR_BATCH_NORM: self = .batchNorm(BatchNorm(wire: try Operator.body(wire.batch_norm)))
    case ERI__NODE__OPERATOR_WEIGHT_NORM: self = .weightNorm(WeightNorm())
    case ERI__NODE__OPERATOR_LINEAR: self = .linear(Linear())
    case ERI__NODE__OPERATOR_MAX_POOL: self = .maxPool(try MaxPool(wire: try Operator.body(wire.max_pool)))
    case ERI__NODE__OPERATOR_LAYER_NORM: self = .layerNorm(try LayerNorm(wire: try Operator.body(wire.layer_norm)))
    case ERI__NODE__OPERATOR_ATTENTION: self = .attention(Attention(wire: try Operator.body(wire.attention)))
    case ERI__NODE__OPERATOR_ATTENTION_POOL: self = .attentionPool(AttentionPool())
    case ERI__NODE__OPERATOR_UNARY: self = .unary(try Unary(wire: try Operator.body(wire.unary)))
    case ERI__NODE__OPERATOR_BINARY: self = .binary(try Binary(wire: try Operator.body(wire.binary)))
    case ERI__NODE__OPERATOR_CONCAT: self = .concat(Concat(wire: try Operator.body(wire.concat)))
    case ERI__NODE__OPERATOR_RESHAPE: self = .reshape(try Reshape(wire: try Operator.body(wire.reshape)))
    case ERI__NODE__OPERATOR_TRANSPOSE: self = .transpose(try Transpose(wire: try Operator.body(wire.transpose)))
    case ERI__NODE__OPERATOR_GATE: self = .gate(Gate(wire: try Operator.body(wire.gate)))
    case ERI__NODE__OPERATOR_ONNX: self = .onnx(try ONNXOperator(wire: try Operator.body(wire.onnx)))
    case ERI__NODE__OPERATOR_PRELU: self = .prelu(PReLU())
    case ERI__NODE__OPERATOR_SOFTMAX: self = .softmax(Softmax(wire: try Operator.body(wire.softmax)))
    default: throw FormatError(.unsupported, at: "", "expected an operator this reader knows, found another")
    }
  }

  private static func body<Message>(_ pointer: UnsafeMutablePointer<Message>?) throws(FormatError) -> Message {
    guard let pointer else { throw contractError("expected an operator's message, found none") }
    return pointer.pointee
  }

  /// Sets the node's operator.
  func write(to node: UnsafeMutablePointer<Eri__Node>, in arena: WireArena) throws(FormatError) {
    node.pointee.operator_case = Eri__Node__OperatorCase(rawValue: identity.number)
    switch self {
    case .conv(let op): node.pointee.conv = try op.wire(in: arena)
    case .batchNorm(let op): node.pointee.batch_norm = try op.wire(in: arena)
    case .weightNorm(let op): node.pointee.weight_norm = try op.wire(in: arena)
    case .linear(let op): node.pointee.linear = try op.wire(in: arena)
    case .maxPool(let op): node.pointee.max_pool = try op.wire(in: arena)
    case .layerNorm(let op): node.pointee.layer_norm = try op.wire(in: arena)
    case .attention(let op): node.pointee.attention = try op.wire(in: arena)
    case .attentionPool(let op): node.pointee.attention_pool = try op.wire(in: arena)
    case .unary(let op): node.pointee.unary = try op.wire(in: arena)
    case .binary(let op): node.pointee.binary = try op.wire(in: arena)
    case .concat(let op): node.pointee.concat = try op.wire(in: arena)
    case .reshape(let op): node.pointee.reshape = try op.wire(in: arena)
    case .transpose(let op): node.pointee.transpose = try op.wire(in: arena)
    case .gate(let op): node.pointee.gate = try op.wire(in: arena)
    case .onnx(let op): node.pointee.onnx = try op.wire(in: arena)
    case .prelu(let op): node.pointee.prelu = try op.wire(in: arena)
    case .softmax(let op): node.pointee.softmax = try op.wire(in: arena)
    }
  }
}
