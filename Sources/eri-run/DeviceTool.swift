import ERICommands
import ERIFormat

/// The device tool: runs, describes and checks model files. Its command line is read by hand, since a parser would outweigh the rest.
struct DeviceTool {
  static let help = """
    eri-run \(ERIVersion): runs, describes and checks .eri model files

      eri-run exec MODEL --input NAME=FILE.npy … --output-dir DIR
                   [--threads N] [--repeat N] [--exact] [--memory fast|low]
                   [--profile] [--json]
      eri-run inspect FILE [--json]
      eri-run check FILE [--threads N]
      eri-run --version | --help

    exec      computes the model's outputs from arrays and writes each to DIR/OUTPUT.npy
    inspect   tells what a file holds
    check     runs the file's goldens; exit 1 if an output differs
    Exit codes: 0 done, 1 different, 2 invalid input, 3 not supported here, 64 usage.
    """

  private var arguments: ArraySlice<String>

  /// Runs the command; returns the exit code.
  static func run(_ arguments: [String]) -> Int32 {
    var tool = DeviceTool(arguments: arguments[...])
    do throws(CommandFailure) {
      return try tool.dispatch().rawValue
    } catch {
      Console.note("eri-run: \(error.sentence)")
      return error.status.rawValue
    }
  }

  private mutating func dispatch() throws(CommandFailure) -> ExitStatus {
    switch arguments.popFirst() {
    case "exec": try exec()
    case "inspect": try inspect()
    case "check": return try check()
    case "--version": try Console.print(ERIVersion)
    case "--help": try Console.print(DeviceTool.help)
    case .some(let other): throw usage("expected exec, inspect or check, found \"\(other)\"")
    case .none: throw usage("expected a command, found none")
    }
    return .done
  }

  private mutating func exec() throws(CommandFailure) {
    var command = ExecCommand()
    while let argument = arguments.popFirst() {
      switch argument {
      case "--input":
        let text = try value(of: argument)
        guard let input = ExecCommand.InputFile(argument: text) else {
          throw usage("--input: expected NAME=FILE.npy, found \"\(text)\"")
        }
        command.inputs.append(input)
      case "--output-dir": command.outputFolder = try value(of: argument)
      case "--threads": command.threads = try integer(of: argument)
      case "--repeat": command.repetitions = try integer(of: argument)
      case "--exact": command.exact = true
      case "--memory": command.memory = try ExecCommand.memory(try value(of: argument))
      case "--profile": command.profiles = true
      case "--json": command.json = true
      default: try takeFile(argument, into: &command.model)
      }
    }
    guard !command.model.isEmpty else { throw usage("exec: expected a model, found none") }
    guard !command.outputFolder.isEmpty else { throw usage("exec: expected --output-dir DIR, found none") }
    try command.run()
  }

  private mutating func inspect() throws(CommandFailure) {
    var command = InspectCommand()
    while let argument = arguments.popFirst() {
      if argument == "--json" { command.json = true } else { try takeFile(argument, into: &command.file) }
    }
    guard !command.file.isEmpty else { throw usage("inspect: expected a file, found none") }
    try command.run()
  }

  private mutating func check() throws(CommandFailure) -> ExitStatus {
    var command = CheckCommand()
    while let argument = arguments.popFirst() {
      if argument == "--threads" {
        command.threads = try integer(of: argument)
      } else {
        try takeFile(argument, into: &command.file)
      }
    }
    guard !command.file.isEmpty else { throw usage("check: expected a file, found none") }
    return try command.run()
  }

  private func takeFile(_ argument: String, into file: inout String) throws(CommandFailure) {
    guard !argument.hasPrefix("--") else { throw usage("expected an option it knows, found \"\(argument)\"") }
    guard file.isEmpty else { throw usage("expected one file, found \"\(file)\" and \"\(argument)\"") }
    file = argument
  }

  private mutating func value(of option: String) throws(CommandFailure) -> String {
    guard let value = arguments.popFirst() else { throw usage("\(option): expected a value, found none") }
    return value
  }

  private mutating func integer(of option: String) throws(CommandFailure) -> Int {
    let text = try value(of: option)
    guard let value = Int(text) else { throw usage("\(option): expected an integer, found \"\(text)\"") }
    return value
  }

  private func usage(_ sentence: String) -> CommandFailure {
    CommandFailure(.usage, "\(sentence); see eri-run --help")
  }
}

/// The entry that the device build's C main calls.
@c(eri_device_main)
public func eriMain(_ count: Int32, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  var arguments: [String] = []
  if let words {
    for index in 1..<max(1, Int(count)) {
      if let word = words[index] { arguments.append(String(cString: word)) }
    }
  }
  return DeviceTool.run(arguments)
}
