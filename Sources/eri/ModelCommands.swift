import ArgumentParser
import ERICommands
import ERIConvert
import ERIFormat
import ERIRuntime

/// `eri inspect FILE`.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what a file of tensors holds.",
    discussion: "It reads every container that `eri convert` reads, recognised by content.")

  @Argument(help: "The file.") var file: String
  @Flag(help: "Print one JSON object.") var json = false
  @Option(help: "A folder to write every tensor to, as NAME.npy with / as _.") var tensors: String?
  @Flag(help: "Read a pickle that asks for code, with inert placeholders in its place.") var allowInert = false

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let checkpoint: Checkpoint
      do throws(FormatError) { checkpoint = try Checkpoint(reading: file, allowInert: allowInert) } catch {
        throw CommandFailure(error)
      }
      if checkpoint.container == .eri {
        var command = InspectCommand()
        command.file = file
        command.json = json
        command.tensorFolder = tensors
        try command.run()
        return .done
      }
      let listing: CheckpointListing
      do throws(FormatError) { listing = try CheckpointListing(checkpoint) } catch { throw CommandFailure(error) }
      if let tensors { try InspectCommand.export(checkpoint.entries.map { $0.tensor }, of: file, to: tensors) }
      try Console.print(json ? listing.json : listing.text)
      return .done
    }
  }
}

/// `eri exec MODEL`.
struct Exec: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Computes a model's outputs from .npy arrays and writes them as .npy arrays.")

  @Argument(help: "The model.") var model: String
  @Option(help: "An input as NAME=FILE.npy; its type must match exactly.") var input: [String] = []
  @Option(help: "The folder for NAME.npy of every output, / as _.") var outputDir: String
  @Option(help: "Threads; the outputs are the same bits whatever their number.") var threads = 1
  @Option(name: .customLong("repeat"), help: "Run again N times and print the median time as median_ms.")
  var repetitions: Int?
  @Flag(help: "Use no algorithm that rounds more than direct sums (no Winograd).") var exact = false
  @Option(help: "fast, or low: every weight once, frames a few at a time, the outputs those of --exact.") var memory =
    MemoryUse.fast
  @Flag(help: "Print the time of each step.") var profile = false
  @Flag(help: "Print one JSON object.") var json = false

  private var command: ExecCommand {
    var command = ExecCommand()
    command.model = model
    command.inputs = input.compactMap { ExecCommand.InputFile(argument: $0) }
    command.outputFolder = outputDir
    command.threads = threads
    command.repetitions = repetitions
    command.exact = exact
    command.memory = memory
    command.profiles = profile
    command.json = json
    return command
  }

  func validate() throws {
    for text in input where ExecCommand.InputFile(argument: text) == nil {
      throw ValidationError("--input: expected NAME=FILE.npy, found \"\(text)\"")
    }
    if let fault = command.usageFault { throw ValidationError(fault) }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      try command.run()
      return .done
    }
  }
}

/// `eri check FILE`.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the goldens that a model file carries; exit 1 if an output differs.")

  @Argument(help: "The model.") var file: String
  @Option(help: "Threads.") var threads = 1

  func run() throws {
    try reporting { () throws(CommandFailure) in
      var command = CheckCommand()
      command.file = file
      command.threads = threads
      return try command.run()
    }
  }
}

/// `eri id FILE…`.
struct Identify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "id",
    abstract: "Prints the digest of each file's weights, the same for equal weights in any container.")

  @Argument(help: "The files.") var files: [String]
  @Flag(help: "Read a pickle that asks for code, with inert placeholders in its place.") var allowInert = false

  func run() throws {
    try reporting { () throws(CommandFailure) in
      for file in files {
        let digest: SHA256Digest
        do throws(FormatError) {
          let checkpoint = try Checkpoint(reading: file, allowInert: allowInert)
          digest = checkpoint.weightsDigest(try checkpoint.tensorDigests())
        } catch {
          throw CommandFailure(error)
        }
        try Console.print("\(digest.text)  \(file)")
      }
      return .done
    }
  }
}
