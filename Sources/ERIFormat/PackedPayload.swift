/// Writes tensors in zstd frames, several tensors at a time so that all threads have work.
final class PackedPayload {
  /// Values whose frames are still to be made: a tensor's, or those of several small ones, digested already.
  private struct Waiting {
    let block: TensorBlock
    let elementBytes: Int
    /// The tensor's digest to be, and its index.
    let digest: (digester: FramePacker.Digester, index: Int)?
  }

  /// Bytes at a tensor's begin that decide its filter.
  private static let sampleBytes = 1 << 16

  private let output: FileWriter
  private let packer: FramePacker
  private let reader: TensorReader
  private var payload = Payload()
  private var waiting: [Waiting] = []
  private var waitingBytes = 0
  /// Frames of all that has come, written or waiting.
  private var frameCount = 0
  /// Bytes of small tensors that will share the next frame, and their element size (0: several).
  private var shared: [UInt8] = []
  private var sharedElementBytes = 0

  private init(_ output: FileWriter, level: Int, threads: Int) throws(FormatError) {
    self.output = output
    packer = try FramePacker(level: level, threads: threads)
    reader = try TensorReader()
  }

  static func write(
    _ tensors: [Tensor], to output: FileWriter, level: Int, threads: Int
  ) throws(FormatError) -> Payload {
    let writer = try PackedPayload(output, level: level, threads: threads)
    for tensor in tensors { try writer.add(tensor) }
    try writer.closeShared()
    try writer.flush()
    return writer.payload
  }

  private func add(_ tensor: Tensor) throws(FormatError) {
    let batchBytes = packer.batchFrames * Limits.frameBytes
    // What waits makes room before a large tensor comes into memory.
    if let count = tensor.byteCount, waitingBytes + count > batchBytes { try flush() }
    let block: TensorBlock
    do throws(FormatError) { block = try TensorBlock(tensor, with: reader) } catch {
      throw error.inside("tensor \"\(tensor.name)\"")
    }
    let count = block.bytes.count
    let elementBytes = tensor.dtype.byteCount
    payload.largestTensorBytes = max(payload.largestTensorBytes, UInt64(count))
    if count < Limits.sharedTensorBytes { return try share(block.bytes, elementBytes) }
    try closeShared()
    let frames = (count + Limits.frameBytes - 1) / Limits.frameBytes
    // The digest follows when the bytes have been through.
    payload.stored.append(
      StoredTensor(firstFrame: frameCount, frameCount: frames, frameOffset: 0, sha256: SHA256().finished()))
    frameCount += frames
    try wait(
      Waiting(
        block: block, elementBytes: elementBytes, digest: (FramePacker.Digester(), payload.stored.count - 1)))
  }

  /// Adds a small tensor to the frame that several share.
  private func share(_ bytes: UnsafeRawBufferPointer, _ elementBytes: Int) throws(FormatError) {
    let sha256 = SHA256.digest(of: bytes)
    if bytes.isEmpty {
      payload.stored.append(StoredTensor(firstFrame: 0, frameCount: 0, frameOffset: 0, sha256: sha256))
      return
    }
    if shared.count + bytes.count > Limits.sharedFrameBytes { try closeShared() }
    payload.stored.append(
      StoredTensor(firstFrame: frameCount, frameCount: 1, frameOffset: shared.count, sha256: sha256))
    sharedElementBytes = shared.isEmpty || sharedElementBytes == elementBytes ? elementBytes : 0
    shared += bytes
  }

  /// Ends the frame that small tensors share.
  private func closeShared() throws(FormatError) {
    if shared.isEmpty { return }
    let block = try TensorBlock(Tensor("", .u8, [shared.count], values: .bytes(shared)))
    shared.removeAll(keepingCapacity: true)
    frameCount += 1
    try wait(Waiting(block: block, elementBytes: sharedElementBytes, digest: nil))
  }

  private func wait(_ item: Waiting) throws(FormatError) {
    waiting.append(item)
    waitingBytes += item.block.bytes.count
    if waitingBytes >= packer.batchFrames * Limits.frameBytes || waiting.count == packer.batchFrames { try flush() }
  }

  /// Packs and writes all that waits.
  private func flush() throws(FormatError) {
    let items = waiting
    waiting.removeAll(keepingCapacity: true)
    waitingBytes = 0
    try withExtendedLifetime(items) { () throws(FormatError) in try write(items) }
    for item in items {
      if let digest = item.digest { payload.stored[digest.index].sha256 = digest.digester.finished }
    }
  }

  private func write(_ items: [Waiting]) throws(FormatError) {
    let planes = try packer.planeBytes(
      for: items.map { item in
        let bytes = item.block.bytes
        return (
          UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, PackedPayload.sampleBytes)]), item.elementBytes
        )
      })
    var batch: [FramePacker.Source] = []
    var pieces: [(digester: FramePacker.Digester, bytes: UnsafeRawBufferPointer)] = []
    for (index, item) in items.enumerated() {
      let all = item.block.bytes
      var start = 0
      while start < all.count {
        let room = (packer.batchFrames - batch.count) * Limits.frameBytes
        let end = start + min(all.count - start, room)
        if let digest = item.digest {
          pieces.append((digest.digester, UnsafeRawBufferPointer(rebasing: all[start..<end])))
        }
        while start < end {
          let next = min(end, start + Limits.frameBytes)
          batch.append(
            FramePacker.Source(
              bytes: UnsafeRawBufferPointer(rebasing: all[start..<next]), planeBytes: planes[index]))
          start = next
        }
        if batch.count == packer.batchFrames { try pack(&batch, &pieces) }
      }
    }
    try pack(&batch, &pieces)
  }

  private func pack(
    _ batch: inout [FramePacker.Source],
    _ pieces: inout [(digester: FramePacker.Digester, bytes: UnsafeRawBufferPointer)]
  ) throws(FormatError) {
    if batch.isEmpty { return }
    for (source, packed) in zip(batch, try packer.pack(batch, digesting: pieces)) {
      try payload.append(
        Frame(
          offset: output.byteCount, storedBytes: packed.bytes.count, unpackedBytes: source.bytes.count,
          planeBytes: source.planeBytes, checksum: packed.checksum))
      try output.append(packed.bytes)
    }
    batch.removeAll(keepingCapacity: true)
    pieces.removeAll(keepingCapacity: true)
  }
}
