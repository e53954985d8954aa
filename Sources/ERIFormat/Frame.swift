import CERISystem
import CZstd

/// One data frame, as the directory lists it.
package struct Frame: Equatable, Sendable {
  /// Where it begins in the file.
  package let offset: UInt64
  /// Bytes of the frame in the file.
  package let storedBytes: Int
  package let unpackedBytes: Int
  /// The byte planes' element size, or 0 where the bytes are stored as they are.
  package let planeBytes: Int
  /// CRC32C of the frame's bytes in the file.
  package let checksum: UInt32
  /// Bytes before values that stand in a skippable frame as they are (the unpacked form); 0 for a zstd frame.
  package let headerBytes: Int

  init(offset: UInt64, storedBytes: Int, unpackedBytes: Int, planeBytes: Int, checksum: UInt32, headerBytes: Int = 0) {
    self.offset = offset
    self.storedBytes = storedBytes
    self.unpackedBytes = unpackedBytes
    self.planeBytes = planeBytes
    self.checksum = checksum
    self.headerBytes = headerBytes
  }

  /// The frame at its place in the file.
  func moved(to offset: UInt64) -> Frame {
    Frame(
      offset: offset, storedBytes: storedBytes, unpackedBytes: unpackedBytes, planeBytes: planeBytes,
      checksum: checksum, headerBytes: headerBytes)
  }

  /// The most bytes that zstd stores for so many (zstd.h, ZSTD_COMPRESSBOUND), from 0 to `Limits.frameBytes`.
  ///
  /// Not `ZSTD_compressBound`: that one function would bring the whole encoder into a tool that only reads.
  package static func largestStored(_ unpackedBytes: Int) -> Int {
    unpackedBytes + unpackedBytes / 256 + max(0, 131_072 - unpackedBytes) / 2048
  }
}

/// Where a tensor's bytes lie among the frames.
package struct StoredTensor: Equatable, Sendable {
  package var firstFrame: Int
  package var frameCount: Int
  /// Bytes into the first frame.
  package var frameOffset: Int
  package var sha256: SHA256Digest
}

/// Packs the bytes of one frame after another with zstd.
final class FrameCompressor {
  private let context: OpaquePointer
  private let planes: UnsafeMutableRawBufferPointer
  private let packed: UnsafeMutableRawBufferPointer

  /// - Parameter level: zstd's, from 1 to 22.
  init(level: Int) throws(FormatError) {
    guard (1...22).contains(level) else {
      throw FormatError(.invalid, at: "", "expected a zstd level from 1 to 22, found \(level)")
    }
    guard let context = ZSTD_createCCtx() else { throw noMemory("a zstd context") }
    let planes = eri_memory_allocate(Limits.frameBytes)
    let packedBytes = Frame.largestStored(Limits.frameBytes)
    let packed = eri_memory_allocate(packedBytes)
    var failed = planes == nil || packed == nil
    // A window of a whole frame makes every frame a single segment, whose header holds no byte that decoders ignore.
    for (parameter, value) in [
      (ZSTD_c_compressionLevel, Int32(level)), (ZSTD_c_windowLog, 20), (ZSTD_c_contentSizeFlag, 1),
      (ZSTD_c_checksumFlag, 1), (ZSTD_c_dictIDFlag, 0),
    ] {
      failed = failed || ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value)) != 0
    }
    guard !failed, let planes, let packed else {
      eri_memory_free(planes)
      eri_memory_free(packed)
      ZSTD_freeCCtx(context)
      throw noMemory("zstd's buffers")
    }
    self.context = context
    self.planes = UnsafeMutableRawBufferPointer(start: planes, count: Limits.frameBytes)
    self.packed = UnsafeMutableRawBufferPointer(start: packed, count: packedBytes)
  }

  deinit {
    ZSTD_freeCCtx(context)
    eri_memory_free(planes.baseAddress)
    eri_memory_free(packed.baseAddress)
  }

  /// The frame of at most `Limits.frameBytes`; the result is valid until the next call.
  /// - Parameter planeBytes: element size of the byte planes, or 0 for none.
  func pack(_ bytes: UnsafeRawBufferPointer, planeBytes: Int) throws(FormatError) -> UnsafeRawBufferPointer {
    try pack(bytes, planeBytes: planeBytes, into: packed)
  }

  /// The frame, in memory of the caller's that holds `Frame.largestStored` bytes.
  func pack(
    _ bytes: UnsafeRawBufferPointer, planeBytes: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(FormatError) -> UnsafeRawBufferPointer {
    var source = bytes
    if planeBytes > 0 {
      BytePlanes.split(bytes, into: planes, elementBytes: planeBytes)
      source = UnsafeRawBufferPointer(rebasing: planes[..<bytes.count])
    }
    let size = ZSTD_compress2(context, target.baseAddress, target.count, source.baseAddress, source.count)
    guard ZSTD_isError(size) == 0 else {
      throw FormatError(
        .inputOutput, at: "", "expected zstd to pack a frame, found \(String(cString: ZSTD_getErrorName(size)))")
    }
    return UnsafeRawBufferPointer(rebasing: target[..<size])
  }
}

/// Unpacks frames, keeping the last one: tensors that share a frame are read in a row without unpacking it again.
///
/// One thread uses a reader at a time; several threads read one file with a reader each.
package final class TensorReader {
  private let context: OpaquePointer
  private let stored: UnsafeMutableRawBufferPointer
  private let planes: UnsafeMutableRawBufferPointer
  private let unpacked: UnsafeMutableRawBufferPointer
  private var held: (file: ModelFile, frame: Int)?

  /// - Throws: `FormatError` if there is no memory for its 3 MiB of buffers.
  package init() throws(FormatError) {
    guard let context = ZSTD_createDCtx() else { throw noMemory("a zstd context") }
    let storedBytes = Frame.largestStored(Limits.frameBytes)
    let blocks = [
      eri_memory_allocate(storedBytes), eri_memory_allocate(Limits.frameBytes), eri_memory_allocate(Limits.frameBytes),
    ]
    guard let stored = blocks[0], let planes = blocks[1], let unpacked = blocks[2] else {
      for block in blocks { eri_memory_free(block) }
      ZSTD_freeDCtx(context)
      throw noMemory("a frame's buffers")
    }
    self.context = context
    self.stored = UnsafeMutableRawBufferPointer(start: stored, count: storedBytes)
    self.planes = UnsafeMutableRawBufferPointer(start: planes, count: Limits.frameBytes)
    self.unpacked = UnsafeMutableRawBufferPointer(start: unpacked, count: Limits.frameBytes)
  }

  deinit {
    ZSTD_freeDCtx(context)
    eri_memory_free(stored.baseAddress)
    eri_memory_free(planes.baseAddress)
    eri_memory_free(unpacked.baseAddress)
  }

  /// The bytes of a file's frame, valid until the next call.
  func frame(_ index: Int, of file: ModelFile) throws(FormatError) -> UnsafeRawBufferPointer {
    let frame = file.frames[index]
    if held?.file !== file || held?.frame != index {
      held = nil
      try unpack(frame, of: file, into: UnsafeMutableRawBufferPointer(rebasing: unpacked[..<frame.unpackedBytes]))
      held = (file, index)
    }
    return UnsafeRawBufferPointer(rebasing: unpacked[..<frame.unpackedBytes])
  }

  /// Unpacks a frame, its filter undone, into memory of its unpacked size.
  func unpack(_ frame: Frame, of file: ModelFile, into target: UnsafeMutableRawBufferPointer) throws(FormatError) {
    if frame.headerBytes > 0 { return try UnpackedFrame.read(frame, of: file, into: target) }
    let source = UnsafeMutableRawBufferPointer(rebasing: stored[..<frame.storedBytes])
    try file.handle.read(into: source, at: frame.offset)
    let computed = crc32c(UnsafeRawBufferPointer(source))
    guard computed == frame.checksum else {
      throw contractError(
        "expected CRC32C \(hexadecimal(frame.checksum)), found \(hexadecimal(computed)); the file is damaged")
    }
    let filtered = frame.planeBytes > 0 ? UnsafeMutableRawBufferPointer(rebasing: planes[..<target.count]) : target
    // Dictionary, unused and reserved bits 0; checksum and single segment 1: see FORMAT.md.
    guard source.count > 5, ZSTD_getFrameContentSize(source.baseAddress, source.count) == UInt64(target.count),
      ZSTD_findFrameCompressedSize(source.baseAddress, source.count) == source.count, source[4] & 0x3F == 0x24
    else {
      throw contractError(
        "expected one zstd frame of a single segment with a checksum that unpacks to \(target.count) bytes, found another"
      )
    }
    let size = ZSTD_decompressDCtx(
      context, filtered.baseAddress, filtered.count, source.baseAddress, source.count)
    guard ZSTD_isError(size) == 0 else {
      throw contractError("expected zstd to unpack it, found \(String(cString: ZSTD_getErrorName(size)))")
    }
    guard size == target.count else { throw contractError("expected \(target.count) unpacked bytes, found \(size)") }
    if frame.planeBytes > 0 {
      BytePlanes.join(UnsafeRawBufferPointer(filtered), into: target, elementBytes: frame.planeBytes)
    }
  }
}

/// The error where an allocation failed.
package func noMemory(_ what: String) -> FormatError {
  FormatError(.limitExceeded, at: "", "expected memory for \(what), found none left")
}
