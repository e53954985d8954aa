import ERIFormat
import ERIRuntime

/// What a model's layers were seen to take and give on the samples.
struct Calibration {
  /// By value.
  private(set) var inputs: [Int: ActivationStatistics] = [:]
  /// The graph's outputs by sample.
  private(set) var outputs: [[[Float]]] = []
  /// Some of each layer's output on the first samples, by layer.
  private(set) var layerOutputs: [[Float]] = []

  /// Numbers of one layer's output on one sample that are kept at most, and samples they are kept of.
  static let keptNumbers = 1 << 14
  static let keptSamples = 4

  /// Runs the graph on all samples twice: the second time to count what lies where between the extremes found before.
  init(
    _ editable: EditableGraph, _ layers: [QuantizableLayer], model: Model, samples: [CalibrationSample], threads: Int,
    place: String, progress: (Int, Int) -> Void
  ) throws(FormatError) {
    var watched = model
    (watched.graph, watched.tensors) = editable.compacted()
    let runner = try SampleRunner(watched, place: place, threads: threads, keepsValues: true)
    layerOutputs = layers.map { _ in [] }
    let values = Set(layers.map { $0.input }).sorted()
    for pass in 0..<2 {
      for (number, sample) in samples.enumerated() {
        let results = try runner.run(sample)
        if pass == 0 { outputs.append(results) }
        for value in values {
          guard let numbers = runner.session.value(named: editable.values[value].name),
            let layer = layers.first(where: { $0.input == value })
          else { continue }
          if pass == 1 {
            inputs[value]?.count(numbers)
            continue
          }
          let channels = Calibration.channels(of: layer, editable)
          let inner = layer.channelAxis < 0 ? 1 : runner.session.innerExtent(editable.values[value].name)
          inputs[value, default: ActivationStatistics()].extend(numbers, channels: channels, inner: inner)
        }
        if pass == 0 && number < Calibration.keptSamples {
          for (index, layer) in layers.enumerated() {
            guard let numbers = runner.session.value(named: editable.values[layer.output].name) else { continue }
            layerOutputs[index] += Calibration.some(numbers)
          }
        }
        progress(pass * samples.count + number + 1, 2 * samples.count)
      }
    }
  }

  static func channels(of layer: QuantizableLayer, _ editable: EditableGraph) -> Int {
    let perGroup = editable.tensors[layer.tensor].shape[1]
    if case .conv(let conv)? = editable.nodes[layer.node]?.op { return perGroup * conv.groups }
    return perGroup
  }

  /// Evenly spread numbers, at most `keptNumbers`.
  static func some(_ numbers: [Float]) -> [Float] {
    let step = max(1, numbers.count / keptNumbers)
    return stride(from: 0, to: numbers.count, by: step).map { numbers[$0] }
  }
}
