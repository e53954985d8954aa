import ArgumentParser
import ERICommands
import ERIFormat

/// The workstation's tool.
@main struct ERI: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eri",
    abstract: "Estimates emotional reaction intensities from faces and sound, and handles the models that do.",
    discussion: "Exit codes: 0 done, 1 different, 2 invalid input, 3 not supported here, 64 usage.",
    version: ERIVersion,
    subcommands: [
      Init.self, Inspect.self, Convert.self, Quantize.self, Verify.self, Compat.self, Unpack.self, Identify.self,
      Run.self, Exec.self, Check.self, Bench.self, Features.self, Synthesize.self, Prepare.self, Train.self,
      Evaluate.self,
      Gradients.self, TrainStep.self,
    ])
}

extension ParsableCommand {
  /// Runs the body; a failure becomes one sentence on standard error and its exit code.
  func reporting(_ body: () throws(CommandFailure) -> ExitStatus) throws {
    let status: ExitStatus
    do throws(CommandFailure) {
      status = try body()
    } catch {
      Console.note("eri: \(error.sentence)")
      throw ExitCode(error.status.rawValue)
    }
    if status != .done { throw ExitCode(status.rawValue) }
  }
}
