/// How tensors lie in the data frames: in order, without hole or overlap.
enum FrameLayout {
  struct Storage {
    var frames: [Frame]
    var storedBytes: UInt64
    var unpackedBytes: UInt64
    var largestTensorBytes: UInt64
  }

  /// Gives the frames their places and checks that the tensors' bytes fill them exactly.
  ///
  /// In the unpacked form each tensor has one frame. Otherwise a tensor takes whole frames of its own; one under `Limits.sharedTensorBytes` may instead lie with others of its kind in a
  /// frame of at most `Limits.sharedFrameBytes`.
  static func check(_ tensors: [Tensor], _ stored: [StoredTensor], _ frames: [Frame]) throws(FormatError) -> Storage {
    var storage = Storage(frames: [], storedBytes: 0, unpackedBytes: 0, largestTensorBytes: 0)
    storage.frames.reserveCapacity(frames.count)
    for frame in frames {
      let offset = UInt64(Prologue.byteCount) + storage.storedBytes
      guard frame.headerBytes == 0 || frame.headerBytes == UnpackedFrame.headerBytes(at: offset) else {
        throw contractError(
          "expected \(UnpackedFrame.headerBytes(at: offset)) bytes before the values of frame \(storage.frames.count), "
            + "found \(frame.headerBytes)")
      }
      storage.frames.append(frame.moved(to: offset))
      storage.storedBytes += UInt64(frame.storedBytes)
      storage.unpackedBytes += UInt64(frame.unpackedBytes)
    }
    guard storage.unpackedBytes <= Limits.unpackedBytes else {
      throw FormatError(
        .limitExceeded, at: "",
        "expected at most \(Limits.unpackedBytes) unpacked bytes, found \(storage.unpackedBytes)")
    }
    var cursor = Cursor()
    for (tensor, place) in zip(tensors, stored) {
      guard let count = tensor.byteCount else { continue }
      storage.largestTensorBytes = max(storage.largestTensorBytes, UInt64(count))
      do throws(FormatError) {
        try cursor.take(count, place, frames)
      } catch {
        throw error.inside("tensor \"\(tensor.name)\"")
      }
    }
    guard cursor.offset == 0, cursor.frame == frames.count else {
      throw contractError(
        "expected tensors that fill all \(frames.count) data frames, found bytes left in frame \(cursor.frame)")
    }
    return storage
  }

  /// The first byte that no tensor has taken yet.
  private struct Cursor {
    var frame = 0
    /// Not 0 only inside a frame that small tensors share.
    var offset = 0

    mutating func take(_ count: Int, _ place: StoredTensor, _ frames: [Frame]) throws(FormatError) {
      if count == 0 {
        guard place.firstFrame == 0, place.frameCount == 0, place.frameOffset == 0 else {
          throw contractError(
            "expected no frames for no bytes, found \(place.frameCount) from frame \(place.firstFrame)")
        }
        return
      }
      guard place.firstFrame == frame, place.frameOffset == offset else {
        throw contractError(
          "expected bytes from frame \(frame), offset \(offset), found frame \(place.firstFrame), offset \(place.frameOffset)"
        )
      }
      let (end, overflow) = place.firstFrame.addingReportingOverflow(place.frameCount)
      guard !overflow, place.frameCount >= 1, end <= frames.count else {
        throw contractError(
          "expected frames below \(frames.count), found \(place.frameCount) from frame \(place.firstFrame)")
      }
      if frames[frame].headerBytes > 0 {
        guard place.frameCount == 1, count == frames[frame].unpackedBytes else {
          throw contractError("expected one frame of \(count) bytes to map, found others")
        }
        frame = end
        return
      }
      if place.frameCount == 1 && (offset > 0 || count < frames[frame].unpackedBytes) {
        try takeShared(count, frames[frame])
        return
      }
      var rest = count
      for index in place.firstFrame..<end { rest -= min(rest + 1, frames[index].unpackedBytes) }
      guard offset == 0, rest == 0 else {
        throw contractError("expected frames of \(count) bytes in all, found others")
      }
      frame = end
    }

    private mutating func takeShared(_ count: Int, _ shared: Frame) throws(FormatError) {
      guard count < Limits.sharedTensorBytes, shared.unpackedBytes <= Limits.sharedFrameBytes else {
        throw contractError(
          "expected a shared frame of at most \(Limits.sharedFrameBytes) bytes with tensors under \(Limits.sharedTensorBytes), "
            + "found \(count) of \(shared.unpackedBytes) bytes")
      }
      guard count <= shared.unpackedBytes - offset else {
        throw contractError("expected \(count) bytes from offset \(offset), found \(shared.unpackedBytes - offset)")
      }
      offset += count
      if offset == shared.unpackedBytes {
        frame += 1
        offset = 0
      }
    }
  }
}
