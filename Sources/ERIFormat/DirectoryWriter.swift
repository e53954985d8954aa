import CERISchema

/// Builds a directory's wire message in an arena.
struct DirectoryWriter {
  let arena: WireArena

  init(_ arena: WireArena) { self.arena = arena }

  /// The directory of a model whose tensors lie where `stored` says.
  /// - Parameter features: those that a reader must know.
  func directory(
    _ model: Model, stored: [StoredTensor], frames: [Frame], features: [Feature] = []
  ) throws(FormatError) -> UnsafeMutablePointer<Eri__Directory> {
    let wire = try arena.message(eri__directory__init)
    wire.pointee.producer = try arena.string("eri \(ERIVersion)")
    if let graph = model.graph {
      do throws(FormatError) { wire.pointee.graph = try self.graph(graph) } catch { throw error.inside("graph") }
    }
    (wire.pointee.n_tensors, wire.pointee.tensors) = (
      model.tensors.count,
      try arena.messages(Array(zip(model.tensors, stored))) { pair throws(FormatError) in
        do throws(FormatError) { return try tensor(pair.0, pair.1) } catch {
          throw error.inside("tensor \"\(pair.0.name)\"")
        }
      }
    )
    wire.pointee.preprocessing = try preprocessing(model.preprocessing)
    (wire.pointee.n_labels, wire.pointee.labels) = (model.labels.count, try arena.strings(model.labels))
    if let provenance = model.provenance { wire.pointee.provenance = try self.provenance(provenance) }
    (wire.pointee.n_lineage, wire.pointee.lineage) = (
      model.lineage.count, try arena.messages(model.lineage, lineageStep)
    )
    wire.pointee.licence = try arena.string(model.licence)
    (wire.pointee.n_goldens, wire.pointee.goldens) = (model.goldens.count, try arena.messages(model.goldens, golden))
    wire.pointee.budget = try budget(model)
    (wire.pointee.n_frames, wire.pointee.frames) = (frames.count, try arena.messages(frames, frame))
    (wire.pointee.n_features, wire.pointee.features) = (features.count, try arena.messages(features, feature))
    return wire
  }

  private func feature(_ feature: Feature) throws(FormatError) -> UnsafeMutablePointer<Eri__Feature> {
    let wire = try arena.message(eri__feature__init)
    wire.pointee.bit = UInt32(feature.rawValue)
    wire.pointee.required = 1
    wire.pointee.name = try arena.string(feature.name)
    wire.pointee.since_major = UInt32(feature.since.major)
    wire.pointee.since_minor = UInt32(feature.since.minor)
    return wire
  }

  private func frame(_ frame: Frame) throws(FormatError) -> UnsafeMutablePointer<Eri__Frame> {
    let wire = try arena.message(eri__frame__init)
    wire.pointee.stored_bytes = try wire32(frame.storedBytes)
    wire.pointee.unpacked_bytes = try wire32(frame.unpackedBytes)
    wire.pointee.filter = frame.planeBytes > 0 ? ERI__FILTER__FILTER_BYTE_PLANES : ERI__FILTER__FILTER_NONE
    wire.pointee.element_bytes = try wire32(frame.planeBytes)
    wire.pointee.crc32c = frame.checksum
    return wire
  }

  private func tensor(_ tensor: Tensor, _ stored: StoredTensor) throws(FormatError) -> UnsafeMutablePointer<Eri__Tensor>
  {
    let wire = try arena.message(eri__tensor__init)
    wire.pointee.name = try arena.string(tensor.name)
    wire.pointee.dtype = Eri__DType(tensor.dtype)
    (wire.pointee.n_shape, wire.pointee.shape) = (tensor.shape.count, try arena.copy64(tensor.shape))
    wire.pointee.role = Eri__Role(rawValue: UInt32(tensor.role.rawValue))
    if let quantization = tensor.quantization { wire.pointee.quantization = try self.quantization(quantization) }
    wire.pointee.first_frame = try wire32(stored.firstFrame)
    wire.pointee.frame_count = try wire32(stored.frameCount)
    wire.pointee.frame_offset = try wire32(stored.frameOffset)
    wire.pointee.sha256 = try arena.bytes(stored.sha256.bytes)
    return wire
  }

  /// The operators that the graph uses and the model's memory.
  private func budget(_ model: Model) throws(FormatError) -> UnsafeMutablePointer<Eri__Budget>? {
    var uses: [OperatorIdentity] = []
    for node in model.graph?.nodes ?? [] where !uses.contains(node.op.identity) { uses.append(node.op.identity) }
    if uses.isEmpty && model.peakBytes == 0 { return nil }
    uses.sort { $0.number < $1.number }
    let wire = try arena.message(eri__budget__init)
    wire.pointee.peak_bytes = model.peakBytes
    (wire.pointee.n_operators, wire.pointee.operators) = (
      uses.count,
      try arena.messages(uses) { use throws(FormatError) in
        let wire = try arena.message(eri__operator_use__init)
        wire.pointee.number = use.number
        wire.pointee.name = try arena.string(use.name)
        wire.pointee.version = use.version
        wire.pointee.since_major = UInt32(use.since.major)
        wire.pointee.since_minor = UInt32(use.since.minor)
        return wire
      }
    )
    return wire
  }
}

extension Eri__DType {
  init(_ dtype: DType) { self.init(rawValue: UInt32(dtype.rawValue)) }
}

extension DType {
  /// The type of a wire number that the schema knows.
  init(wire: Eri__DType) throws(FormatError) {
    guard let number = UInt8(exactly: wire.rawValue), let dtype = DType(rawValue: number) else {
      throw contractError("expected a dtype, found number \(wire.rawValue)")
    }
    self = dtype
  }
}
