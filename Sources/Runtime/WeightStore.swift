import CERIKernels
import ERIFormat

/// The weights of a program in the forms its plans use; packed once, kept across bindings.
final class WeightStore {
  private enum Key: Hashable {
    case packed(node: Int, method: Int)
    case bias(node: Int)
  }

  private let program: Program
  private var blocks: [Key: FloatBlock] = [:]
  /// Unpacked tensors while a plan is being made.
  private var tensors: [Int: FloatBlock] = [:]

  init(_ program: Program) { self.program = program }

  /// Floats of all packed weights.
  var packedFloats: Int { blocks.values.reduce(0) { $0 + $1.count } }

  /// A tensor's values, of whatever type; the reals that a quantised one's integers stand for.
  func block(tensor index: Int) throws(RuntimeError) -> FloatBlock {
    if let block = tensors[index] { return block }
    let tensor = program.tensors[index]
    let place = "tensor \"\(tensor.name)\""
    guard let byteCount = tensor.byteCount, let elements = tensor.elementCount else {
      throw RuntimeError(.invalid, at: place, "expected a size within the limits, found \(shapeText(tensor.shape))")
    }
    let block = try tensor.quantization == nil ? FloatBlock(byteCount: byteCount) : FloatBlock(count: elements)
    do throws(FormatError) {
      if tensor.quantization == nil {
        try tensor.read(into: UnsafeMutableRawBufferPointer(start: block.pointer, count: byteCount))
      } else {
        try tensor.readReals(into: UnsafeMutableBufferPointer(start: block.pointer, count: elements))
      }
    } catch {
      throw RuntimeError(error.inside(place))
    }
    tensors[index] = block
    return block
  }

  /// The integers of a quantised tensor of 8-bit ones, as they are stored.
  func codes(tensor index: Int) throws(RuntimeError) -> FloatBlock {
    let tensor = program.tensors[index]
    let byteCount = tensor.byteCount ?? 0
    let block = try FloatBlock(byteCount: byteCount)
    do throws(FormatError) {
      try tensor.read(into: UnsafeMutableRawBufferPointer(start: block.pointer, count: byteCount))
    } catch { throw RuntimeError(error.inside("tensor \"\(tensor.name)\"")) }
    return block
  }

  /// The packed weights of a node, made by `make` the first time.
  func packed(
    node: Int, method: Int, _ make: () throws(RuntimeError) -> FloatBlock
  ) throws(RuntimeError) -> FloatBlock {
    try block(.packed(node: node, method: method), make)
  }

  /// The folded bias of a node, made by `make` the first time.
  func bias(node: Int, _ make: () throws(RuntimeError) -> FloatBlock) throws(RuntimeError) -> FloatBlock {
    try block(.bias(node: node), make)
  }

  private func block(_ key: Key, _ make: () throws(RuntimeError) -> FloatBlock) throws(RuntimeError) -> FloatBlock {
    if let block = blocks[key] { return block }
    let block = try make()
    blocks[key] = block
    return block
  }

  /// Lets go of unpacked tensors that no plan refers to.
  func releaseTensors() { tensors.removeAll() }
}
