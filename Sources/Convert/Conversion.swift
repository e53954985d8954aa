package import ERIFormat

/// Reads a container as a model, and says what that did.
package struct Conversion: Sendable {
  package var model: Model
  /// Whether the source is an .eri file, which stays what it is.
  package private(set) var isRepacking = false
  /// What was noticed, left behind or changed, a sentence each.
  package private(set) var notes: [String] = []
  /// What fitting to a network did, rule by rule.
  package private(set) var steps: [Fitting.Step] = []
  private var casts = CastLog()

  init(model: Model, notes: [String], steps: [Fitting.Step], casts: CastLog) {
    self.model = model
    self.notes = notes
    self.steps = steps
    self.casts = casts
  }

  /// Reads a file of tensors of any container; an .eri file keeps all it holds, an .onnx file its graph.
  /// - Parameters:
  ///   - allowInert: whether objects that a pickle asks for become inert placeholders instead of a refusal.
  ///   - weightsOnly: whether an .onnx file's graph is left out.
  /// - Throws: `FormatError` with the path as the outermost place; `.unsupported` for a graph that cannot be computed here.
  package init(reading path: String, allowInert: Bool = false, weightsOnly: Bool = false) throws(FormatError) {
    let checkpoint = try Checkpoint(reading: path, allowInert: allowInert)
    if case .model(let model) = checkpoint.details {
      self.model = model
      isRepacking = true
      return
    }
    notes = checkpoint.notes
    if checkpoint.container == .onnx && !weightsOnly {
      do throws(FormatError) {
        let (model, notes) = try ONNXImport.model(of: checkpoint)
        self.model = model
        self.notes += notes
        self.model.lineage[0].sourceSHA256 = try Conversion.digest(ofFile: path).text
      } catch {
        throw error.place.hasPrefix(path) ? error : error.inside(path)
      }
      return
    }
    if checkpoint.container == .onnx { notes.append("the graph was left out") }
    model = Model()
    // The format wants optimiser state last.
    let states = checkpoint.entries.filter { $0.tensor.role == .optimizerState }
    model.tensors = checkpoint.entries.filter { $0.tensor.role != .optimizerState }.map { $0.tensor }
    if let first = checkpoint.entries.firstIndex(where: { $0.tensor.role == .optimizerState }),
      first < model.tensors.count
    {
      notes.append("optimiser state was moved behind the other tensors")
    }
    model.tensors += states.map { $0.tensor }
    model.lineage.append(
      LineageStep(
        action: "convert", detail: Conversion.detail(checkpoint), source: fileName(of: path),
        sourceSHA256: try Conversion.digest(ofFile: path).text))
  }

  /// Casts the floating-point weights to a type as they are written.
  /// - Parameter allowOverflow: whether finite values may become infinite.
  /// - Throws: `FormatError` `.invalid` for a type that is no floating-point one, `.unsupported` for a model with a graph,
  ///   whose operators say what they compute with.
  package mutating func store(as dtype: DType, allowOverflow: Bool) throws(FormatError) {
    guard [DType.f64, .f32, .f16, .bf16].contains(dtype) else {
      throw FormatError(.invalid, at: "", "expected a floating-point type to store, found \(dtype.name)")
    }
    guard model.graph == nil else {
      throw FormatError(
        .unsupported, at: "",
        "expected a file of tensors alone to cast, found a graph whose operators take the types that it has")
    }
    for (index, tensor) in model.tensors.enumerated() where tensor.role == .weight && tensor.dtype != dtype {
      model.tensors[index] = casts.cast(tensor, to: dtype, allowOverflow: allowOverflow)
    }
    if casts.count > 0 {
      model.lineage.append(
        LineageStep(action: "store", detail: "\(counted(casts.count, "tensor")) cast to \(dtype.name)"))
    }
  }

  /// What the casts did, a sentence for each pair of types; complete once the model has been written.
  package var castReports: [String] { casts.reports }

  private static func detail(_ checkpoint: Checkpoint) -> String {
    var detail = checkpoint.container.rawValue
    if case .safetensors(let metadata?) = checkpoint.details {
      for (key, value) in metadata where key != SafetensorsReader.Roles.key {
        detail += ", metadata \(brief(key)): \(brief(value))"
      }
    }
    // What the format's limit of a text leaves room for.
    return detail.utf8.count <= 65_536 ? detail : checkpoint.container.rawValue
  }

  /// SHA-256 of a file's bytes.
  package static func digest(ofFile path: String) throws(FormatError) -> SHA256Digest {
    do throws(FormatError) {
      let file = try FileHandle(path: path)
      let buffer = try BlockBuffer(1 << 20, 1)
      defer { withExtendedLifetime(buffer) {} }
      var digest = SHA256()
      var offset: UInt64 = 0
      while offset < file.byteCount {
        let bytes = buffer.prefix(Int(min(1 << 20, file.byteCount - offset)))
        try file.read(into: bytes, at: offset)
        digest.update(UnsafeRawBufferPointer(bytes))
        offset += UInt64(bytes.count)
      }
      return digest.finished()
    } catch {
      throw error.inside(path)
    }
  }
}
