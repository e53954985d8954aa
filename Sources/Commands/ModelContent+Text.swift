import ERIFormat

extension ModelContent {
  /// One fact per line, then the tensors.
  var text: String {
    var facts = TextTable([.left, .left])
    facts.add(["file", path])
    facts.add(["container", "eri"])
    if !model.producer.isEmpty { facts.add(["producer", model.producer]) }
    if let provenance = model.provenance { facts.add(["network", text(provenance)]) }
    for input in inputs { facts.add(["input", text(input)]) }
    for output in outputs { facts.add(["output", text(output)]) }
    if !operators.isEmpty {
      facts.add(["operators", joined(operators.map { "\($0.count) \($0.name)" }, separator: ", ")])
    } else if model.graph == nil {
      facts.add(["graph", "none: a file of tensors alone"])
    }
    if !model.labels.isEmpty { facts.add(["labels", joined(model.labels, separator: ", ")]) }
    if let video = model.preprocessing.video { facts.add(["video", text(video)]) }
    if let audio = model.preprocessing.audio { facts.add(["audio", text(audio)]) }
    for step in model.lineage { facts.add(["lineage", text(step)]) }
    if !model.licence.isEmpty { facts.add(["licence", model.licence]) }
    if !model.goldens.isEmpty { facts.add(["goldens", joined(model.goldens.map { $0.name }, separator: ", ")]) }
    facts.add(["weights", "\(grouped(parameterCount)) parameters, sha256 \(digests.weights.text)"])
    facts.add(["logical", "sha256 \(digests.logical.text)"])
    facts.add(["tensors", "\(model.tensors.count), \(grouped(tensorBytes)) bytes"])
    guard !model.tensors.isEmpty else { return facts.text() }
    return facts.text() + "\n" + tensorTable
  }

  private var tensorTable: String {
    var table = TextTable([.left, .left, .left, .right, .left])
    for (tensor, digest) in zip(model.tensors, tensorDigests) {
      table.add([
        tensor.name, tensor.dtype.name, shapeText(tensor.shape), grouped(tensor.byteCount ?? 0),
        String(digest.prefix(12)),
      ])
    }
    return table.text(indent: "  ")
  }

  private func text(_ port: Port) -> String {
    "\(port.name) \(port.dtype.name) [\(joined(port.shape, separator: ", "))]"
      + (port.isOptional ? ", may be left out" : "")
  }

  private func text(_ provenance: Provenance) -> String {
    "\(provenance.network), seed \(provenance.seed), " + (provenance.trained ? "trained" : "not trained")
  }

  private func text(_ video: VideoPreprocessing) -> String {
    "\(video.steps) frames of \(video.width) x \(video.height), crop \(decimal(video.cropScale)) x the face, mean "
      + "\(numbers(video.mean)), deviation \(numbers(video.deviation))"
  }

  private func text(_ audio: AudioPreprocessing) -> String {
    let rows =
      switch audio.selection {
      case .uniform: "\(audio.steps) rows"
      case .segmentMean: "\(audio.steps) segment means"
      case .full: "all rows"
      }
    return
      "\(audio.coefficientCount) MFCC of \(audio.melCount) bands at \(audio.sampleRate) Hz, window \(audio.fftSize), "
      + "hop \(audio.hopLength), \(rows) of \(audio.stack) frames, "
      + (audio.statisticsTrained ? "standardised" : "not standardised (statistics not trained)")
  }

  private func text(_ step: LineageStep) -> String {
    var text = step.action
    // A rule's detail names every tensor that it met; --json has it whole.
    let shown = step.detail.unicodeScalars.prefix(160)
    if !step.detail.isEmpty { text += ": " + String(shown) + (shown.endIndex < step.detail.endIndex ? "…" : "") }
    if !step.source.isEmpty { text += " (from \(step.source))" }
    return text
  }

  private func numbers(_ values: [Float]) -> String { joined(values.map { decimal($0) }, separator: " ") }
}
