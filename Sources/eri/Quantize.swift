import ArgumentParser
import ERICommands
import ERIConvert
import ERIFormat

extension RangeMethod: ExpressibleByArgument {}

/// `eri quantize IN OUT`.
struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lets a model's convolutions and linear layers compute with 8-bit integers.",
    discussion: """
      Weights become signed integers with a scale per output channel, what the layers read unsigned ones with a scale per \
      tensor, found by running the model on clips. docs/quantization.md tells what the file then means.
      """)

  @Argument(help: "The float32 model.") var input: String
  @Argument(help: "The .eri file to write.") var output: String
  @Option(help: "Clips, a folder of them, a cache of `eri prepare`, or a folder of .npy named like the inputs.")
  var calibrate: String
  @Option(help: "How ranges are chosen: \(joined(RangeMethod.allCases.map { $0.rawValue }, separator: ", ")).")
  var method = RangeMethod.mse
  @Option(help: "Of the percentile method: the share of the numbers within the range, in per cent.") var percentile =
    99.99
  @Option(help: "Bits of weights and inputs, 7 or 8; 7 is quicker on x86-64 without 8-bit dot products.") var bits =
    8
  @Flag(help: "Take from the biases what rounding the weights adds in the mean.") var biasCorrection = false
  @Flag(help: "Even out the channels between layers with ReLU between them, where it helps.") var equalise = false
  @Option(help: "A layer, or all below a name, that stays in float32; may be repeated.") var exclude: [String] = []
  @Option(help: "Keep layers in float32 until the outputs' correlation with those in float32 loses no more.")
  var maxDrop: Double?
  @Option(help: "Samples to calibrate with at most, evenly spread.") var samples = 64
  @Option(help: "A file for the report as JSON.") var report: String?
  @OptionGroup var threads: ThreadOptions

  func validate() throws {
    if !(percentile > 50 && percentile <= 100) {
      throw ValidationError("--percentile: expected above 50 to 100, found \(percentile)")
    }
    if bits != 7 && bits != 8 { throw ValidationError("--bits: expected 7 or 8, found \(bits)") }
    if let maxDrop, !(maxDrop >= 0 && maxDrop <= 1) {
      throw ValidationError("--max-drop: expected 0 to 1, found \(maxDrop)")
    }
    if samples < 1 || samples > 65_536 { throw ValidationError("--samples: expected 1 to 65536, found \(samples)") }
    guard output.hasSuffix(".eri") else {
      throw ValidationError("expected an output that ends in .eri, found \(output)")
    }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let loaded = try LoadedModel(path: input)
      let reading = CalibrationReading(model: loaded, path: calibrate, limit: samples, threads: threads.count)
      var options = QuantizerOptions()
      options.method = method
      options.percentile = percentile
      options.bits = bits
      options.correctsBias = biasCorrection
      options.equalises = equalise
      options.excluded = exclude
      options.maximumDrop = maxDrop
      options.threads = threads.count
      let bar = ProgressBar()
      let calibration = try reading.samples()
      var model: Model
      let found: QuantizationReport
      do throws(FormatError) {
        var quantizer = try Quantizer(loaded.model, place: input, samples: calibration, options: options) {
          bar.show($0, done: $1, of: $2, "done")
        }
        model = try quantizer.quantized()
        bar.clear()
        for note in quantizer.notes { Console.note("\(input): \(note)") }
        found = quantizer.report
      } catch { throw CommandFailure(error) }
      try recordGoldens(in: &model)
      let digests: Digests
      do throws(FormatError) {
        digests = try model.write(to: output)
        if let report { try FileWriter.write(found.json + "\n", to: report) }
      } catch { throw CommandFailure(error) }
      try Console.print(text(found) + "\(digests.weights.text)  \(output)")
      return .done
    }
  }

  /// How far what another processor or int16 Winograd rounds may move an output, as a share of the largest.
  private static let goldenTolerance = 0.05

  private func recordGoldens(in model: inout Model) throws(CommandFailure) {
    guard !model.goldens.isEmpty else { return }
    var goldens: [Golden] = []
    for golden in model.goldens {
      var golden = try golden.recomputed(with: model)
      golden.tolerance = max(golden.tolerance, Quantize.goldenTolerance)
      goldens.append(golden)
    }
    model.goldens = goldens
    let scheme =
      "\(counted(goldens.count, "golden")) computed anew with exact integer sums; int16 Winograd and other processors may differ by \(decimal(Quantize.goldenTolerance)) of the largest value"
    model.lineage.append(LineageStep(action: "record", detail: scheme))
    Console.note("\(output): \(scheme)")
  }

  private func text(_ report: QuantizationReport) -> String {
    var table = TextTable([.left, .right, .right, .right, .left])
    table.add(["layer", "SQNR dB", "clipped %", "Pearson drop", ""])
    for layer in report.layers {
      let isMeasured = layer.signalToNoise.isFinite
      table.add([
        layer.name, isMeasured ? fixed(layer.signalToNoise, 1) : "", isMeasured ? fixed(100 * layer.clipping, 3) : "",
        isMeasured ? fixed(layer.drop, 6) : "", layer.reason.map { "float32: \($0)" } ?? "int8",
      ])
    }
    let share = Double(report.storedBytes) / Double(max(report.floatBytes, 1))
    return table.text() + "\n"
      + "\(report.quantizedCount) of \(counted(report.layers.count, "layer")) in int8, correlation of the outputs with float32 \(fixed(report.pearson, 6)) on \(counted(report.samples, "sample"))\n"
      + "weights \(grouped(report.floatBytes)) -> \(grouped(report.storedBytes)) bytes (\(fixed(share, 3)))\n"
  }
}
