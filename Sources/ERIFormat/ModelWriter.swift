import CERISchema
import CERISystem

/// How a file keeps its tensors' values; neither digest depends on it.
package enum Storage: Equatable, Sendable {
  /// In zstd frames of a level from 1 to 22.
  case packed(level: Int)
  /// As they are, each tensor at a multiple of 64 bytes, for programs that map the file.
  case unpacked
}

extension Model {
  /// The zstd level of files that say nothing else.
  package static let defaultLevel = 12

  /// Writes the model to a file, which replaces an earlier one as a whole or not at all.
  /// - Parameters:
  ///   - level: zstd's, from 1 to 22; it changes the file's size, not its digests.
  ///   - threads: threads that pack, from 1 to 1024; the bytes do not depend on their number.
  /// - Returns: the digests that the file records.
  /// - Throws: `FormatError` if the model breaks a rule of the format, a tensor cannot be read or the file cannot be written.
  @discardableResult
  package func write(
    to path: String, level: Int = Model.defaultLevel, threads: Int = 1
  ) throws(FormatError) -> Digests {
    try write(to: path, storage: .packed(level: level), threads: threads)
  }

  /// Writes the model with its values packed or ready to map; otherwise as `write(to:level:threads:)`.
  @discardableResult
  package func write(to path: String, storage: Storage, threads: Int = 1) throws(FormatError) -> Digests {
    do throws(FormatError) {
      try TensorRules.check(tensors)
      let output = try FileWriter(path: path)
      try output.append([UInt8](repeating: 0, count: Prologue.byteCount))
      let payload: Payload
      switch storage {
      case .packed(let level):
        payload = try PackedPayload.write(tensors, to: output, level: level, threads: threads)
      case .unpacked:
        payload = try UnpackedPayload.write(tensors, to: output)
      }
      return try finish(payload, output)
    } catch {
      throw error.inside(path)
    }
  }

  /// Writes directory, seek table and prologue behind and before the payload.
  private func finish(_ payload: Payload, _ output: FileWriter) throws(FormatError) -> Digests {
    let arena = WireArena()
    let wire = try DirectoryWriter(arena).directory(
      self, stored: payload.stored, frames: payload.frames, features: payload.features)
    let size = eri__directory__get_packed_size(wire)
    guard size <= Limits.directoryBytes, let memory = arena.allocate(max(1, size)) else {
      throw FormatError(
        .limitExceeded, at: "directory", "expected at most \(Limits.directoryBytes) bytes, found \(size)")
    }
    eri__directory__pack(wire, memory.assumingMemoryBound(to: UInt8.self))
    return try withExtendedLifetime(arena) { () throws(FormatError) -> Digests in
      try payload.finish(directory: UnsafeRawBufferPointer(start: memory, count: size), output)
    }
  }
}

/// What the directory and the prologue say of the tensors' values.
struct Payload {
  var frames: [Frame] = []
  var stored: [StoredTensor] = []
  var unpackedBytes: UInt64 = 0
  var largestTensorBytes: UInt64 = 0
  var features: [Feature] = []

  /// Notes a frame that has been appended.
  mutating func append(_ frame: Frame) throws(FormatError) {
    let bytes = UInt64(frame.unpackedBytes)
    guard frames.count < Limits.frames, unpackedBytes + bytes <= Limits.unpackedBytes else {
      throw FormatError(
        .limitExceeded, at: "",
        "expected at most \(Limits.frames) frames and \(Limits.unpackedBytes) bytes in all, found more")
    }
    frames.append(frame)
    unpackedBytes += bytes
  }

  fileprivate func finish(directory: UnsafeRawBufferPointer, _ output: FileWriter) throws(FormatError) -> Digests {
    var required: UInt64 = 0
    for feature in features { required |= feature.mask }
    // What this library writes it must be able to read: the reader's checks are the writer's.
    let digests: Digests
    do throws(FormatError) {
      digests = try DirectoryReader.read(directory, features: required).digests
    } catch {
      throw error.inside("directory")
    }
    var prologue = Prologue(directoryDigest: SHA256.digest(of: directory), digests: digests)
    prologue.requiredFeatures = required
    try output.append(SkippableFrame.header(SkippableFrame.directoryMagic, UInt32(directory.count)))
    prologue.directoryOffset = output.byteCount
    prologue.directoryBytes = UInt64(directory.count)
    try output.append(directory)
    try output.append(SeekTable.encoded(frames, directoryBytes: UInt32(directory.count)))
    prologue.fileBytes = output.byteCount
    prologue.unpackedBytes = unpackedBytes
    prologue.largestTensorBytes = largestTensorBytes
    prologue.frameCount = UInt64(frames.count)
    try output.overwrite(prologue.encoded, at: 0)
    try output.commit()
    return digests
  }
}
