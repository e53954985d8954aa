import ArgumentParser

/// How `eri run` takes what is still coming.
struct LiveOptions: ParsableArguments {
  @Flag(help: "Estimate while the pictures and the sound come, once per step.") var live = false
  @Option(
    help: "Pictures alone from this camera (/dev/video0), file or pipe, with --audio beside it or without sound.")
  var video: String?
  @Option(help: "Sound alone from this ALSA device (default, hw:1,0), file or pipe.") var audio: String?
  @Option(help: "Seconds of a step. Default: a row of the model's MFCC frames, or 0.2 for a model without sound.")
  var step: Double?
  @Flag(help: "Take a file or pipe at the speed of its own clock, dropping pictures as from a camera.") var pace = false

  /// - Parameters: clips: the command's arguments · jobs, csv: its options that say nothing of a live source
  func validate(_ clips: [String], jobs: Int?, csv: Bool) throws {
    guard live else {
      let given = [("--video", video != nil), ("--audio", audio != nil), ("--step", step != nil), ("--pace", pace)]
      for (name, isGiven) in given where isGiven {
        throw ValidationError("\(name): expected --live beside it, found none")
      }
      return
    }
    if csv { throw ValidationError("--live: expected --json or no option for the output, found --csv") }
    if jobs != nil { throw ValidationError("--live: expected one source at a time, found --jobs") }
    let hasDevices = video != nil || audio != nil
    if hasDevices, !clips.isEmpty {
      throw ValidationError("--live: expected a source or --video and --audio, found both")
    }
    if !hasDevices, clips.count != 1 {
      throw ValidationError("--live: expected one source, found \(clips.isEmpty ? "none" : "\(clips.count)")")
    }
    if let video, video == audio {
      throw ValidationError(
        "--live: expected two sources in --video and --audio, found \(video) twice; name it as the only source")
    }
    if let step, !(step >= 0.02 && step <= 60) {
      throw ValidationError("--step: expected 0.02 to 60 seconds, found \(step)")
    }
  }
}
