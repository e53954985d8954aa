import ERIFormat

/// Reads MindSpore's checkpoints: protobuf messages of tagged tensors, and perhaps a CRC behind them.
enum MindSporeReader {
  /// A tensor of one tag, whose content may come in chunks.
  private struct Chunked {
    var tag: String
    var typeName: String
    var dims: [Int]
    var pieces: [FileRegion.Piece]
    var byteCount: UInt64
  }

  static func read(_ file: FileHandle, path: String) throws(FormatError) -> Checkpoint {
    let end = try Trailer.check(file)
    var message = ProtobufReader(FileWindow(file), from: 0, to: end)
    var tensors: [Chunked] = []
    var indices: [[UInt8]: Int] = [:]
    var checkpoint = Checkpoint(.mindSporeCheckpoint, path: path)
    while let field = try message.next() {
      guard field.number == 1 else {
        throw FormatError(
          .invalid, at: "byte \(field.offset)", "expected a value in field 1, found field \(field.number)")
      }
      guard let chunk = try value(message.message(field, "a value"), &checkpoint) else { continue }
      guard let index = indices[Array(chunk.tag.utf8)] else {
        guard tensors.count < Limits.tensors else {
          throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.tensors) tensors, found more")
        }
        indices[Array(chunk.tag.utf8)] = tensors.count
        tensors.append(chunk)
        continue
      }
      guard tensors[index].typeName == chunk.typeName, tensors[index].dims == chunk.dims else {
        throw FormatError(
          .invalid, at: "tensor \"\(brief(chunk.tag))\"",
          "expected chunks of one type and shape, found \(tensors[index].typeName) \(shapeText(tensors[index].dims)) "
            + "and \(chunk.typeName) \(shapeText(chunk.dims))")
      }
      guard tensors[index].pieces.count < Limits.pieces else {
        throw FormatError(
          .limitExceeded, at: "tensor \"\(brief(chunk.tag))\"",
          "expected at most \(Limits.pieces) chunks, found more")
      }
      tensors[index].pieces += chunk.pieces
      tensors[index].byteCount += chunk.byteCount
    }
    var states = 0
    for chunked in tensors {
      do throws(FormatError) {
        if chunked.typeName == "str" {
          let text = try self.text(chunked, file)
          checkpoint.notes.append("entry \"\(brief(chunked.tag))\" is the text \"\(brief(text))\", not a tensor")
        } else {
          let entry = try self.entry(chunked, file, path)
          if entry.tensor.role == .optimizerState { states += 1 }
          checkpoint.entries.append(entry)
        }
      } catch {
        throw error.inside("tensor \"\(brief(chunked.tag))\"")
      }
    }
    if states > 0 { checkpoint.notes.append("\(counted(states, "tensor")) of optimiser state, by name") }
    return checkpoint
  }

  /// A tagged tensor, or nil for what is none.
  private static func value(
    _ message: ProtobufReader, _ checkpoint: inout Checkpoint
  ) throws(FormatError) -> Chunked? {
    var message = message
    var chunk = Chunked(tag: "", typeName: "", dims: [], pieces: [], byteCount: 0)
    var hasTensor = false
    var isMap = false
    let start = message.position
    while let field = try message.next() {
      switch field.number {
      case 1: chunk.tag = try message.text(field, limit: Limits.nameBytes, "a tag")
      case 2:
        hasTensor = true
        try tensor(try message.message(field, "a tensor"), &chunk)
      case 3:
        _ = try message.extent(field, "a map tensor")
        isMap = true
      case let number:
        throw FormatError(
          .invalid, at: "byte \(field.offset)", "expected a tag, a tensor or a map tensor, found field \(number)")
      }
    }
    if isMap {
      checkpoint.notes.append("entry \"\(brief(chunk.tag))\" is a map tensor, which is left out")
      return nil
    }
    guard hasTensor else {
      throw FormatError(.invalid, at: "byte \(start)", "expected a tensor for \"\(brief(chunk.tag))\", found none")
    }
    return chunk
  }

  private static func tensor(_ message: ProtobufReader, _ chunk: inout Chunked) throws(FormatError) {
    var message = message
    while let field = try message.next() {
      switch field.number {
      case 1: try message.appendExtents(field, to: &chunk.dims)
      case 2: chunk.typeName = try message.text(field, limit: Limits.nameBytes, "a type")
      case 3:
        let (offset, count) = try message.extent(field, "a content")
        guard chunk.pieces.isEmpty else {
          throw FormatError(.invalid, at: "byte \(field.offset)", "expected one content, found a second")
        }
        guard let bytes = Int(exactly: count) else {
          throw FormatError(
            .limitExceeded, at: "byte \(field.offset)", "expected at most \(Int.max) bytes, found \(count)")
        }
        chunk.pieces.append(FileRegion.Piece(offset: offset, count: bytes))
        chunk.byteCount += count
      case let number:
        throw FormatError(
          .invalid, at: "byte \(field.offset)", "expected dims, a type or a content, found field \(number)")
      }
    }
  }

  private static func entry(
    _ chunked: Chunked, _ file: FileHandle, _ path: String
  ) throws(FormatError) -> Checkpoint.Entry {
    guard let dtype = MindSporeType.dtype(chunked.typeName) else {
      throw FormatError(
        .unsupported, at: "", "expected a type that .eri has, found \"\(brief(chunked.typeName))\"")
    }
    // MindSpore writes some scalars, a learning rate among them, as an array of no element with one element's bytes.
    let shape = chunked.dims == [0] && chunked.byteCount == UInt64(dtype.byteCount) ? [] : chunked.dims
    let region = FileRegion(
      file, chunked.pieces, dtype: dtype, place: "\(path): tensor \"\(chunked.tag)\"")
    let tensor = Tensor(
      chunked.tag, dtype, shape, role: MindSporeNames.role(of: chunked.tag), values: .source(region))
    guard let count = tensor.byteCount else {
      throw FormatError(
        .limitExceeded, at: "", "expected at most \(Limits.elements) elements, found \(shapeText(shape))")
    }
    guard chunked.byteCount == UInt64(count) else {
      throw FormatError(
        .invalid, at: "",
        "expected \(count) bytes for \(chunked.typeName) \(shapeText(shape)), found \(chunked.byteCount)")
    }
    return Checkpoint.Entry(tensor, dtypeName: chunked.typeName, shape: chunked.dims)
  }

  /// The UTF-32 text of an entry of type `str`.
  private static func text(_ chunked: Chunked, _ file: FileHandle) throws(FormatError) -> String {
    guard chunked.byteCount <= UInt64(Limits.textBytes), chunked.byteCount % 4 == 0 else {
      throw FormatError(
        .invalid, at: "",
        "expected text of at most \(Limits.textBytes) bytes in UTF-32, found \(chunked.byteCount) bytes")
    }
    var bytes: [UInt8] = []
    for piece in chunked.pieces { bytes += try file.bytes(piece.count, at: piece.offset) }
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 4) {
      var code: UInt32 = 0
      for index in 0..<4 { code |= UInt32(bytes[start + index]) << UInt32(8 * index) }
      guard let scalar = Unicode.Scalar(code) else {
        throw FormatError(.invalid, at: "", "expected text in UTF-32, found the number \(code)")
      }
      text.unicodeScalars.append(scalar)
    }
    return text
  }
}

extension MindSporeReader {
  /// What `crc_check` adds behind the messages: "crc_num" and a CRC-32 in ten bytes, the highest first.
  enum Trailer {
    static let mark = Array("crc_num".utf8)
    static let byteCount = mark.count + 10

    /// The trailer of a content.
    static func encoded(_ crc: UInt32) -> [UInt8] {
      var bytes = mark + [UInt8](repeating: 0, count: 6)
      for shift in stride(from: 24, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: crc >> UInt32(shift)))
      }
      return bytes
    }

    /// Where the messages end; a trailer that is there must be right.
    static func check(_ file: FileHandle) throws(FormatError) -> UInt64 {
      guard file.byteCount > UInt64(byteCount) else { return file.byteCount }
      let end = file.byteCount - UInt64(byteCount)
      let trailer = try file.bytes(byteCount, at: end)
      guard trailer.starts(with: mark) else { return file.byteCount }
      var checksum = ZipChecksum()
      var offset: UInt64 = 0
      while offset < end {
        let bytes = try file.bytes(Int(min(1 << 20, end - offset)), at: offset)
        bytes.withUnsafeBytes { checksum.update($0) }
        offset += UInt64(bytes.count)
      }
      let expected = encoded(checksum.value)
      guard trailer == expected else {
        throw FormatError(
          .invalid, at: "trailer",
          "expected CRC \(hexadecimal(Array(expected.suffix(4)))), found \(hexadecimal(Array(trailer.suffix(10)))); "
            + "the file is damaged")
      }
      return end
    }
  }
}
