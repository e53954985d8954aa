import CERISchema

/// What a directory says.
struct Directory {
  var model: Model
  var stored: [StoredTensor]
  var frames: [Frame]
  var digests: Digests
  /// Bytes of all frames as stored.
  var storedBytes: UInt64
  /// Bytes of all frames unpacked.
  var unpackedBytes: UInt64
  /// Bytes of the largest tensor.
  var largestTensorBytes: UInt64
}

/// Turns a directory's bytes into a model, trusting none of them.
struct DirectoryReader {
  /// An operator that the file says it uses.
  struct OperatorUse {
    let number: UInt32
    let name: String
    let major: UInt32
    let minor: UInt32
  }

  var operators: [OperatorUse] = []
  /// Whether the values stand in skippable frames as they are.
  private var isUnpacked = false

  /// Unpacks a directory.
  /// - Parameter features: required feature bits of the prologue.
  /// - Throws: `FormatError`, the place seen from inside the directory.
  static func read(_ bytes: UnsafeRawBufferPointer, features: UInt64) throws(FormatError) -> Directory {
    let unknown = features & ~Prologue.knownFeatures
    let arena = WireArena()
    let source = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let unpacked = arena.withAllocator { eri__directory__unpack($0, bytes.count, source) }
    guard let wire = unpacked else {
      if unknown != 0 { throw unknownFeature(unknown, nil) }
      if arena.isExhausted {
        throw FormatError(
          .limitExceeded, at: "",
          "expected a directory that unpacks into \(Limits.directoryMemory) bytes, found a larger one")
      }
      throw contractError("expected a protobuf message of the schema, found other bytes")
    }
    if unknown != 0 { throw unknownFeature(unknown, wire) }
    if WireText.holdsZero(bytes, wire.pointee.base.descriptor) {
      throw contractError("expected text without a zero byte, found one")
    }
    return try withExtendedLifetime(arena) { () throws(FormatError) -> Directory in
      try WireRules.check(wire)
      var reader = DirectoryReader()
      reader.isUnpacked = features & Feature.unpackedPayload.mask != 0
      return try reader.directory(wire)
    }
  }

  private mutating func directory(_ pointer: UnsafeMutablePointer<Eri__Directory>) throws(FormatError) -> Directory {
    let wire = pointer.pointee
    if let budget = wire.budget?.pointee { operators = try operatorUses(budget) }
    var model = Model()
    model.peakBytes = wire.budget?.pointee.peak_bytes ?? 0
    model.producer = try text(wire.producer, limit: Limits.nameBytes, "a producer's name")
    let frames = try messages(wire.frames, wire.n_frames, limit: Limits.frames, "data frames", each: "frame", frame)
    let tensors = try messages(wire.tensors, wire.n_tensors, limit: Limits.tensors, "tensors", each: "tensor", tensor)
    model.tensors = tensors.map { $0.0 }
    try TensorRules.check(model.tensors)
    if let graph = wire.graph?.pointee {
      do throws(FormatError) { model.graph = try self.graph(graph) } catch { throw error.inside("graph") }
    }
    do throws(FormatError) {
      model.preprocessing = try preprocessing(wire.preprocessing)
    } catch { throw error.inside("preprocessing") }
    model.labels = try elements(wire.labels, wire.n_labels, limit: Limits.labels, "labels") {
      label throws(FormatError) in
      try text(label, limit: Limits.nameBytes, "a label")
    }
    try TensorRules.checkNames(model.labels, "label")
    do throws(FormatError) { model.provenance = try provenance(wire.provenance) } catch {
      throw error.inside("provenance")
    }
    model.lineage = try messages(
      wire.lineage, wire.n_lineage, limit: Limits.lineage, "steps of lineage", each: "lineage step", lineageStep)
    model.licence = try text(wire.licence, limit: Limits.textBytes, "a licence")
    model.goldens = try messages(
      wire.goldens, wire.n_goldens, limit: Limits.goldens, "goldens", each: "golden", golden
    ).compactMap { $0 }
    let stored = tensors.map { $0.1 }
    let storage = try FrameLayout.check(model.tensors, stored, frames)
    return Directory(
      model: model, stored: stored, frames: storage.frames,
      digests: Digests(pointer, model.tensors, stored.map { $0.sha256 }), storedBytes: storage.storedBytes,
      unpackedBytes: storage.unpackedBytes, largestTensorBytes: storage.largestTensorBytes)
  }

  private func operatorUses(_ budget: Eri__Budget) throws(FormatError) -> [OperatorUse] {
    try messages(
      budget.operators, budget.n_operators, limit: Limits.arity, "operators", each: "operator"
    ) { use throws(FormatError) in
      OperatorUse(
        number: use.number, name: try text(use.name, limit: Limits.nameBytes, "an operator's name"),
        major: use.since_major, minor: use.since_minor)
    }
  }

  /// A frame without its place, which the frames before it decide.
  private func frame(_ wire: Eri__Frame) throws(FormatError) -> Frame {
    if isUnpacked { return try unpackedFrame(wire) }
    let unpacked = try integer(wire.unpacked_bytes, 1...Limits.frameBytes, "unpacked bytes")
    let stored = try integer(wire.stored_bytes, 1...Frame.largestStored(unpacked), "stored bytes")
    let plane: Int
    switch wire.filter {
    case ERI__FILTER__FILTER_BYTE_PLANES:
      plane = Int(clamping: wire.element_bytes)
      guard plane == 2 || plane == 4 || plane == 8, unpacked % plane == 0 else {
        throw contractError(
          "expected byte planes of 2, 4 or 8 bytes that divide \(unpacked), found \(wire.element_bytes)")
      }
    default:
      plane = 0
      guard wire.element_bytes == 0 else {
        throw contractError("expected no element size without a filter, found \(wire.element_bytes)")
      }
    }
    return Frame(offset: 0, storedBytes: stored, unpackedBytes: unpacked, planeBytes: plane, checksum: wire.crc32c)
  }

  /// A skippable frame that holds one tensor as it is.
  private func unpackedFrame(_ wire: Eri__Frame) throws(FormatError) -> Frame {
    let unpacked = try integer(wire.unpacked_bytes, 1...UnpackedFrame.largestTensor, "unpacked bytes")
    let stored = try integer(
      wire.stored_bytes, (unpacked + SkippableFrame.headerBytes)...(unpacked + UnpackedFrame.largestHeader),
      "stored bytes")
    guard wire.filter == ERI__FILTER__FILTER_NONE, wire.element_bytes == 0 else {
      throw contractError("expected no filter in the unpacked form, found number \(wire.filter.rawValue)")
    }
    return Frame(
      offset: 0, storedBytes: stored, unpackedBytes: unpacked, planeBytes: 0, checksum: wire.crc32c,
      headerBytes: stored - unpacked)
  }

  private func tensor(_ wire: Eri__Tensor) throws(FormatError) -> (Tensor, StoredTensor) {
    let name = try text(wire.name, limit: Limits.nameBytes, "a name")
    let dtype = try DType(wire: wire.dtype)
    let shape = try wireShape(wire.shape, wire.n_shape)
    guard let role = UInt8(exactly: wire.role.rawValue).flatMap(Tensor.Role.init(rawValue:)) else {
      throw contractError("expected a role, found number \(wire.role.rawValue)")
    }
    let tensor = Tensor(
      name, dtype, shape, role: role, quantization: try quantization(wire.quantization), values: .bytes([]))
    let digestBytes = try bytes(wire.sha256, limit: SHA256Digest.byteCount, "SHA-256")
    guard let sha256 = SHA256Digest(digestBytes) else {
      throw contractError("expected a SHA-256 of \(SHA256Digest.byteCount) bytes, found \(digestBytes.count)")
    }
    return (
      tensor,
      StoredTensor(
        firstFrame: try integer(wire.first_frame, 0...Limits.frames, "a first frame"),
        frameCount: try integer(wire.frame_count, 0...Limits.frames, "frames"),
        frameOffset: try integer(wire.frame_offset, 0...Limits.frameBytes, "an offset in a frame"),
        sha256: sha256)
    )
  }

  /// Extents within the limits.
  /// The error for required features that this reader lacks, named as the file names them.
  private static func unknownFeature(_ bits: UInt64, _ wire: UnsafeMutablePointer<Eri__Directory>?) -> FormatError {
    let bit = UInt32(bits.trailingZeroBitCount)
    var found = "bit \(bit)"
    if let directory = wire?.pointee, let features = directory.features {
      for index in 0..<directory.n_features {
        guard let feature = features[index]?.pointee, feature.bit == bit, feature.required != 0,
          let name = feature.name, WireRules.isUTF8(UnsafeRawBufferPointer(start: name, count: length(name)))
        else { continue }
        found =
          "\"\(String(cString: name))\" (bit \(bit)), which format \(feature.since_major).\(feature.since_minor) brought"
        break
      }
    }
    return FormatError(
      .unsupported, at: "",
      "expected required features that this reader knows, found \(found); read it with a newer release")
  }

  private static func length(_ text: UnsafeMutablePointer<CChar>) -> Int {
    var count = 0
    while text[count] != 0 { count += 1 }
    return count
  }
}
