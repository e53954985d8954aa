import CERISystem

/// An open model file, from which tensors are read; several threads may read at once.
package final class ModelFile: Sendable {
  package let path: String
  package let version: FormatVersion
  package let digests: Digests
  /// What it needs of its reader beyond the version.
  package let features: [Feature]
  /// Size of the file.
  package let byteCount: UInt64
  /// The data frames in file order.
  package let frames: [Frame]
  let handle: FileHandle
  private let tensors: [Entry]

  /// What reading one tensor needs.
  struct Entry: Sendable {
    let name: String
    let byteCount: Int
    let stored: StoredTensor
  }

  private init(_ path: String, _ handle: FileHandle, _ prologue: Prologue, _ directory: Directory) {
    self.path = path
    self.handle = handle
    version = prologue.version
    features = Feature.allCases.filter { prologue.requiredFeatures & $0.mask != 0 }
    digests = directory.digests
    byteCount = handle.byteCount
    frames = directory.frames
    tensors = zip(directory.model.tensors, directory.stored).map {
      Entry(name: $0.name, byteCount: $0.byteCount ?? 0, stored: $1)
    }
  }

  /// Opens a file and checks all of it but the tensors' values, which are checked as they are read.
  /// - Throws: `FormatError` with the path as the outermost place.
  package static func open(_ path: String) throws(FormatError) -> Model {
    do throws(FormatError) {
      let handle = try FileHandle(path: path)
      let head = try handle.bytes(Int(min(handle.byteCount, UInt64(Prologue.byteCount))), at: 0)
      let prologue = try Prologue(decoding: head)
      try prologue.checkLayout(fileBytes: handle.byteCount)
      let directory = try readDirectory(handle, prologue)
      try check(directory, prologue, handle)
      let file = ModelFile(path, handle, prologue, directory)
      var model = directory.model
      model.file = file
      for index in model.tensors.indices { model.tensors[index].values = .file(file, index: index) }
      return model
    } catch {
      throw error.inside(path)
    }
  }

  private static func readDirectory(_ handle: FileHandle, _ prologue: Prologue) throws(FormatError) -> Directory {
    let count = Int(prologue.directoryBytes)
    // The skippable frame's header stands right before the directory.
    guard let memory = eri_memory_allocate(count + SkippableFrame.headerBytes) else { throw noMemory("the directory") }
    defer { eri_memory_free(memory) }
    let frame = UnsafeMutableRawBufferPointer(start: memory, count: count + SkippableFrame.headerBytes)
    try handle.read(into: frame, at: prologue.directoryOffset - UInt64(SkippableFrame.headerBytes))
    do throws(FormatError) {
      let header = Array(frame[..<SkippableFrame.headerBytes])
      guard header == SkippableFrame.header(SkippableFrame.directoryMagic, UInt32(count)) else {
        throw contractError("expected the header of a skippable frame of \(count) bytes, found another")
      }
      let bytes = UnsafeRawBufferPointer(rebasing: frame[SkippableFrame.headerBytes...])
      let digest = SHA256.digest(of: bytes)
      guard digest == prologue.directoryDigest else {
        throw contractError(
          "expected SHA-256 \(prologue.directoryDigest.text), found \(digest.text); the file is damaged")
      }
      return try DirectoryReader.read(bytes, features: prologue.requiredFeatures)
    } catch {
      throw error.inside("directory")
    }
  }

  /// Checks that prologue, directory, frames and seek table agree.
  private static func check(_ directory: Directory, _ prologue: Prologue, _ handle: FileHandle) throws(FormatError) {
    for (what, expected, found) in [
      ("data frames", UInt64(directory.frames.count), prologue.frameCount),
      ("unpacked bytes", directory.unpackedBytes, prologue.unpackedBytes),
      ("bytes in the largest tensor", directory.largestTensorBytes, prologue.largestTensorBytes),
      (
        "bytes before the directory",
        UInt64(Prologue.byteCount + SkippableFrame.headerBytes) + directory.storedBytes, prologue.directoryOffset
      ),
    ] where expected != found {
      throw FormatError(
        .invalid, at: "prologue", "expected \(expected) \(what) as the directory has it, found \(found)")
    }
    for (what, expected, found) in [
      ("logical", directory.digests.logical, prologue.digests.logical),
      ("weights", directory.digests.weights, prologue.digests.weights),
    ] where expected != found {
      throw FormatError(
        .invalid, at: "prologue", "expected the \(what) digest \(expected.text) of the directory, found \(found.text)")
    }
    let expected = SeekTable.encoded(directory.frames, directoryBytes: UInt32(prologue.directoryBytes))
    let found = try handle.bytes(expected.count, at: prologue.directoryOffset + prologue.directoryBytes)
    guard expected == found else {
      throw FormatError(
        .invalid, at: "seek table", "expected the sizes of all frames as the directory has them, found others")
    }
  }

  /// Where a tensor lies and its digest.
  func stored(_ index: Int) throws(FormatError) -> StoredTensor { try entry(index).stored }

  private func entry(_ index: Int) throws(FormatError) -> Entry {
    guard tensors.indices.contains(index) else {
      throw FormatError(.invalid, at: path, "expected one of \(tensors.count) tensors, found index \(index)")
    }
    return tensors[index]
  }

  /// Bytes of a tensor.
  package func byteCount(of index: Int) throws(FormatError) -> Int { try entry(index).byteCount }

  /// Reads a tensor's row-major little-endian values and checks them against their digest.
  /// - Parameters:
  ///   - target: memory of exactly `byteCount(of: index)` bytes.
  ///   - reader: this thread's; nil: one for this call.
  /// - Throws: `FormatError` if the values cannot be read or are damaged; the memory then holds anything.
  package func read(
    _ index: Int, into target: UnsafeMutableRawBufferPointer, with reader: TensorReader? = nil
  ) throws(FormatError) {
    let entry = try entry(index)
    do throws(FormatError) {
      guard target.count == entry.byteCount else {
        throw contractError("expected memory of \(entry.byteCount) bytes, found \(target.count)")
      }
      if entry.byteCount > 0 {
        let reader = if let reader { reader } else { try TensorReader() }
        try read(entry, into: target, reader)
      }
      let digest = SHA256.digest(of: UnsafeRawBufferPointer(target))
      guard digest == entry.stored.sha256 else {
        throw contractError("expected SHA-256 \(entry.stored.sha256.text), found \(digest.text); the file is damaged")
      }
    } catch {
      throw error.inside("tensor \"\(entry.name)\"").inside(path)
    }
  }

  private func read(
    _ entry: Entry, into target: UnsafeMutableRawBufferPointer, _ reader: TensorReader
  ) throws(FormatError) {
    let place = entry.stored
    var filled = 0
    for index in place.firstFrame..<(place.firstFrame + place.frameCount) {
      do throws(FormatError) {
        let count = frames[index].unpackedBytes
        if count <= target.count - filled && place.frameOffset == 0 {
          try reader.unpack(
            frames[index], of: self, into: UnsafeMutableRawBufferPointer(rebasing: target[filled..<(filled + count)]))
          filled += count
        } else {
          let bytes = try reader.frame(index, of: self)
          target.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes[place.frameOffset..<(place.frameOffset + entry.byteCount)]))
        }
      } catch {
        throw error.inside("frame \(index)")
      }
    }
  }
}

extension Model {
  /// Opens a model file; the tensors' values stay in it until they are needed.
  /// - Throws: `FormatError`, saying where the file breaks a rule of the format or what it needs that this reader lacks.
  public init(reading path: String) throws(FormatError) { self = try ModelFile.open(path) }
}

extension Tensor {
  /// The row-major little-endian values.
  /// - Parameter reader: for values in a file, this thread's; nil: one for this call.
  package func bytes(with reader: TensorReader? = nil) throws(FormatError) -> [UInt8] {
    switch values {
    case .bytes(let bytes):
      try checkByteCount(bytes.count)
      return bytes
    case .file, .source:
      // An array that finds no memory ends the process, so ask first.
      guard let count = byteCount, let probe = eri_memory_allocate(count) else {
        throw noMemory("the values of tensor \"\(name)\"")
      }
      eri_memory_free(probe)
      var bytes = [UInt8](repeating: 0, count: count)
      var failure: FormatError?
      bytes.withUnsafeMutableBytes { buffer in
        do throws(FormatError) { try read(into: buffer, with: reader) } catch { failure = error }
      }
      if let failure { throw failure }
      return bytes
    }
  }
}
