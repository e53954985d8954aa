import ArgumentParser
import ERICommands
import ERIConvert
import ERIFormat

/// `eri compat FILE`.
struct Compat: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells which releases of the runtime can run a model file, and what each of the others lacks.")

  @Argument(help: "The .eri file.") var file: String
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let compatibility: Compatibility
      do throws(FormatError) { compatibility = try Compatibility(of: file) } catch { throw CommandFailure(error) }
      try Console.print(json ? compatibility.json : compatibility.text)
      return .done
    }
  }
}
