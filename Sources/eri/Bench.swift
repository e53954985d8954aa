import ArgumentParser
import ERICommands
import ERIFormat
import ERIRuntime

/// `eri bench MODEL`.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Times a model on inputs drawn from a seed.",
    discussion: "Inputs that have a fill value are left out. A size that is not given is the first golden's, else 1.")

  @Argument(help: "The model.") var model: String
  @Option(help: "A size of the model's inputs as NAME=N, for example T=32.") var size: [String] = []
  @Option(help: "Threads.") var threads = 1
  @Option(help: "Measured runs, after one that is not measured.") var rounds = 15
  @Flag(help: "Use no algorithm that rounds more than direct sums (no Winograd).") var exact = false
  @Option(help: "fast, or low: every weight once, frames a few at a time, the outputs those of --exact.") var memory =
    MemoryUse.fast
  @Flag(help: "Measure what the plan may choose and remember it beside the model as MODEL.plan.") var tune = false
  @Flag(help: "Print the time of each step and its share of the processor's peak.") var profile = false
  @Flag(help: "Print one JSON object.") var json = false

  private var command: BenchCommand {
    var command = BenchCommand()
    command.model = model
    command.sizes = size.compactMap { BenchCommand.Size(argument: $0) }
    command.threads = threads
    command.rounds = rounds
    command.exact = exact
    command.memory = memory
    command.tunes = tune
    command.profiles = profile
    command.json = json
    return command
  }

  func validate() throws {
    for text in size where BenchCommand.Size(argument: text) == nil {
      throw ValidationError("--size: expected NAME=N with N from 1, found \"\(text)\"")
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
