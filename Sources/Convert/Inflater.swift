import CZlib
import ERIFormat

/// Unpacks one raw deflate stream (RFC 1951) piece by piece.
final class Inflater {
  private var stream = z_stream()
  private(set) var isAtEnd = false

  init() throws(FormatError) {
    // Negative window bits: deflate's own bytes, without zlib's header and trailer.
    let status = inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      throw FormatError(.limitExceeded, at: "", "expected memory to inflate with, found none left")
    }
  }

  deinit { inflateEnd(&stream) }

  /// Unpacks as much as both buffers allow.
  /// - Returns: bytes taken from `input` and bytes put into `output`; neither only at the stream's end or for want of input.
  /// - Throws: `FormatError` `.invalid` for bytes that are no deflate stream.
  func inflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(FormatError) -> (taken: Int, put: Int) {
    guard !isAtEnd, !output.isEmpty else { return (0, 0) }
    let inputCount = min(input.count, 1 << 30)
    let outputCount = min(output.count, 1 << 30)
    stream.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: Bytef.self))
    stream.avail_in = UInt32(inputCount)
    stream.next_out = output.baseAddress?.assumingMemoryBound(to: Bytef.self)
    stream.avail_out = UInt32(outputCount)
    let status = CZlib.inflate(&stream, Z_NO_FLUSH)
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isAtEnd = true
    case Z_MEM_ERROR:
      throw FormatError(.limitExceeded, at: "", "expected memory to inflate with, found none left")
    default:
      throw FormatError(.invalid, at: "", "expected deflated data, found bytes that are none; the file is damaged")
    }
    return (inputCount - Int(stream.avail_in), outputCount - Int(stream.avail_out))
  }
}

/// Zip's CRC-32 of bytes that come piece by piece.
struct ZipChecksum {
  private(set) var value: UInt32 = 0

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    value = UInt32(
      truncatingIfNeeded: crc32_z(UInt(value), bytes.baseAddress?.assumingMemoryBound(to: Bytef.self), bytes.count))
  }
}

/// The unpacked bytes of a deflated entry, in order.
final class ZipInflation {
  private let file: FileHandle
  private let start: UInt64
  private let compressedBytes: UInt64
  private let inflater: Inflater
  private let packed: BlockBuffer
  private var pending = UnsafeRawBufferPointer(start: nil, count: 0)
  private var taken: UInt64 = 0

  /// - Parameters:
  ///   - start: where the deflated bytes begin in the file.
  ///   - compressedBytes: how many they are.
  init(_ file: FileHandle, _ start: UInt64, _ compressedBytes: UInt64) throws(FormatError) {
    self.file = file
    self.start = start
    self.compressedBytes = compressedBytes
    inflater = try Inflater()
    packed = try BlockBuffer(max(1, min(1 << 18, Int(clamping: compressedBytes))), 1)
  }

  /// Unpacks the next bytes; returns how many there were, fewer than asked for only at the end.
  func fill(_ memory: UnsafeMutableRawBufferPointer) throws(FormatError) -> Int {
    var filled = 0
    while filled < memory.count && !inflater.isAtEnd {
      if pending.isEmpty && taken < compressedBytes {
        let piece = packed.prefix(Int(clamping: compressedBytes - taken))
        try file.read(into: piece, at: start + taken)
        taken += UInt64(piece.count)
        pending = UnsafeRawBufferPointer(piece)
      }
      let step = try inflater.inflate(pending, into: UnsafeMutableRawBufferPointer(rebasing: memory[filled...]))
      pending = UnsafeRawBufferPointer(rebasing: pending[step.taken...])
      filled += step.put
      if step == (0, 0) { break }
    }
    return filled
  }

  /// Whether nothing is left: neither an unpacked byte nor a packed one.
  func isAtEnd() throws(FormatError) -> Bool {
    let beyond = try BlockBuffer(1, 1)
    defer { withExtendedLifetime(beyond) {} }
    return try fill(beyond.prefix(1)) == 0 && inflater.isAtEnd && pending.isEmpty && taken == compressedBytes
  }
}
