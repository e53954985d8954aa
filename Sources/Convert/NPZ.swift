package import ERIFormat

/// NumPy's archives of arrays (numpy.savez and savez_compressed).
package enum NPZ {
  private static let suffix = ".npy"
  /// What most headers fit in.
  private static let beginningBytes = 4_096

  /// Describes the arrays of an archive by their entries' names without ".npy"; their values stay in it until they are read.
  /// - Throws: `FormatError` of the archive or of an array's header.
  package static func read(_ archive: ZipArchive) throws(FormatError) -> Checkpoint {
    var checkpoint = Checkpoint(.npz, path: archive.path)
    for entry in archive.entries {
      guard entry.name.hasSuffix(suffix), entry.name != suffix else {
        checkpoint.notes.append("the entry \"\(entry.name)\" is no array and was left out")
        continue
      }
      guard checkpoint.entries.count < Limits.tensors else {
        throw FormatError(
          .limitExceeded, at: archive.path, "expected at most \(Limits.tensors) arrays, found more")
      }
      let place = "\(archive.path): \(entry.name)"
      do throws(FormatError) {
        checkpoint.entries.append(try array(entry, place))
      } catch {
        throw error.place.hasPrefix(archive.path) ? error : error.inside(place)
      }
    }
    return checkpoint
  }

  private static func array(_ entry: ZipEntry, _ place: String) throws(FormatError) -> Checkpoint.Entry {
    var beginning = try entry.beginning(beginningBytes)
    let (header, valuesOffset) = try NPYHeader.read(byteCount: Int64(entry.byteCount)) {
      count, offset throws(FormatError) in
      if offset + count > beginning.count { beginning = try entry.beginning(offset + count) }
      return Array(beginning[offset..<(offset + count)])
    }
    let source = try StridedSource(
      ZipStorage(entry, from: valuesOffset), header.dtype, shape: header.shape, strides: strides(header), offset: 0,
      isBigEndian: header.isBigEndian, place: place)
    let name = String(entry.name.dropLast(suffix.count))
    return Checkpoint.Entry(
      Tensor(name, header.dtype, header.shape, values: .source(source)), dtypeName: header.dtype.name)
  }

  private static func strides(_ header: NPYHeader) -> [Int] {
    // An empty array is nowhere; its other extents may overflow a product.
    guard header.byteCount > 0 else { return [Int](repeating: 1, count: header.shape.count) }
    return header.isFortranOrder ? rowMajorStrides(header.shape.reversed()).reversed() : rowMajorStrides(header.shape)
  }

  /// Writes an archive of stored arrays, tensor by tensor; the file appears whole or not at all.
  /// - Throws: `FormatError` `.unsupported` for bfloat16 and quantized tensors, which .npy has no word for; `.invalid` if two
  ///   tensors share a name; what reading the values throws; `.inputOutput`.
  package static func write(_ tensors: [Tensor], to path: String) throws(FormatError) {
    var headers: [[UInt8]] = []
    for tensor in tensors {
      try requirePlain(tensor, for: "an .npz file")
      do throws(FormatError) {
        headers.append(try NPYHeader.encoded(dtype: tensor.dtype, shape: tensor.shape))
      } catch {
        throw error.inside("tensor \"\(tensor.name)\"")
      }
    }
    let writer = try ZipWriter(path)
    for (tensor, header) in zip(tensors, headers) {
      guard let byteCount = tensor.byteCount else {
        throw FormatError(
          .limitExceeded, at: "tensor \"\(tensor.name)\"",
          "expected at most \(Limits.elements) elements, found shape \(shapeText(tensor.shape))")
      }
      try writer.begin(tensor.name + suffix, byteCount: header.count + byteCount, alignment: 64)
      try header.withUnsafeBufferPointer { header throws(FormatError) in
        try writer.append(UnsafeRawBufferPointer(header))
      }
      try writer.append(tensor)
      try writer.end()
    }
    try writer.finish()
  }
}

/// Elements between neighbours of a contiguous array whose last index runs fastest.
func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] &* max(1, shape[axis + 1]) }
  return strides
}
