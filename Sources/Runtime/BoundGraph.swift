import ERIFormat

#if !ERI_WITHOUT_ONNX
  import ERIONNX
#endif

/// A program's graph once its inputs are known: every shape and type is decided, and what depends on nothing else is computed.
struct BoundGraph {
  /// In the program's order; an operator of ONNX may have become one of our own that means the same.
  var nodes: [Node]
  /// Concrete extents and types of every value.
  var shapes: [[Int]]
  var dtypes: [DType]
  /// Values that depend on an input that was left out.
  let absent: [Bool]
  /// Values known already, by value; tensors are not among them.
  var constants: [Int: FloatBlock] = [:]
  /// Nodes of Linear whose weight lies [inputs, outputs].
  var transposedWeights: Set<Int> = []
  #if !ERI_WITHOUT_ONNX
    /// By node: what computes an operator of ONNX.
    var kernels: [Int: ONNXKernel] = [:]
  #endif

  /// Binds a graph of our own operators alone.
  init(_ program: Program, _ binding: InputBinding) throws(RuntimeError) {
    let types: [ValueType]
    do throws(FormatError) { types = try program.bind(symbolSizes: binding.symbolSizes) } catch {
      throw RuntimeError(error)
    }
    var shapes: [[Int]] = []
    for (value, type) in zip(program.graph.values, types) {
      let shape = type.shape.map { $0.constant ?? 0 }
      guard shape.allSatisfy({ $0 > 0 }) else {
        throw RuntimeError(
          .unsupported, at: "value \"\(value.name)\"", "expected extents of at least 1, found \(shapeText(shape))")
      }
      shapes.append(shape)
    }
    nodes = program.graph.nodes
    self.shapes = shapes
    dtypes = types.map { $0.dtype }
    absent = binding.absent
  }
}
