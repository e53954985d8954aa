/// Writes tensors as they are, one skippable frame each.
enum UnpackedPayload {
  static func write(_ tensors: [Tensor], to output: FileWriter) throws(FormatError) -> Payload {
    var payload = Payload()
    payload.features = [.unpackedPayload]
    let reader = try TensorReader()
    for tensor in tensors {
      do throws(FormatError) { try write(tensor, reader, to: output, &payload) } catch {
        throw error.inside("tensor \"\(tensor.name)\"")
      }
    }
    return payload
  }

  private static func write(
    _ tensor: Tensor, _ reader: TensorReader, to output: FileWriter, _ payload: inout Payload
  ) throws(FormatError) {
    let block = try TensorBlock(tensor, with: reader)
    let bytes = block.bytes
    let sha256 = SHA256.digest(of: bytes)
    payload.largestTensorBytes = max(payload.largestTensorBytes, UInt64(bytes.count))
    if bytes.isEmpty {
      payload.stored.append(StoredTensor(firstFrame: 0, frameCount: 0, frameOffset: 0, sha256: sha256))
      return
    }
    guard bytes.count <= UnpackedFrame.largestTensor else {
      throw FormatError(
        .limitExceeded, at: "",
        "expected at most \(UnpackedFrame.largestTensor) bytes in a frame to map, found \(bytes.count)")
    }
    let offset = output.byteCount
    let header = UnpackedFrame.header(at: offset, unpackedBytes: bytes.count)
    try output.append(header)
    try output.append(bytes)
    payload.stored.append(
      StoredTensor(firstFrame: payload.frames.count, frameCount: 1, frameOffset: 0, sha256: sha256))
    try payload.append(
      Frame(
        offset: offset, storedBytes: header.count + bytes.count, unpackedBytes: bytes.count, planeBytes: 0,
        checksum: UnpackedFrame.checksum(header, bytes), headerBytes: header.count))
  }
}
