import CERISchema
import CERISystem

extension Model {
  /// The zstd level of files that say nothing else.
  package static let defaultLevel = 12

  /// Writes the model to a file, which replaces an earlier one as a whole or not at all.
  /// - Parameter level: zstd's, from 1 to 22; it changes the file's size, not its digests.
  /// - Returns: the digests that the file records.
  /// - Throws: `FormatError` if the model breaks a rule of the format, a tensor cannot be read or the file cannot be written.
  @discardableResult
  package func write(to path: String, level: Int = Model.defaultLevel) throws(FormatError) -> Digests {
    do throws(FormatError) {
      try TensorRules.check(tensors)
      let writer = try ModelWriter(path: path, level: level)
      return try writer.write(self)
    } catch {
      throw error.inside(path)
    }
  }
}

/// Writes one file: frames as they come, then directory and seek table, the prologue last.
private final class ModelWriter {
  private var output: OpaquePointer?
  private let compressor: FrameCompressor
  private var reader: TensorReader?
  private var offset: UInt64 = 0
  private var frames: [Frame] = []
  private var stored: [StoredTensor] = []
  private var unpackedBytes: UInt64 = 0
  private var largestTensorBytes: UInt64 = 0
  /// Bytes of small tensors that will share the next frame, and their element size (0: several).
  private var shared: [UInt8] = []
  private var sharedElementBytes = 0

  init(path: String, level: Int) throws(FormatError) {
    compressor = try FrameCompressor(level: level)
    guard !path.utf8.contains(0) else {
      throw FormatError(.inputOutput, at: "", "expected a path without a zero byte, found one")
    }
    var status: Int32 = 0
    guard let output = eri_writer_create(path, &status) else {
      throw inputOutputError("a file that can be written", status)
    }
    self.output = output
  }

  deinit {
    if let output { eri_writer_abandon(output) }
  }

  func write(_ model: Model) throws(FormatError) -> Digests {
    try append([UInt8](repeating: 0, count: Prologue.byteCount))
    for tensor in model.tensors {
      do throws(FormatError) { try write(tensor) } catch { throw error.inside("tensor \"\(tensor.name)\"") }
    }
    try flushShared()
    let arena = WireArena()
    let wire = try DirectoryWriter(arena).directory(model, stored: stored, frames: frames)
    let size = eri__directory__get_packed_size(wire)
    guard size <= Limits.directoryBytes, let memory = arena.allocate(max(1, size)) else {
      throw FormatError(
        .limitExceeded, at: "directory", "expected at most \(Limits.directoryBytes) bytes, found \(size)")
    }
    eri__directory__pack(wire, memory.assumingMemoryBound(to: UInt8.self))
    return try withExtendedLifetime(arena) { () throws(FormatError) -> Digests in
      try finish(UnsafeRawBufferPointer(start: memory, count: size))
    }
  }

  private func finish(_ directory: UnsafeRawBufferPointer) throws(FormatError) -> Digests {
    // What this library writes it must be able to read: the reader's checks are the writer's.
    let digests: Digests
    do throws(FormatError) {
      digests = try DirectoryReader.read(directory, features: 0).digests
    } catch {
      throw error.inside("directory")
    }
    var prologue = Prologue(directoryDigest: SHA256.digest(of: directory), digests: digests)
    try append(SkippableFrame.header(SkippableFrame.directoryMagic, UInt32(directory.count)))
    prologue.directoryOffset = offset
    prologue.directoryBytes = UInt64(directory.count)
    try append(directory)
    try append(SeekTable.encoded(frames, directoryBytes: UInt32(directory.count)))
    prologue.fileBytes = offset
    prologue.unpackedBytes = unpackedBytes
    prologue.largestTensorBytes = largestTensorBytes
    prologue.frameCount = UInt64(frames.count)
    try check(eri_writer_overwrite(output, prologue.encoded, Prologue.byteCount, 0))
    let status = eri_writer_commit(output)
    output = nil
    try check(status)
    return digests
  }

  private func write(_ tensor: Tensor) throws(FormatError) {
    switch tensor.values {
    case .bytes(let bytes):
      try tensor.checkByteCount(bytes.count)
      try bytes.withUnsafeBufferPointer { buffer throws(FormatError) in
        try write(UnsafeRawBufferPointer(buffer), tensor)
      }
    case .file(let file, let index):
      let count = try file.byteCount(of: index)
      try tensor.checkByteCount(count)
      let reader = if let reader { reader } else { try TensorReader() }
      self.reader = reader
      try write(count, tensor) { buffer throws(FormatError) in try file.read(index, into: buffer, with: reader) }
    case .source(let source):
      guard let count = tensor.byteCount else { throw noMemory("its values") }
      try write(count, tensor) { buffer throws(FormatError) in try source.read(into: buffer) }
    }
  }

  /// Writes values that a closure puts into memory of this call's own.
  private func write(
    _ count: Int, _ tensor: Tensor, _ read: (UnsafeMutableRawBufferPointer) throws(FormatError) -> Void
  ) throws(FormatError) {
    guard let memory = eri_memory_allocate(count) else { throw noMemory("\(count) bytes") }
    defer { eri_memory_free(memory) }
    let buffer = UnsafeMutableRawBufferPointer(start: memory, count: count)
    try read(buffer)
    try write(UnsafeRawBufferPointer(buffer), tensor)
  }

  private func write(_ bytes: UnsafeRawBufferPointer, _ tensor: Tensor) throws(FormatError) {
    largestTensorBytes = max(largestTensorBytes, UInt64(bytes.count))
    let sha256 = SHA256.digest(of: bytes)
    if bytes.isEmpty {
      stored.append(StoredTensor(firstFrame: 0, frameCount: 0, frameOffset: 0, sha256: sha256))
      return
    }
    if bytes.count < Limits.sharedTensorBytes {
      if shared.count + bytes.count > Limits.sharedFrameBytes { try flushShared() }
      stored.append(StoredTensor(firstFrame: frames.count, frameCount: 1, frameOffset: shared.count, sha256: sha256))
      let elementBytes = tensor.dtype.byteCount
      sharedElementBytes = shared.isEmpty || sharedElementBytes == elementBytes ? elementBytes : 0
      shared += bytes
      return
    }
    try flushShared()
    let first = frames.count
    try writeFrames(bytes, elementBytes: tensor.dtype.byteCount)
    stored.append(
      StoredTensor(firstFrame: first, frameCount: frames.count - first, frameOffset: 0, sha256: sha256))
  }

  private func flushShared() throws(FormatError) {
    if shared.isEmpty { return }
    let bytes = shared
    shared.removeAll(keepingCapacity: true)
    try bytes.withUnsafeBufferPointer { buffer throws(FormatError) in
      try writeFrames(UnsafeRawBufferPointer(buffer), elementBytes: sharedElementBytes)
    }
  }

  /// Writes bytes as frames of their own, filtered if that makes the first of them at least a hundredth smaller.
  private func writeFrames(_ bytes: UnsafeRawBufferPointer, elementBytes: Int) throws(FormatError) {
    var planeBytes = 0
    if elementBytes > 1 {
      let sample = UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, Limits.frameBytes)])
      let plain = try compressor.pack(sample, planeBytes: 0).count
      let split = try compressor.pack(sample, planeBytes: elementBytes).count
      if split < plain - plain / 100 { planeBytes = elementBytes }
    }
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Limits.frameBytes)
      let packed = try compressor.pack(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), planeBytes: planeBytes)
      guard frames.count < Limits.frames, unpackedBytes + UInt64(end - start) <= Limits.unpackedBytes else {
        throw FormatError(
          .limitExceeded, at: "",
          "expected at most \(Limits.frames) frames and \(Limits.unpackedBytes) bytes in all, found more")
      }
      frames.append(
        Frame(
          offset: offset, storedBytes: packed.count, unpackedBytes: end - start, planeBytes: planeBytes,
          checksum: crc32c(packed)))
      unpackedBytes += UInt64(end - start)
      try append(packed)
      start = end
    }
  }

  private func append(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    try check(eri_writer_append(output, bytes.baseAddress, bytes.count))
    offset += UInt64(bytes.count)
  }

  private func append(_ bytes: [UInt8]) throws(FormatError) {
    try check(eri_writer_append(output, bytes, bytes.count))
    offset += UInt64(bytes.count)
  }

  private func check(_ status: Int32) throws(FormatError) {
    guard status >= 0 else { throw inputOutputError("the file to be written", status) }
  }
}
