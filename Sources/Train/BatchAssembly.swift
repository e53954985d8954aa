package import ERIFormat

/// How the sound's rows are laid out, so that training can mask parts of them.
package struct SoundLayout: Equatable, Sendable {
  /// MFCC frames in one row.
  let stack: Int
  let coefficients: Int

  package init(_ audio: AudioPreprocessing) {
    stack = audio.stack
    coefficients = audio.coefficientCount
  }
}

/// Puts samples into a training graph's inputs, augmented by draws that depend on the seed, the epoch and the sample's place in it.
struct BatchAssembly {
  let source: any SampleSource
  /// Samples that are trained on.
  let training: [Int]
  let settings: TrainingSettings
  let inputs: [String]
  let sound: SoundLayout?
  let dropout: ModalityDropout?
  let threads: WorkerThreads

  private struct Draw {
    let sample: Int
    let augmentation: Augmentation
    /// Another sample, and the share of this one in the mixture.
    var partner: (sample: Int, augmentation: Augmentation, share: Float)?
    var masks: [SoundMask] = []
    /// Where the remaining draws go on: noise.
    var random: SeededRandom
  }

  /// Fills the inputs and targets of the bound batch.
  /// - Parameter places: of the samples in the epoch's order.
  func fill(_ graph: TrainableGraph, _ order: BatchOrder, _ places: Range<Int>, epoch: Int) throws(TrainError) {
    let buffers = inputs.map { ($0, graph.input($0)) }
    let targets = graph.targets
    let width = source.labels.count
    var failures = [TrainError?](repeating: nil, count: places.count)
    failures.withUnsafeMutableBufferPointer { failures in
      nonisolated(unsafe) let failures = failures
      threads.run(places.count) { index, _ in
        do throws(TrainError) {
          var draw = draw(place: places.lowerBound + index, order, epoch: epoch)
          for (name, buffer) in buffers {
            let size = buffer.count / places.count
            let values = UnsafeMutableBufferPointer(rebasing: buffer[index * size..<(index + 1) * size])
            try fill(name, draw, values)
            if name == "audio" { change(values, &draw) }
          }
          setTargets(UnsafeMutableBufferPointer(rebasing: targets[index * width..<(index + 1) * width]), &draw)
        } catch { failures[index] = error }
      }
    }
    for failure in failures { if let failure { throw failure } }
  }

  private func draw(place: Int, _ order: BatchOrder, epoch: Int) -> Draw {
    var random = SeededRandom(seed: UInt64(settings.seed), stream: "sample \(epoch) \(place)")
    let regularisation = settings.regularisation
    let augmentation = Augmentation(regularisation, dropout, from: &random)
    var partner: (Int, Augmentation, Float)?
    if regularisation.mixup > 0 {
      let share = Float(random.beta(regularisation.mixup, regularisation.mixup))
      let other = training[random.index(below: training.count)]
      partner = (other, Augmentation(regularisation, nil, from: &random), share)
    }
    var masks: [SoundMask] = []
    if let sound { masks = SoundMask.draw(regularisation, sound, from: &random) }
    return Draw(
      sample: training[order.positions[place]], augmentation: augmentation, partner: partner, masks: masks,
      random: random)
  }

  private func fill(_ name: String, _ draw: Draw, _ values: UnsafeMutableBufferPointer<Float>) throws(TrainError) {
    try source.fill(name, of: draw.sample, draw.augmentation, into: values)
    // Whether a modality is there cannot be mixed.
    guard let partner = draw.partner, name != "present" else { return }
    let other = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
    defer { other.deallocate() }
    try source.fill(name, of: partner.sample, partner.augmentation, into: other)
    for index in values.indices { values[index] = partner.share * values[index] + (1 - partner.share) * other[index] }
  }

  private func change(_ values: UnsafeMutableBufferPointer<Float>, _ draw: inout Draw) {
    if settings.regularisation.noise > 0 {
      for index in values.indices { values[index] += Float(settings.regularisation.noise * draw.random.normal()) }
    }
    guard let sound else { return }
    for mask in draw.masks { mask.apply(to: values, sound) }
  }

  private func setTargets(_ targets: UnsafeMutableBufferPointer<Float>, _ draw: inout Draw) {
    for index in targets.indices {
      var value = source.samples[draw.sample].targets[index]
      if let partner = draw.partner {
        value = partner.share * value + (1 - partner.share) * source.samples[partner.sample].targets[index]
      }
      if settings.regularisation.labelNoise > 0 {
        value += Float(settings.regularisation.labelNoise * draw.random.normal())
        value = min(max(value, 0), 1)
      }
      targets[index] = value
    }
  }
}

/// A part of the sound that becomes the mean, which is 0 once it is standardised (SpecAugment, Park et al. 2019).
enum SoundMask: Equatable {
  /// Share of the sound before it, and rows.
  case time(start: Double, rows: Int)
  case coefficients(start: Int, width: Int)

  static func draw(_ settings: Regularisation, _ sound: SoundLayout, from random: inout SeededRandom) -> [SoundMask] {
    var masks: [SoundMask] = []
    for _ in 0..<settings.timeMasks {
      masks.append(.time(start: random.uniform(), rows: random.index(below: settings.timeMaskRows + 1)))
    }
    for _ in 0..<settings.coefficientMasks {
      let width = min(random.index(below: settings.coefficientMaskWidth + 1), sound.coefficients)
      masks.append(.coefficients(start: random.index(below: sound.coefficients - width + 1), width: width))
    }
    return masks
  }

  func apply(to values: UnsafeMutableBufferPointer<Float>, _ sound: SoundLayout) {
    let width = sound.stack * sound.coefficients
    let rows = values.count / width
    switch self {
    case .time(let start, let length):
      let length = min(length, rows)
      let first = Int(start * Double(rows - length + 1))
      values[first * width..<(first + length) * width].update(repeating: 0)
    case .coefficients(let start, let bandWidth):
      for frame in 0..<rows * sound.stack {
        let first = frame * sound.coefficients + start
        values[first..<first + bandWidth].update(repeating: 0)
      }
    }
  }
}
