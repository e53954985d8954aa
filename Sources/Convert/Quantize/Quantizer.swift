package import ERIFormat

/// How a model is quantised.
package struct QuantizerOptions: Sendable {
  package var method = RangeMethod.mse
  /// Of `percentile`: the share of a value's numbers, in per cent, that lie within its range.
  package var percentile = 99.99
  /// Bits of the weights and inputs of layers that sum products, 7 or 8: with 7, the sums of four products fit into 16 bits, for
  /// processors without 8-bit dot products.
  package var bits = 8
  package var correctsBias = false
  package var equalises = false
  /// Layers that stay in float32: names, or the beginning of names up to a dot.
  package var excluded: [String] = []
  /// What the outputs' correlation with those in float32 may lose; nil: whatever it loses.
  package var maximumDrop: Double?
  package var threads = 1

  package init() {}
}

/// Turns a float32 model into one whose layers compute with 8-bit integers.
package struct Quantizer {
  private let original: Model
  private let place: String
  private let options: QuantizerOptions
  private let samples: [CalibrationSample]
  private let progress: (String, Int, Int) -> Void
  private var editable: EditableGraph
  private var layers: [QuantizableLayer] = []
  private var calibration: Calibration?
  private var codes: [Int: Quantization] = [:]
  private var isQuantized: [Bool] = []
  private var fallbacks: [String?] = []

  /// What was done, a sentence each.
  package private(set) var notes: [String] = []
  package private(set) var report = QuantizationReport()

  /// Samples on which single layers are tried.
  private static let trialSamples = 8

  /// - Parameters:
  ///   - place: what messages call the model.
  ///   - progress: called with what is being done, how much of it is done and of how much.
  /// - Throws: `FormatError` `.unsupported` for a model without a graph, with quantised values or without a layer to quantise,
  ///   `.invalid` if there is no sample or an excluded layer does not exist.
  package init(
    _ model: Model, place: String, samples: [CalibrationSample], options: QuantizerOptions,
    progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
  ) throws(FormatError) {
    guard let graph = model.graph else {
      throw FormatError(.unsupported, at: place, "expected a model with a graph, found tensors alone")
    }
    let isPlain =
      model.tensors.allSatisfy { $0.quantization == nil } && graph.values.allSatisfy { $0.quantization == nil }
    guard isPlain else {
      throw FormatError(
        .unsupported, at: place, "expected a float32 model, found a quantized one; quantize the model that it came from"
      )
    }
    guard !samples.isEmpty else {
      throw FormatError(.invalid, at: place, "expected samples to calibrate with, found none")
    }
    original = model
    self.place = place
    self.options = options
    self.samples = samples
    self.progress = progress
    editable = EditableGraph(graph, model.tensors)
  }

  // MARK: Steps

  /// The quantised model, its lineage told but its goldens as they were.
  package mutating func quantized() throws(FormatError) -> Model {
    do throws(FormatError) {
      try fold()
      layers = editable.quantizableLayers
      guard !layers.isEmpty else {
        throw FormatError(
          .unsupported, at: "",
          "expected a convolution or linear layer of constant float32 weights, found none; quantize takes the networks of `eri init` and `eri convert --network`"
        )
      }
      fallbacks = layers.map { _ in nil }
      try exclude()
    } catch { throw error.place.hasPrefix(place) ? error : error.inside(place) }
    try calibrate()
    if options.equalises { try equalise() }
    try measure()
    try keepSensitive()
    return try finished()
  }

  private mutating func fold() throws(FormatError) {
    let weightNorms = try editable.foldWeightNorms()
    if !weightNorms.isEmpty {
      notes.append(
        "\(counted(weightNorms.count, "weight norm")) worked into \(weightNorms.count == 1 ? "its weight" : "their weights"): .g and .v became .weight"
      )
    }
    let batchNorms = try editable.foldBatchNorms()
    if !batchNorms.isEmpty {
      notes.append(
        "\(counted(batchNorms.count, "batch norm")) worked into the convolution before: its .weight changed, its .bias holds what is left"
      )
    }
    let states = original.tensors.count { $0.role == .optimizerState }
    if states > 0 { notes.append("\(counted(states, "tensor")) of optimiser state left out") }
    var used: Set<Int> = []
    for value in original.graph?.values ?? [] {
      if case .tensor(let tensor) = value.source { used.insert(tensor) }
    }
    let unused = original.tensors.indices.count { !used.contains($0) && original.tensors[$0].role != .optimizerState }
    if unused > 0 { notes.append("\(counted(unused, "tensor")) that the graph does not use left out") }
  }

  private mutating func exclude() throws(FormatError) {
    for name in options.excluded {
      let matches = layers.indices.filter { layers[$0].name == name || layers[$0].name.hasPrefix(name + ".") }
      guard !matches.isEmpty else {
        throw FormatError(
          .invalid, at: "--exclude",
          "expected a layer among \(joined(layers.map { $0.name }, separator: ", ")), found \"\(name)\"")
      }
      for index in matches { fallbacks[index] = "excluded" }
    }
  }

  private mutating func calibrate() throws(FormatError) {
    let progress = self.progress
    let found = try Calibration(
      editable, layers, model: original, samples: samples, threads: options.threads, place: place
    ) { progress("calibrating", $0, $1) }
    calibration = found
    codes = [:]
    for (value, statistics) in found.inputs where statistics.wasSeen {
      let sumsProducts = layers.allSatisfy { $0.input != value || $0.sumsProducts }
      codes[value] = statistics.quantization(
        options.method, percentile: options.percentile, bits: sumsProducts ? options.bits : 8)
    }
    for (index, layer) in layers.enumerated() where codes[layer.input] == nil {
      fallbacks[index] = fallbacks[index] ?? "not computed on any sample"
    }
    isQuantized = fallbacks.map { $0 == nil }
  }

  /// Evens out what flows between pairs of layers, if that brings the outputs closer to those in float32.
  private mutating func equalise() throws(FormatError) {
    let pairs = editable.equalisablePairs(layers)
    guard !pairs.isEmpty, let calibration else {
      notes.append("no layers to equalise: none is followed by ReLU and another layer alone")
      return
    }
    let before = self
    let plain = try agreement(isQuantized, samples.indices)
    for (first, second) in pairs {
      guard let statistics = calibration.inputs[second.input] else { continue }
      try editable.equalise(first, second, magnitudes: statistics.magnitudes)
    }
    try calibrate()
    let equalised = try agreement(isQuantized, samples.indices)
    if equalised > plain {
      notes.append(
        "\(counted(pairs.count, "pair")) of layers equalised: correlation \(decimal(Float(equalised))) instead of \(decimal(Float(plain)))"
      )
    } else {
      self = before
      notes.append(
        "equalising \(counted(pairs.count, "pair")) of layers undone: correlation \(decimal(Float(equalised))) instead of \(decimal(Float(plain)))"
      )
    }
  }

  /// What each layer costs when it alone is quantised.
  private mutating func measure() throws(FormatError) {
    guard let calibration else { return }
    report.layers = []
    let trials = trialIndices
    for (index, layer) in layers.enumerated() {
      guard fallbacks[index] == nil, let codes = codes[layer.input] else {
        report.layers.append(
          QuantizationReport.Layer(
            name: layer.name, signalToNoise: .infinity, clipping: 0, drop: 0, reason: fallbacks[index]))
        continue
      }
      var only = [Bool](repeating: false, count: layers.count)
      only[index] = true
      var model = try assembled(only)
      let value = model.graph?.values.firstIndex { $0.name == editable.values[layer.output].name }
      if let value { model.graph?.outputs.insert(value, at: 0) }
      let runner = try SampleRunner(model, place: place, threads: options.threads)
      var outputs: [[[Float]]] = []
      var layerOutput: [Float] = []
      for number in trials {
        let results = try runner.run(samples[number])
        outputs.append(results)
        if number < Calibration.keptSamples { layerOutput += Calibration.some(results[0]) }
      }
      let pearson = OutputAgreement.pearson(outputs, trials.map { calibration.outputs[$0] }, columns: columns)
      report.layers.append(
        QuantizationReport.Layer(
          name: layer.name,
          signalToNoise: OutputAgreement.signalToNoise(layerOutput, calibration.layerOutputs[index]),
          clipping: calibration.inputs[layer.input]?.clipping(codes) ?? 0, drop: max(0, 1 - pearson), reason: nil))
      progress("measuring layers", index + 1, layers.count)
    }
  }

  /// Returns the most sensitive layers to float32, one after another, until the outputs are close enough.
  private mutating func keepSensitive() throws(FormatError) {
    report.pearson = try agreement(isQuantized, samples.indices)
    guard let maximum = options.maximumDrop else { return }
    let order = report.layers.indices.filter { isQuantized[$0] }.sorted {
      report.layers[$0].drop > report.layers[$1].drop
    }
    for (rank, index) in order.enumerated() {
      if 1 - report.pearson <= maximum { return }
      progress("keeping layers in float32", rank + 1, order.count)
      isQuantized[index] = false
      report.layers[index].reason = "kept: the outputs lose most by it"
      report.pearson = try agreement(isQuantized, samples.indices)
    }
  }

  // MARK: Models

  /// Samples, evenly spread, on which single layers are tried; the first among them.
  private var trialIndices: [Int] {
    let count = min(samples.count, Quantizer.trialSamples)
    let kept = min(count, Calibration.keptSamples)
    let rest = count - kept
    return Array(0..<kept) + (0..<rest).map { kept + $0 * (samples.count - kept) / max(rest, 1) }
  }

  private var columns: Int {
    guard let output = editable.outputs.last, let calibration, let first = calibration.outputs.first?.last else {
      return 0
    }
    return editable.values[output].declared == nil && !original.labels.isEmpty ? original.labels.count : first.count
  }

  /// The correlation of the outputs with those in float32.
  private func agreement(_ chosen: [Bool], _ indices: Range<Int>) throws(FormatError) -> Double {
    guard let calibration else { return 0 }
    let runner = try SampleRunner(try assembled(chosen), place: place, threads: options.threads)
    var outputs: [[[Float]]] = []
    for number in indices { outputs.append(try runner.run(samples[number])) }
    return OutputAgreement.pearson(outputs, indices.map { calibration.outputs[$0] }, columns: columns)
  }

  /// The model with these layers quantised.
  private func assembled(_ chosen: [Bool]) throws(FormatError) -> Model {
    var graph = editable
    for (index, layer) in layers.enumerated() where chosen[index] {
      guard let codes = codes[layer.input] else { continue }
      let floats = try editable.floats(layer.tensor)
      let tensor = editable.tensors[layer.tensor]
      let weight = QuantizedWeight(floats, channels: tensor.shape[0], bits: layer.sumsProducts ? options.bits : 8)
      graph.tensors[layer.tensor] = Tensor(
        tensor.name, .i8, tensor.shape, role: tensor.role, quantization: weight.quantization,
        values: .bytes(weight.codes.map { UInt8(bitPattern: $0) }))
      graph.values[layer.input].quantization = codes
      if options.correctsBias { try correct(layer, weight, floats, &graph) }
    }
    var model = original
    (model.graph, model.tensors) = graph.compacted()
    return model
  }

  /// Takes from the bias what rounding the weights adds to the mean of each output channel.
  private func correct(
    _ layer: QuantizableLayer, _ weight: QuantizedWeight, _ floats: [Float], _ graph: inout EditableGraph
  ) throws(FormatError) {
    guard let node = graph.nodes[layer.node], let statistics = calibration?.inputs[layer.input] else { return }
    var groups = 1
    if case .conv(let conv) = node.op { groups = conv.groups }
    let means = statistics.sums.indices.map { statistics.mean($0) }
    let channels = weight.quantization.scales.count
    var biases = [Float](repeating: 0, count: channels)
    if node.inputs.count > 2, let tensor = graph.floatTensor(of: node.inputs[2]) { biases = try graph.floats(tensor) }
    for channel in 0..<channels {
      biases[channel] -= Float(weight.shift(floats, channel: channel, means: means, groups: groups))
    }
    let own = graph.addWeight(graph.biasName(graph.tensors[layer.tensor].name), [channels], biases)
    graph.nodes[layer.node] = Node(node.op, inputs: [node.inputs[0], node.inputs[1], own], outputs: node.outputs)
  }

  private mutating func finished() throws(FormatError) -> Model {
    var model = try assembled(isQuantized)
    report.method = options.method
    report.samples = samples.count
    for tensor in editable.compacted().tensors where tensor.role == .weight {
      report.floatBytes += tensor.byteCount ?? 0
    }
    for tensor in model.tensors where tensor.role == .weight { report.storedBytes += tensor.byteCount ?? 0 }
    var method = options.method.rawValue
    if options.method == .percentile { method += " \(decimal(options.percentile))" }
    var detail =
      "\(counted(report.quantizedCount, "layer")) of \(layers.count) to int8: weights per output channel, symmetric; activations per tensor by \(method) over \(counted(samples.count, "sample"))"
    if options.bits < 8 { detail += "; \(options.bits) bits where products are summed, 8 elsewhere" }
    if options.correctsBias { detail += "; biases corrected" }
    let kept = report.layers.filter { $0.reason != nil }.map { $0.name }
    if !kept.isEmpty { detail += "; in float32: \(joined(kept, separator: ", "))" }
    for note in notes { detail += "; \(note)" }
    model.lineage.append(LineageStep(action: "quantize", detail: detail))
    return model
  }
}
