/// What an operator means: its attributes, its version and the types of its outputs.
package protocol OperatorContract: Equatable, Sendable {
  /// The name in messages and profiles.
  static var name: String { get }
  /// The field number in the schema's Node.
  static var number: UInt32 { get }
  /// The newest version this reader knows.
  static var version: UInt32 { get }
  /// The format version that brought it.
  static var since: FormatVersion { get }
  /// Types of the outputs for these inputs (nil: an optional input left out).
  /// - Throws: `FormatError` without a place, if an attribute or an input is outside the contract.
  func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType]
}

/// Every operator the format knows.
package enum Operator: Equatable, Sendable {
  case conv(Conv)
  case batchNorm(BatchNorm)
  case weightNorm(WeightNorm)
  case linear(Linear)
  case maxPool(MaxPool)
  case layerNorm(LayerNorm)
  case attention(Attention)
  case attentionPool(AttentionPool)
  case unary(Unary)
  case binary(Binary)
  case concat(Concat)
  case reshape(Reshape)
  case transpose(Transpose)
  case gate(Gate)
  case onnx(ONNXOperator)
  case prelu(PReLU)
  case softmax(Softmax)

  /// Name, number and version of the operator.
  package var identity: OperatorIdentity {
    switch self {
    case .conv: OperatorIdentity(Conv.self)
    case .batchNorm: OperatorIdentity(BatchNorm.self)
    case .weightNorm: OperatorIdentity(WeightNorm.self)
    case .linear: OperatorIdentity(Linear.self)
    case .maxPool: OperatorIdentity(MaxPool.self)
    case .layerNorm: OperatorIdentity(LayerNorm.self)
    case .attention: OperatorIdentity(Attention.self)
    case .attentionPool: OperatorIdentity(AttentionPool.self)
    case .unary: OperatorIdentity(Unary.self)
    case .binary: OperatorIdentity(Binary.self)
    case .concat: OperatorIdentity(Concat.self)
    case .reshape: OperatorIdentity(Reshape.self)
    case .transpose: OperatorIdentity(Transpose.self)
    case .gate: OperatorIdentity(Gate.self)
    case .onnx: OperatorIdentity(ONNXOperator.self)
    case .prelu: OperatorIdentity(PReLU.self)
    case .softmax: OperatorIdentity(Softmax.self)
    }
  }

  /// Types of the outputs for these inputs.
  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    switch self {
    case .conv(let op): try op.outputs(inputs, &inference)
    case .batchNorm(let op): try op.outputs(inputs, &inference)
    case .weightNorm(let op): try op.outputs(inputs, &inference)
    case .linear(let op): try op.outputs(inputs, &inference)
    case .maxPool(let op): try op.outputs(inputs, &inference)
    case .layerNorm(let op): try op.outputs(inputs, &inference)
    case .attention(let op): try op.outputs(inputs, &inference)
    case .attentionPool(let op): try op.outputs(inputs, &inference)
    case .unary(let op): try op.outputs(inputs, &inference)
    case .binary(let op): try op.outputs(inputs, &inference)
    case .concat(let op): try op.outputs(inputs, &inference)
    case .reshape(let op): try op.outputs(inputs, &inference)
    case .transpose(let op): try op.outputs(inputs, &inference)
    case .gate(let op): try op.outputs(inputs, &inference)
    case .onnx(let op): try op.outputs(inputs, &inference)
    case .prelu(let op): try op.outputs(inputs, &inference)
    case .softmax(let op): try op.outputs(inputs, &inference)
    }
  }
}

/// Name, number and version of an operator.
package struct OperatorIdentity: Equatable, Sendable {
  package let name: String
  package let number: UInt32
  package let version: UInt32
  /// The format version that brought this version of the operator.
  package let since: FormatVersion

  package init<Contract: OperatorContract>(_ contract: Contract.Type) {
    name = Contract.name
    number = Contract.number
    version = Contract.version
    since = Contract.since
  }
}
