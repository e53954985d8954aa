import ArgumentParser
import ERICommands
import ERITrain

/// `eri train STAGE`.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a network on a prepared cache.",
    discussion: """
      Three stages, as published: the video branch, the audio branch, then the part that joins them with both frozen. OUT \
      holds the epoch with the best mean correlation on the validation split; OUT's name with .checkpoint.eri is where \
      --resume goes on, with the same bits as a run that was never stopped.
      """,
    subcommands: [TrainVideo.self, TrainAudio.self, TrainFusion.self, TrainAll.self])
}

/// What only a backbone has.
struct BackboneOptions: ParsableArguments {
  @Flag(help: "Leave the backbone's weights and statistics as they are.") var freezeBackbone = false
  @Option(name: .customLong("backbone-lr"), help: "Factor of the learning rate below video.backbone.")
  var backboneRate = 1.0

  func store(in settings: inout TrainingSettings) {
    settings.freezesBackbone = freezeBackbone
    settings.backboneRate = backboneRate
  }
}

/// What weights start from instead of a seed.
struct StartOptions: ParsableArguments {
  @Option(
    name: .customLong("init"),
    help:
      "Weights to start from, of any container that convert reads: the whole branch, or a ResNet18 or DAN for the video branch's backbone."
  ) var path: String?
  @Option(help: "A map of your own to read their names by, as in convert.") var map: String?

  func validate() throws {
    if map != nil && path == nil { throw ValidationError("--map: expected --init, found none") }
  }

  /// A checkpoint and the map to read it by.
  struct Weights {
    let path: String
    let map: String?
  }

  var weights: Weights? { path.map { Weights(path: $0, map: map) } }
}

/// `eri train video`.
struct TrainVideo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "video", abstract: "Trains the video branch with a head of its own.")

  @OptionGroup var options: TrainOptions
  @OptionGroup var backbone: BackboneOptions
  @Option(help: "The .eri file to write. Default, with --folds: none.") var out: String?
  @OptionGroup var start: StartOptions

  func validate() throws { try checkOutput(out, options) }

  func run() throws {
    try training { () throws(CommandFailure) in
      var settings = options.settings(.video)
      backbone.store(in: &settings)
      return try StageTraining(options).runBranch(settings, start: start.weights, output: out)
    }
  }
}

/// `eri train audio`.
struct TrainAudio: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audio", abstract: "Trains the audio branch with a head of its own.")

  @OptionGroup var options: TrainOptions
  @Option(help: "The .eri file to write. Default, with --folds: none.") var out: String?
  @OptionGroup var start: StartOptions

  func validate() throws { try checkOutput(out, options) }

  func run() throws {
    try training { () throws(CommandFailure) in
      try StageTraining(options).runBranch(options.settings(.audio), start: start.weights, output: out)
    }
  }
}

/// `eri train fusion`.
struct TrainFusion: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fusion", abstract: "Trains the part that joins two trained branches, which stay as they are.")

  @OptionGroup var options: TrainOptions
  @Option(help: "The video branch's file.") var video: String
  @Option(help: "The audio branch's file.") var audio: String
  @Option(help: "The .eri file to write: the whole network.") var out: String

  func validate() throws {
    try checkOutput(out, options)
    if options.folds != nil {
      throw ValidationError(
        "--folds: expected branches of their own for each fold, found one of each; use `eri train all --folds`")
    }
  }

  func run() throws {
    try training { () throws(CommandFailure) in
      try StageTraining(options).runFusion(options.settings(.fusion), video: video, audio: audio, output: out)
    }
  }
}

/// `eri train all`.
struct TrainAll: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "all", abstract: "Trains video branch, audio branch and what joins them, one after another.")

  @OptionGroup var options: TrainOptions
  @OptionGroup var backbone: BackboneOptions
  @Option(help: "The .eri file to write: the whole network.") var out: String
  @Option(help: "The video branch's file. Default: video.eri beside OUT.") var video: String?
  @Option(help: "The audio branch's file. Default: audio.eri beside OUT.") var audio: String?
  @OptionGroup var start: StartOptions

  func validate() throws {
    try checkOutput(out, options)
    for (name, path) in [("--video", video), ("--audio", audio)] {
      if let path, !path.hasSuffix(".eri") {
        throw ValidationError("\(name): expected a name that ends in .eri, found \(path)")
      }
    }
  }

  func run() throws {
    try training { () throws(CommandFailure) in
      var videoSettings = options.settings(.video)
      backbone.store(in: &videoSettings)
      let folder = out.contains("/") ? String(out[...(out.lastIndex(of: "/") ?? out.startIndex)]) : ""
      return try StageTraining(options, severalStages: true).runAll(
        video: (videoSettings, start.weights, video ?? folder + "video.eri"),
        audio: (options.settings(.audio), audio ?? folder + "audio.eri"), fusion: (options.settings(.fusion), out))
    }
  }
}

extension ParsableCommand {
  /// As `reporting`; a run that a signal stopped ends as a shell expects of one.
  fileprivate func training(_ body: () throws(CommandFailure) -> ExitStatus) throws {
    Interruption.watch()
    try reporting(body)
    if Interruption.isAsked { throw ExitCode(Interruption.exitCode) }
  }
}

/// Requires a file to write, unless folds are compared.
private func checkOutput(_ out: String?, _ options: TrainOptions) throws {
  guard let out else {
    if options.folds == nil { throw ValidationError("--out: expected a file to write, found none") }
    if options.resume { throw ValidationError("--resume: expected --out, beside which checkpoints lie, found none") }
    return
  }
  guard out.hasSuffix(".eri") else { throw ValidationError("--out: expected a name that ends in .eri, found \(out)") }
}
