import CZlib

/// Zip archives as bytes, sound or not.
struct ZipBytes {
  enum Method: UInt16 {
    case stored = 0
    case deflated = 8
  }

  struct Entry {
    var name: [UInt8]
    var data: [UInt8]
    var method: UInt16
    var flags: UInt16 = 0
    var checksum: UInt32
    /// What the directory declares; the truth unless a test says otherwise.
    var byteCount: UInt32
    var offset: UInt32?

    init(_ name: String, _ data: [UInt8], _ method: Method = .stored) {
      self.name = Array(name.utf8)
      self.data = method == .stored ? data : ZipBytes.deflate(data)
      self.method = method.rawValue
      checksum = UInt32(truncatingIfNeeded: crc32(0, data, UInt32(data.count)))
      byteCount = UInt32(data.count)
    }
  }

  private(set) var bytes: [UInt8] = []

  init(_ entries: [Entry], comment: [UInt8] = []) {
    var directory: [UInt8] = []
    for entry in entries {
      let offset = entry.offset ?? UInt32(bytes.count)
      put(&bytes, 0x0403_4b50, 4)
      for value in [20, entry.flags, entry.method, 0, 0x21] { put(&bytes, UInt64(value), 2) }
      for value in [entry.checksum, UInt32(entry.data.count), entry.byteCount] { put(&bytes, UInt64(value), 4) }
      put(&bytes, UInt64(entry.name.count), 2)
      put(&bytes, 0, 2)
      bytes += entry.name + entry.data
      put(&directory, 0x0201_4b50, 4)
      for value in [20, 20, entry.flags, entry.method, 0, 0x21] { put(&directory, UInt64(value), 2) }
      for value in [entry.checksum, UInt32(entry.data.count), entry.byteCount] { put(&directory, UInt64(value), 4) }
      put(&directory, UInt64(entry.name.count), 2)
      for _ in 0..<4 { put(&directory, 0, 2) }
      put(&directory, 0, 4)
      put(&directory, UInt64(offset), 4)
      directory += entry.name
    }
    let start = bytes.count
    bytes += directory
    bytes += ZipBytes.end(
      count: entries.count, directoryBytes: directory.count, offset: start, comment: comment)
  }

  /// An end record.
  static func end(count: Int, directoryBytes: Int, offset: Int, comment: [UInt8] = []) -> [UInt8] {
    var bytes: [UInt8] = []
    put(&bytes, 0x0605_4b50, 4)
    put(&bytes, 0, 4)
    put(&bytes, UInt64(count), 2)
    put(&bytes, UInt64(count), 2)
    put(&bytes, UInt64(directoryBytes), 4)
    put(&bytes, UInt64(offset), 4)
    put(&bytes, UInt64(comment.count), 2)
    return bytes + comment
  }

  private static func deflate(_ data: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    guard
      deflateInit2_(
        &stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        == Z_OK
    else { return [] }
    defer { deflateEnd(&stream) }
    var input = data
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(data.count))))
    let room = output.count
    let made = input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(room)
        _ = CZlib.deflate(&stream, Z_FINISH)
        return room - Int(stream.avail_out)
      }
    }
    return Array(output[..<made])
  }
}

/// Appends a number, lowest byte first.
func put(_ bytes: inout [UInt8], _ value: UInt64, _ count: Int) {
  for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
}
