import ERIFormat
import Testing

@testable import ERIONNX

/// An operator applied to tensors held in memory.
struct Application {
  /// An operand: its type and its row-major values.
  struct Operand {
    let dtype: DType
    let shape: [Int]
    let bytes: [UInt8]

    init<Element: BitwiseCopyable>(_ dtype: DType, _ shape: [Int], _ values: [Element]) {
      self.dtype = dtype
      self.shape = shape
      bytes = values.withUnsafeBytes { [UInt8]($0) }
    }

    static func f32(_ shape: [Int], _ values: [Float]) -> Operand { Operand(.f32, shape, values) }

    /// Every element the same.
    static func f32(_ shape: [Int], _ value: Float) -> Operand {
      Operand(.f32, shape, [Float](repeating: value, count: shape.reduce(1, *)))
    }

    static func i64(_ values: [Int64]) -> Operand { Operand(.i64, [values.count], values) }
    static func i64(_ shape: [Int], _ values: [Int64]) -> Operand { Operand(.i64, shape, values) }
    static func bool(_ shape: [Int], _ values: [Bool]) -> Operand { Operand(.bool, shape, values) }
  }

  /// An output: its type, extents as they came out, and its bytes.
  struct Result {
    let dtype: DType
    let shape: [Int]
    let bytes: [UInt8]

    func values<Element: BitwiseCopyable>(_ type: Element.Type = Element.self) -> [Element] {
      bytes.withUnsafeBytes { bytes in
        (0..<(bytes.count / MemoryLayout<Element>.stride)).map {
          bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.stride, as: Element.self)
        }
      }
    }
  }

  let op: ONNXOperator
  var outputCount = 1

  init(
    _ name: String, domain: String = "", opset: Int, _ attributes: [ONNXAttribute] = [], outputs: Int = 1
  ) {
    op = ONNXOperator(name, domain: domain, opset: opset, attributes: attributes)
    outputCount = outputs
  }

  func kernel(_ operands: [Operand?]) throws(FormatError) -> ONNXKernel {
    var known: [ONNXOperand?] = []
    // Leaked on purpose: a kernel may be made from the values at any time of the test.
    for operand in operands {
      guard let operand else {
        known.append(nil)
        continue
      }
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(operand.bytes.count, 64), alignment: 64)
      memory.copyBytes(from: operand.bytes)
      known.append(
        ONNXOperand(try BoundType(operand.dtype, operand.shape), values: UnsafeRawPointer(memory.baseAddress)))
    }
    return try ONNXNode(op, known, outputCount: outputCount).kernel()
  }

  /// A kernel and where its operands lie.
  struct Prepared {
    let kernel: ONNXKernel
    let memory: ONNXMemory
    let pointers: PointerTable

    func run() -> ONNXFault? { kernel.run(memory) }
  }

  func prepare(_ operands: [Operand?]) throws(FormatError) -> Prepared {
    let kernel = try kernel(operands)
    func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 64), alignment: 64)
      // Whatever a kernel leaves unwritten shows.
      memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: max(bytes, 64))
      return memory
    }
    let pointers = PointerTable(inputs: max(operands.count, 1), outputs: kernel.outputs.count)
    for (index, operand) in operands.enumerated() {
      guard let operand else { continue }
      let memory = allocate(operand.bytes.count)
      operand.bytes.withUnsafeBytes { bytes in
        if let base = bytes.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
      }
      pointers.inputs[index] = UnsafeRawPointer(memory)
    }
    for (index, type) in kernel.outputs.enumerated() { pointers.outputs[index] = allocate(type.byteCount) }
    let extents = UnsafeMutablePointer<Int>.allocate(capacity: kernel.outputs.count)
    extents.initialize(repeating: -1, count: kernel.outputs.count)
    let memory = ONNXMemory(
      inputs: UnsafePointer(pointers.inputs), outputs: UnsafePointer(pointers.outputs),
      scratch: allocate(kernel.scratchBytes), extents: extents)
    return Prepared(kernel: kernel, memory: memory, pointers: pointers)
  }

  /// Runs once; a fault instead of results where the run has one.
  func run(_ operands: [Operand?]) throws(FormatError) -> (results: [Result], fault: ONNXFault?) {
    let prepared = try prepare(operands)
    let fault = prepared.run()
    var results: [Result] = []
    for (index, type) in prepared.kernel.outputs.enumerated() {
      var shape = type.shape
      if let axis = prepared.kernel.dataSizedAxes[index] { shape[axis] = prepared.memory.extents[index] }
      let bytes = shape.reduce(1, *) * type.dtype.byteCount
      results.append(
        Result(
          dtype: type.dtype, shape: shape,
          bytes: [UInt8](UnsafeRawBufferPointer(start: prepared.pointers.outputs[index], count: bytes))))
    }
    return (results, fault)
  }

  /// The values of an output that is float32.
  func floats(_ operands: [Operand?], output: Int = 0) throws -> [Float] {
    let (results, fault) = try run(operands)
    try #require(fault == nil)
    return results[output].values(Float.self)
  }
}
