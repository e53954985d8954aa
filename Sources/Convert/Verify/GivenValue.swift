import CERISystem
package import ERIFormat
import ERIReference

/// An input or another value that a run starts from, or that it left.
package struct GivenValue: Sendable {
  package let name: String
  package let dtype: DType
  package let shape: [Int]
  /// Row-major and little-endian.
  package let bytes: [UInt8]

  package init(name: String, dtype: DType, shape: [Int], bytes: [UInt8]) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// A float32 value.
  package init(name: String, shape: [Int], floats: [Float]) {
    self.init(name: name, dtype: .f32, shape: shape, bytes: floats.withUnsafeBytes { [UInt8]($0) })
  }

  /// How many elements there are.
  package var count: Int { bytes.count / dtype.byteCount }

  /// The values, if they are float32.
  var floats: [Float]? {
    guard dtype == .f32 else { return nil }
    return bytes.withUnsafeBytes { bytes in
      (0..<count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  /// The same under another name.
  func named(_ name: String) -> GivenValue { GivenValue(name: name, dtype: dtype, shape: shape, bytes: bytes) }

  /// One index of axis 0; nil where there is none of that number.
  func item(_ index: Int) -> GivenValue? {
    guard let items = shape.first, (0..<items).contains(index) else { return nil }
    let width = bytes.count / items
    return GivenValue(
      name: name, dtype: dtype, shape: [1] + shape.dropFirst(),
      bytes: [UInt8](bytes[index * width..<(index + 1) * width]))
  }

  /// Reads the elements as numbers.
  func withElements<Result>(_ body: (ElementView) -> Result) -> Result {
    let tensor = Tensor(name, dtype, shape, values: .bytes([]))
    return bytes.withUnsafeBytes { body(ElementView(tensor, $0)) }
  }

  /// The values as the reference takes them.
  func reference() throws(FormatError) -> ReferenceTensor {
    let result = bytes.withUnsafeBytes { bytes -> Result<ReferenceTensor, FormatError> in
      do throws(FormatError) { return .success(try ReferenceTensor(dtype, shape, bytes: bytes)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

extension GivenValue {
  /// What both graphs are run on: arrays of a folder, or normal deviates as goldens draw them, every symbol of size 1.
  /// - Parameter folder: holds NAME.npy for each input, `/` as `_`; nil: drawn from `seed` with the input's name as the stream.
  /// - Throws: `FormatError` if a required input's file is missing, or one is of another type.
  package static func inputs(of program: Program, folder: String?, seed: UInt64) throws(FormatError) -> [GivenValue] {
    var inputs: [GivenValue] = []
    for index in program.inputs {
      let value = program.graph.values[index]
      guard case .input(let input) = value.source else { continue }
      guard let folder else {
        // Left out it has a value of its own.
        if case .filled = input.omission { continue }
        inputs.append(try drawn(value.name, input, program.graph.symbols.count, seed))
        continue
      }
      var file = ""
      for scalar in value.name.unicodeScalars { file.unicodeScalars.append(scalar == "/" ? "_" : scalar) }
      let path = "\(folder)/\(file).npy"
      if input.omission != .required, !exists(path) { continue }
      inputs.append(try read(path, value.name, input, program))
    }
    return inputs
  }

  private static func drawn(
    _ name: String, _ input: Input, _ symbols: Int, _ seed: UInt64
  ) throws(FormatError) -> GivenValue {
    guard input.type.dtype == .f32 else {
      throw FormatError(
        .unsupported, at: "input \"\(name)\"",
        "expected float32 to draw from a seed, found \(input.type.dtype.name); give it with --inputs")
    }
    let ones = [Int?](repeating: 1, count: symbols)
    let shape = input.type.shape.compactMap { $0.evaluated(ones) }
    guard shape.count == input.type.shape.count, let count = elementProduct(shape) else {
      throw FormatError(
        .limitExceeded, at: "input \"\(name)\"", "expected at most \(Limits.elements) elements, found more")
    }
    return GivenValue(name: name, shape: shape, floats: SeededRandom.deviates(count, seed: seed, stream: name))
  }

  private static func exists(_ path: String) -> Bool {
    let descriptor = eri_file_open_read(path)
    guard descriptor >= 0 else { return false }
    eri_file_close(descriptor)
    return true
  }

  private static func read(
    _ path: String, _ name: String, _ input: Input, _ program: Program
  ) throws(FormatError) -> GivenValue {
    let file = try NPYFile(path: path)
    guard file.header.dtype == input.type.dtype else {
      throw FormatError(
        .invalid, at: "\(path): input \"\(name)\"",
        "expected \(input.type.dtype.name) \(input.type.text(program.graph.symbols)), found \(file.header.dtype.name); "
          + "nothing is converted here")
    }
    var bytes = [UInt8](repeating: 0, count: file.header.byteCount)
    var failure: FormatError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(FormatError) { try file.readValues(into: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    return GivenValue(name: name, dtype: file.header.dtype, shape: file.header.shape, bytes: bytes)
  }
}
