import CERISystem

/// An open .npy file: its header is checked against the file's length, its values are read on demand.
package final class NPYFile {
  package let path: String
  package let header: NPYHeader
  private let descriptor: Int32
  private let valuesOffset: Int

  /// Opens a file of NumPy's format version 1, 2 or 3.
  /// - Throws: `FormatError` `.inputOutput` if it cannot be read, `.invalid` or `.limitExceeded` for a malformed header or
  ///   a length that does not fit it, `.unsupported` for a type without a `DType`.
  package init(path: String) throws(FormatError) {
    let descriptor = eri_file_open_read(path)
    guard descriptor >= 0 else { throw inputOutputError(path, "read", descriptor) }
    do throws(FormatError) {
      let size = eri_file_size(descriptor)
      guard size >= 0 else { throw inputOutputError("", "read", Int32(truncatingIfNeeded: size)) }
      (header, valuesOffset) = try NPYHeader.read(byteCount: size) { count, offset throws(FormatError) in
        try NPYFile.read(descriptor, count, at: offset)
      }
    } catch {
      eri_file_close(descriptor)
      throw error.inside(path)
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { eri_file_close(descriptor) }

  private static func read(_ descriptor: Int32, _ count: Int, at offset: Int) throws(FormatError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let status = bytes.withUnsafeMutableBytes { eri_file_read_at(descriptor, $0.baseAddress, count, UInt64(offset)) }
    guard status == 0 else { throw inputOutputError("", "read", status) }
    return bytes
  }

  /// Reads the values, row-major and little-endian whatever order the file has.
  /// - Parameter target: exactly `header.byteCount` bytes, fully overwritten.
  /// - Throws: `FormatError` `.inputOutput`; `.limitExceeded` if memory for reordering runs out; `.invalid` for a bool
  ///   that is neither 0 nor 1.
  package func readValues(into target: UnsafeMutableRawBufferPointer) throws(FormatError) {
    guard target.count == header.byteCount else {
      throw FormatError(.invalid, at: path, "expected a buffer of \(header.byteCount) bytes, found \(target.count)")
    }
    guard let base = target.baseAddress, target.count > 0 else { return }
    if header.isFortranOrder && header.shape.count > 1 {
      guard let columns = eri_memory_allocate(header.byteCount) else {
        throw FormatError(
          .limitExceeded, at: path, "expected \(header.byteCount) bytes of memory to reorder it, found none left")
      }
      defer { eri_memory_free(columns) }
      try readStored(into: columns)
      copyRowMajor(from: columns, to: base, shape: header.shape, elementBytes: header.dtype.byteCount)
    } else {
      try readStored(into: base)
    }
    if header.isBigEndian { swapBytes(target, elementBytes: header.dtype.byteCount) }
    if header.dtype == .bool {
      for (index, byte) in target.enumerated() where byte > 1 {
        throw FormatError(
          .invalid, at: "\(path): values", "expected 0 or 1 in a bool array, found \(byte) at element \(index)")
      }
    }
  }

  private func readStored(into memory: UnsafeMutableRawPointer) throws(FormatError) {
    let status = eri_file_read_at(descriptor, memory, header.byteCount, UInt64(valuesOffset))
    guard status == 0 else { throw inputOutputError(path, "read", status) }
  }
}

/// Writes a .npy file of version 1, its values from byte 64·k on; the file appears whole or not at all.
/// - Parameter values: row-major little-endian, as many bytes as the shape says.
/// - Throws: `FormatError` `.unsupported` for bfloat16, `.inputOutput` if it cannot be written, `.invalid` if the bytes do not fit the shape.
package func writeNPY(
  _ path: String, _ dtype: DType, _ shape: [Int], _ values: UnsafeRawBufferPointer
) throws(FormatError) {
  guard let count = elementProduct(shape), shape.count <= Limits.rank, values.count / dtype.byteCount == count,
    values.count % dtype.byteCount == 0
  else {
    throw FormatError(
      .invalid, at: path, "expected values for shape \(shapeText(shape)) of \(dtype.name), found \(values.count) bytes")
  }
  let header: [UInt8]
  do throws(FormatError) { header = try NPYHeader.encoded(dtype: dtype, shape: shape) } catch {
    throw error.inside(path)
  }
  var code: Int32 = 0
  guard let writer = eri_writer_create(path, &code) else { throw inputOutputError(path, "written", code) }
  var status = header.withUnsafeBytes { eri_writer_append(writer, $0.baseAddress, $0.count) }
  if status == 0 && values.count > 0 { status = eri_writer_append(writer, values.baseAddress, values.count) }
  guard status == 0 else {
    eri_writer_abandon(writer)
    throw inputOutputError(path, "written", status)
  }
  let committed = eri_writer_commit(writer)
  guard committed == 0 else { throw inputOutputError(path, "written", committed) }
}

/// "cannot be read: No such file or directory", for an errno of either sign.
private func inputOutputError(_ path: String, _ verb: String, _ code: Int32) -> FormatError {
  FormatError(.inputOutput, at: path, "cannot be \(verb): \(String(cString: eri_error_message(code)))")
}

/// Copies an array stored with the first index running fastest to one with the last running fastest.
private func copyRowMajor(
  from source: UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer, shape: [Int], elementBytes: Int
) {
  var strides = [Int](repeating: elementBytes, count: shape.count)
  for axis in (0..<shape.count - 1).reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
  var index = [Int](repeating: 0, count: shape.count)
  let count = shape.reduce(1, *)
  var offset = 0
  for element in 0..<count {
    (target + offset).copyMemory(from: source + element * elementBytes, byteCount: elementBytes)
    for axis in 0..<shape.count {
      index[axis] += 1
      offset += strides[axis]
      if index[axis] < shape[axis] { break }
      offset -= strides[axis] * shape[axis]
      index[axis] = 0
    }
  }
}

/// Turns the byte order of every element around.
package func swapBytes(_ bytes: UnsafeMutableRawBufferPointer, elementBytes: Int) {
  var start = 0
  while start < bytes.count {
    for position in 0..<elementBytes / 2 {
      bytes.swapAt(start + position, start + elementBytes - 1 - position)
    }
    start += elementBytes
  }
}
