import ArgumentParser
import CERISystem
import ERICommands
import ERIFormat
import ERINetworks
import ERITrain

/// `eri train-step NETWORK`: training steps on noise, one for each line of standard input, for comparisons that take turns.
struct TrainStep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-step",
    abstract: "Times training steps on noise: prints ready, then the milliseconds of one step for each line it reads.",
    discussion:
      "NETWORK is audio, video or fusion (from features). A step is forward, loss, backward and Adam, with dropout.")

  enum Stage: String, ExpressibleByArgument, CaseIterable {
    case audio, video, fusion
  }

  @Argument(help: "audio, video or fusion.") var network: Stage
  @Option(help: "Clips in one step.") var batch = 64
  @Option(help: "Threads.") var threads = 1
  @Flag(help: "At the end, print on standard error how long each operator took.") var profile = false

  func validate() throws {
    if batch < 1 || batch > 65_536 { throw ValidationError("--batch: expected 1 to 65536, found \(batch)") }
    if threads < 1 || threads > 1024 { throw ValidationError("--threads: expected 1 to 1024, found \(threads)") }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      do throws(TrainError) { try measure() } catch { throw CommandFailure(error) }
      return .done
    }
  }

  private func measure() throws(TrainError) {
    let threads: WorkerThreads
    do throws(FormatError) { threads = try WorkerThreads(count: self.threads) } catch { throw TrainError(error) }
    let (model, sites) = try stage()
    let graph = try TrainableGraph(model, dropouts: sites, threads: threads)
    try graph.bind(batch: batch)
    let optimizer = Optimizer(
      OptimizerSettings(), count: graph.weights.count,
      groups: graph.parameters.map { (range: $0.range, multiplier: 1) }, kernels: try TrainingKernels(),
      threads: threads)
    for name in graph.inputNames where name != "present" {
      let values = graph.input(name)
      _ = values.update(from: SeededRandom.deviates(values.count, seed: 0, stream: name))
    }
    var random = SeededRandom(seed: 0, stream: "step")
    for index in graph.targets.indices { graph.targets[index] = Float(random.uniform()) }
    var key: UInt64 = 0
    let step = {
      key += 1
      if network == .fusion { drop(graph.input("present"), &random) }
      graph.clearGradients()
      graph.step(key: key, scale: 1 / Float(graph.targets.count))
      _ = optimizer.step(graph.weights, graph.gradients, learningRate: 1e-4)
    }
    step()
    say("ready")
    while readLine() != nil {
      let start = eri_clock_monotonic()
      step()
      say("\(Double(eri_clock_monotonic() - start) / 1e6)")
    }
    if profile { report(graph, steps: Int(key)) }
  }

  /// Modality dropout as the network has it.
  private func drop(_ present: UnsafeMutableBufferPointer<Float>, _ random: inout SeededRandom) {
    let fusion = FusionParameters()
    let dropout = ModalityDropout(keepBoth: fusion.keepBoth, keepVideo: fusion.keepVideo)
    for sample in 0..<batch {
      let (audio, video) = dropout.draw(from: &random)
      present[2 * sample] = audio ? 1 : 0
      present[2 * sample + 1] = video ? 1 : 0
    }
  }

  private func stage() throws(TrainError) -> (Model, [DropoutSite]) {
    do throws(FormatError) {
      switch network {
      case .audio: return try whole("audio-branch")
      case .video: return try whole("video-branch")
      case .fusion:
        let (model, sites) = try whole("dual-branch")
        return (try FusionNetwork.head(of: model), sites)
      }
    } catch { throw TrainError(.invalid, error.description) }
  }

  private func whole(_ name: String) throws(FormatError) -> (Model, [DropoutSite]) {
    let network = try Network(named: name)
    return (try network.initialised(seed: 0), try network.dropoutSites())
  }

  /// A line that its reader waits for.
  private func say(_ text: String) { try? Console.print(text) }

  private func report(_ graph: TrainableGraph, steps: Int) {
    var sums: [String: (forward: UInt64, backward: UInt64)] = [:]
    for time in graph.times {
      sums[time.kind, default: (0, 0)].forward += time.forward
      sums[time.kind, default: (0, 0)].backward += time.backward
    }
    for (kind, sum) in sums.sorted(by: { $0.value.forward + $0.value.backward > $1.value.forward + $1.value.backward })
    {
      Console.note(
        "\(kind): forward \(milliseconds(sum.forward, steps)), backward \(milliseconds(sum.backward, steps))")
    }
    let slowest = graph.times.sorted { $0.forward + $0.backward > $1.forward + $1.backward }.prefix(24)
    for time in slowest {
      Console.note(
        "  \(time.name) (\(time.kind)): \(milliseconds(time.forward, steps)), \(milliseconds(time.backward, steps))")
    }
  }

  private func milliseconds(_ nanoseconds: UInt64, _ steps: Int) -> String {
    "\(Double(nanoseconds / UInt64(steps) / 1000) / 1000) ms"
  }
}
