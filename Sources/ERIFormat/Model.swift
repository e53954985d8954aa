/// What a file holds, in memory: a graph (or none), tensors and metadata. Not validated; `Program` is.
public struct Model: Sendable {
  package var producer = ""
  package var graph: Graph?
  package var tensors: [Tensor] = []
  package var preprocessing = Preprocessing()
  package var labels: [String] = []
  package var provenance: Provenance?
  package var lineage: [LineageStep] = []
  package var licence = ""
  package var goldens: [Golden] = []
  package var peakBytes: UInt64 = 0
  /// The file it was read from.
  package var file: ModelFile?

  package init() {}
}

/// A tensor of a file: its description and where its values are.
package struct Tensor: Sendable {
  /// What a tensor is for, which decides the digests it enters.
  package enum Role: UInt8, Sendable {
    case weight = 0
    case constant = 1
    case optimizerState = 2

    /// "weight", "constant" or "optimizer state", as reports and other containers' metadata have it.
    package var text: String {
      switch self {
      case .weight: "weight"
      case .constant: "constant"
      case .optimizerState: "optimizer state"
      }
    }
  }

  package var name: String
  package var dtype: DType
  package var shape: [Int]
  package var role: Role
  package var quantization: Quantization?
  package var values: TensorValues

  package init(
    _ name: String, _ dtype: DType, _ shape: [Int], role: Role = .weight, quantization: Quantization? = nil,
    values: TensorValues
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.role = role
    self.quantization = quantization
    self.values = values
  }

  /// A float32 tensor from memory.
  package init(_ name: String, _ shape: [Int], role: Role = .weight, floats: [Float]) {
    self.init(
      name, .f32, shape, role: role,
      values: .bytes(floats.withUnsafeBytes { [UInt8]($0) }))
  }

  /// Number of elements, or nil beyond `Limits.elements`.
  package var elementCount: Int? { elementProduct(shape) }
  /// Bytes of the values, or nil beyond the limits.
  package var byteCount: Int? { ERIFormat.byteCount(of: shape, dtype) }
}

/// The product of extents, or nil if one is negative or the product passes `Limits.elements`.
package func elementProduct(_ shape: [Int]) -> Int? {
  var product = 1
  var isEmpty = false
  for extent in shape {
    guard extent >= 0, extent <= Limits.elements else { return nil }
    if extent == 0 {
      isEmpty = true
      continue
    }
    let (next, overflow) = product.multipliedReportingOverflow(by: extent)
    guard !overflow, next <= Limits.elements else { return nil }
    product = next
  }
  return isEmpty ? 0 : product
}

/// Where a tensor's values are: row-major little-endian bytes in memory, or the frames of an open file.
package enum TensorValues: Sendable {
  case bytes([UInt8])
  case file(ModelFile, index: Int)
  case source(TensorSource)
}

/// Values that lie elsewhere, in another framework's container; a class, so that the core can hold one without an existential.
/// Open, and so public: only an open class has subclasses in other modules.
open class TensorSource: @unchecked Sendable {
  package init() {}

  /// Copies the values, row-major little-endian, into memory of exactly their size; may be called from several threads.
  open func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    throw FormatError(.invalid, at: "", "expected a source with values, found none")
  }
}

/// How a tensor's or a value's integers stand for real numbers: real = scale (stored - zero point).
package struct Quantization: Equatable, Sendable {
  package var stored: DType
  package var scales: [Float]
  /// Empty: all zero.
  package var zeroPoints: [Int32]
  package var axis: Int
  /// Elements along the axis that share a scale; 0: one index each.
  package var block: Int
  package var minimum: Int32
  package var maximum: Int32

  package init(
    stored: DType, scales: [Float], zeroPoints: [Int32] = [], axis: Int = 0, block: Int = 0, minimum: Int32,
    maximum: Int32
  ) {
    self.stored = stored
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.axis = axis
    self.block = block
    self.minimum = minimum
    self.maximum = maximum
  }
}

/// A directed acyclic graph of operators over numbered values.
package struct Graph: Equatable, Sendable {
  package var symbols: [String] = []
  package var values: [Value] = []
  package var nodes: [Node] = []
  package var outputs: [Int] = []

  package init() {}
}

/// A value: a name and where it comes from.
package struct Value: Equatable, Sendable {
  package enum Source: Equatable, Sendable {
    case input(Input)
    case tensor(Int)
    case node
  }

  package var name: String
  package var source: Source
  package var quantization: Quantization?
  /// What the model that the graph came from says of a node's output whose type only binding decides.
  package var declared: ValueType?

  package init(
    _ name: String, _ source: Source, quantization: Quantization? = nil, declared: ValueType? = nil
  ) {
    self.name = name
    self.source = source
    self.quantization = quantization
    self.declared = declared
  }
}

/// An input of the graph.
package struct Input: Equatable, Sendable {
  /// What happens when a caller leaves the input out.
  package enum Omission: Equatable, Sendable {
    case required
    /// Every element is this value.
    case filled(Float)
    /// All that depends on it is absent, up to a Gate, which then gives zeros.
    case gated
  }

  package var type: ValueType
  package var omission: Omission

  package init(_ type: ValueType, omission: Omission = .required) {
    self.type = type
    self.omission = omission
  }
}

/// One operator applied to values (indices into the graph's values; nil: an optional input left out).
package struct Node: Equatable, Sendable {
  package var op: Operator
  package var inputs: [Int?]
  package var outputs: [Int]

  package init(_ op: Operator, inputs: [Int?], outputs: [Int]) {
    self.op = op
    self.inputs = inputs
    self.outputs = outputs
  }
}

extension Tensor {
  /// The values, row-major, as elements of the size of its type.
  /// - Parameter zero: what memory holds before they are read.
  /// - Throws: `FormatError` if elements of that size do not fit the tensor or the file is damaged.
  package func elements<Element: BitwiseCopyable>(zero: Element) throws(FormatError) -> [Element] {
    guard let count = elementCount, byteCount == count * MemoryLayout<Element>.stride else {
      throw FormatError(
        .invalid, at: "tensor \"\(name)\"",
        "expected elements of \(MemoryLayout<Element>.stride) bytes, found \(dtype.name) \(shapeText(shape))")
    }
    var values = [Element](repeating: zero, count: count)
    var failure: FormatError?
    values.withUnsafeMutableBytes { memory in
      do throws(FormatError) { try read(into: memory) } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }

  /// Copies the values, row-major little-endian, into memory of exactly their size.
  /// - Parameter reader: for values in a model file, this thread's; nil: one for this call.
  /// - Throws: `FormatError` if the size differs or the file is damaged.
  package func read(
    into memory: UnsafeMutableRawBufferPointer, with reader: TensorReader? = nil
  ) throws(FormatError) {
    switch values {
    case .bytes(let bytes):
      guard bytes.count == memory.count else {
        throw FormatError(.invalid, at: "", "expected \(memory.count) bytes of values, found \(bytes.count)")
      }
      memory.copyBytes(from: bytes)
    case .file(let file, let index):
      try file.read(index, into: memory, with: reader)
    case .source(let source):
      try source.read(into: memory)
    }
  }
}
