import CERISchema

// The metadata's wire form, both ways.

extension DirectoryWriter {
  func preprocessing(_ preprocessing: Preprocessing) throws(FormatError) -> UnsafeMutablePointer<Eri__Preprocessing>? {
    if preprocessing.video == nil && preprocessing.audio == nil { return nil }
    let wire = try arena.message(eri__preprocessing__init)
    if let video = preprocessing.video { wire.pointee.video = try self.video(video) }
    if let audio = preprocessing.audio { wire.pointee.audio = try self.audio(audio) }
    return wire
  }

  private func video(_ video: VideoPreprocessing) throws(FormatError) -> UnsafeMutablePointer<Eri__VideoPreprocessing> {
    let wire = try arena.message(eri__video_preprocessing__init)
    wire.pointee.steps = try wire32(video.steps)
    wire.pointee.height = try wire32(video.height)
    wire.pointee.width = try wire32(video.width)
    wire.pointee.crop = Eri__FaceCrop(rawValue: UInt32(video.crop.rawValue))
    wire.pointee.crop_scale = video.cropScale
    (wire.pointee.n_mean, wire.pointee.mean) = (video.mean.count, try arena.copy(video.mean))
    (wire.pointee.n_deviation, wire.pointee.deviation) = (video.deviation.count, try arena.copy(video.deviation))
    return wire
  }

  private func audio(_ audio: AudioPreprocessing) throws(FormatError) -> UnsafeMutablePointer<Eri__AudioPreprocessing> {
    let wire = try arena.message(eri__audio_preprocessing__init)
    wire.pointee.sample_rate = try wire32(audio.sampleRate)
    wire.pointee.fft_size = try wire32(audio.fftSize)
    wire.pointee.hop_length = try wire32(audio.hopLength)
    wire.pointee.mel_count = try wire32(audio.melCount)
    wire.pointee.coefficient_count = try wire32(audio.coefficientCount)
    wire.pointee.top_decibels = audio.topDecibels
    wire.pointee.stack = try wire32(audio.stack)
    wire.pointee.steps = try wire32(audio.steps)
    wire.pointee.selection = Eri__RowSelection(rawValue: UInt32(audio.selection.rawValue))
    (wire.pointee.n_mean, wire.pointee.mean) = (audio.mean.count, try arena.copy(audio.mean))
    (wire.pointee.n_deviation, wire.pointee.deviation) = (audio.deviation.count, try arena.copy(audio.deviation))
    wire.pointee.statistics_trained = audio.statisticsTrained ? 1 : 0
    return wire
  }

  func provenance(_ provenance: Provenance) throws(FormatError) -> UnsafeMutablePointer<Eri__Provenance> {
    let wire = try arena.message(eri__provenance__init)
    wire.pointee.network = try arena.string(provenance.network)
    (wire.pointee.n_parameters, wire.pointee.parameters) = (
      provenance.parameters.count, try arena.messages(provenance.parameters, parameter)
    )
    wire.pointee.seed = provenance.seed
    wire.pointee.trained = provenance.trained ? 1 : 0
    (wire.pointee.n_training, wire.pointee.training) = (
      provenance.training.count, try arena.messages(provenance.training, parameter)
    )
    wire.pointee.dataset_sha256 = try arena.string(provenance.datasetSHA256)
    return wire
  }

  private func parameter(_ parameter: Parameter) throws(FormatError) -> UnsafeMutablePointer<Eri__Parameter> {
    let wire = try arena.message(eri__parameter__init)
    wire.pointee.name = try arena.string(parameter.name)
    switch parameter.value {
    case .integer(let value):
      wire.pointee.value_case = ERI__PARAMETER__VALUE_INTEGER
      wire.pointee.integer = value
    case .number(let value):
      wire.pointee.value_case = ERI__PARAMETER__VALUE_NUMBER
      wire.pointee.number = value
    case .text(let value):
      wire.pointee.value_case = ERI__PARAMETER__VALUE_TEXT
      wire.pointee.text = try arena.string(value)
    case .flag(let value):
      wire.pointee.value_case = ERI__PARAMETER__VALUE_FLAG
      wire.pointee.flag = value ? 1 : 0
    }
    return wire
  }

  func lineageStep(_ step: LineageStep) throws(FormatError) -> UnsafeMutablePointer<Eri__LineageStep> {
    let wire = try arena.message(eri__lineage_step__init)
    wire.pointee.action = try arena.string(step.action)
    wire.pointee.detail = try arena.string(step.detail)
    wire.pointee.source = try arena.string(step.source)
    wire.pointee.source_sha256 = try arena.string(step.sourceSHA256)
    return wire
  }

  func golden(_ golden: Golden) throws(FormatError) -> UnsafeMutablePointer<Eri__Golden> {
    let wire = try arena.message(eri__golden__init)
    wire.pointee.name = try arena.string(golden.name)
    wire.pointee.generator = golden.generator
    wire.pointee.seed = golden.seed
    (wire.pointee.n_bindings, wire.pointee.bindings) = (
      golden.bindings.count,
      try arena.messages(golden.bindings) { binding throws(FormatError) in
        let wire = try arena.message(eri__binding__init)
        wire.pointee.symbol = try arena.string(binding.symbol)
        wire.pointee.size = try wire64(binding.size)
        return wire
      }
    )
    (wire.pointee.n_inputs, wire.pointee.inputs) = (
      golden.inputs.count,
      try arena.messages(golden.inputs) { values throws(FormatError) in try values.wire(in: arena) }
    )
    (wire.pointee.n_outputs, wire.pointee.outputs) = (
      golden.outputs.count,
      try arena.messages(golden.outputs) { values throws(FormatError) in try values.wire(in: arena) }
    )
    wire.pointee.tolerance = golden.tolerance
    return wire
  }
}

extension DirectoryReader {
  func preprocessing(_ wire: UnsafeMutablePointer<Eri__Preprocessing>?) throws(FormatError) -> Preprocessing {
    guard let wire = wire?.pointee else { return Preprocessing() }
    var preprocessing = Preprocessing()
    do throws(FormatError) { preprocessing.video = try wire.video.map(video) } catch { throw error.inside("video") }
    do throws(FormatError) { preprocessing.audio = try wire.audio.map(audio) } catch { throw error.inside("audio") }
    return preprocessing
  }

  private func video(_ pointer: UnsafeMutablePointer<Eri__VideoPreprocessing>) throws(FormatError) -> VideoPreprocessing
  {
    let wire = pointer.pointee
    var video = VideoPreprocessing()
    video.steps = try integer(wire.steps, 1...Limits.steps, "steps")
    video.height = try integer(wire.height, 1...Limits.cropExtent, "a height")
    video.width = try integer(wire.width, 1...Limits.cropExtent, "a width")
    guard let crop = UInt8(exactly: wire.crop.rawValue).flatMap(VideoPreprocessing.Crop.init(rawValue:)) else {
      throw contractError("expected a face crop, found number \(wire.crop.rawValue)")
    }
    video.crop = crop
    guard wire.crop_scale > 0, wire.crop_scale <= Float(Limits.cropScale) else {
      throw contractError("expected a crop scale above 0 and up to \(Limits.cropScale), found \(wire.crop_scale)")
    }
    video.cropScale = wire.crop_scale
    (video.mean, video.deviation) = try statistics(
      wire.mean, wire.n_mean, wire.deviation, wire.n_deviation, count: 3)
    return video
  }

  private func audio(_ pointer: UnsafeMutablePointer<Eri__AudioPreprocessing>) throws(FormatError) -> AudioPreprocessing
  {
    let wire = pointer.pointee
    var audio = AudioPreprocessing()
    audio.sampleRate = try integer(wire.sample_rate, 1...Limits.sampleRate, "a sample rate")
    audio.fftSize = try integer(wire.fft_size, 1...Limits.transformSize, "an FFT size")
    audio.hopLength = try integer(wire.hop_length, 1...Limits.transformSize, "a hop length")
    audio.melCount = try integer(wire.mel_count, 1...Limits.bands, "mel bands")
    audio.coefficientCount = try integer(wire.coefficient_count, 1...audio.melCount, "coefficients")
    guard wire.top_decibels.isFinite, wire.top_decibels >= 0 else {
      throw contractError("expected a finite range of at least 0 decibels, found \(wire.top_decibels)")
    }
    audio.topDecibels = wire.top_decibels
    audio.stack = try integer(wire.stack, 1...Limits.stack, "stacked frames")
    audio.steps = try integer(wire.steps, 1...Limits.steps, "steps")
    guard let selection = UInt8(exactly: wire.selection.rawValue).flatMap(AudioPreprocessing.Selection.init(rawValue:))
    else { throw contractError("expected a row selection, found number \(wire.selection.rawValue)") }
    audio.selection = selection
    (audio.mean, audio.deviation) = try statistics(
      wire.mean, wire.n_mean, wire.deviation, wire.n_deviation, count: audio.coefficientCount)
    audio.statisticsTrained = wire.statistics_trained != 0
    return audio
  }

  /// Finite means and finite deviations above 0, `count` of each.
  private func statistics(
    _ mean: UnsafeMutablePointer<Float>?, _ meanCount: Int, _ deviation: UnsafeMutablePointer<Float>?,
    _ deviationCount: Int, count: Int
  ) throws(FormatError) -> ([Float], [Float]) {
    guard meanCount == count, deviationCount == count else {
      throw contractError("expected \(count) means and deviations, found \(meanCount) and \(deviationCount)")
    }
    let means = try elements(mean, count, limit: count, "means") { value throws(FormatError) in
      guard value.isFinite else { throw contractError("expected finite means, found \(value)") }
      return value
    }
    let deviations = try elements(deviation, count, limit: count, "deviations") { value throws(FormatError) in
      guard value.isFinite, value > 0 else { throw contractError("expected finite deviations above 0, found \(value)") }
      return value
    }
    return (means, deviations)
  }

  func provenance(_ wire: UnsafeMutablePointer<Eri__Provenance>?) throws(FormatError) -> Provenance? {
    guard let wire = wire?.pointee else { return nil }
    var provenance = Provenance()
    provenance.network = try text(wire.network, limit: Limits.nameBytes, "a network's name")
    provenance.parameters = try parameters(wire.parameters, wire.n_parameters)
    provenance.seed = wire.seed
    provenance.trained = wire.trained != 0
    provenance.training = try parameters(wire.training, wire.n_training)
    provenance.datasetSHA256 = try text(wire.dataset_sha256, limit: Limits.nameBytes, "a digest")
    return provenance
  }

  /// The parameters but those of a kind that a newer minor version brought.
  private func parameters(
    _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Eri__Parameter>?>?, _ count: Int
  ) throws(FormatError) -> [Parameter] {
    try messages(pointer, count, limit: Limits.parameters, "parameters", each: "parameter", parameter).compactMap { $0 }
  }

  private func parameter(_ wire: Eri__Parameter) throws(FormatError) -> Parameter? {
    let name = try text(wire.name, limit: Limits.nameBytes, "a parameter's name")
    switch wire.value_case {
    case ERI__PARAMETER__VALUE_INTEGER: return Parameter(name, .integer(wire.integer))
    case ERI__PARAMETER__VALUE_NUMBER: return Parameter(name, .number(wire.number))
    case ERI__PARAMETER__VALUE_TEXT:
      return Parameter(name, .text(try text(wire.text, limit: Limits.textBytes, "a parameter's text")))
    case ERI__PARAMETER__VALUE_FLAG: return Parameter(name, .flag(wire.flag != 0))
    default: return nil
    }
  }

  func lineageStep(_ wire: Eri__LineageStep) throws(FormatError) -> LineageStep {
    LineageStep(
      action: try text(wire.action, limit: Limits.nameBytes, "an action"),
      detail: try text(wire.detail, limit: Limits.textBytes, "a detail"),
      source: try text(wire.source, limit: Limits.textBytes, "a source"),
      sourceSHA256: try text(wire.source_sha256, limit: Limits.nameBytes, "a digest"))
  }

  /// The golden, or nil if a tensor's dtype came with a newer minor version.
  func golden(_ wire: Eri__Golden) throws(FormatError) -> Golden? {
    var golden = Golden()
    golden.name = try text(wire.name, limit: Limits.nameBytes, "a name")
    golden.generator = wire.generator
    golden.seed = wire.seed
    golden.bindings = try messages(
      wire.bindings, wire.n_bindings, limit: Limits.symbols, "bindings", each: "binding"
    ) { binding throws(FormatError) in
      Golden.Binding(
        try text(binding.symbol, limit: Limits.nameBytes, "a symbol's name"),
        try integer(binding.size, 0...Limits.elements, "a size"))
    }
    let inputs = try messages(
      wire.inputs, wire.n_inputs, limit: Limits.arity, "inputs", each: "input", Golden.Values.init(wire:))
    let outputs = try messages(
      wire.outputs, wire.n_outputs, limit: Limits.arity, "outputs", each: "output", Golden.Values.init(wire:))
    golden.inputs = inputs.compactMap { $0 }
    golden.outputs = outputs.compactMap { $0 }
    guard wire.tolerance.isFinite, wire.tolerance >= 0 else {
      throw contractError("expected a finite tolerance of at least 0, found \(wire.tolerance)")
    }
    golden.tolerance = wire.tolerance
    return golden.inputs.count == inputs.count && golden.outputs.count == outputs.count ? golden : nil
  }
}

extension Golden.Values {
  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__GoldenTensor> {
    let wire = try arena.message(eri__golden_tensor__init)
    wire.pointee.name = try arena.string(name)
    wire.pointee.dtype = Eri__DType(dtype)
    (wire.pointee.n_shape, wire.pointee.shape) = (shape.count, try arena.copy64(shape))
    wire.pointee.values = try arena.bytes(bytes)
    return wire
  }

  /// Nil if the dtype came with a newer minor version.
  init?(wire: Eri__GoldenTensor) throws(FormatError) {
    let name = try text(wire.name, limit: Limits.nameBytes, "a name")
    let shape = try wireShape(wire.shape, wire.n_shape)
    let values = try ERIFormat.bytes(wire.values, limit: Limits.directoryBytes, "values")
    guard wire.dtype != ERI__DTYPE__DTYPE_UNSPECIFIED else { throw contractError("expected a dtype, found number 0") }
    guard let number = UInt8(exactly: wire.dtype.rawValue), let dtype = DType(rawValue: number) else { return nil }
    guard let count = byteCount(of: shape, dtype), count == values.count else {
      throw contractError("expected the values of \(dtype.name) \(shapeText(shape)), found \(values.count) bytes")
    }
    self.init(name, dtype, shape, values)
  }
}
