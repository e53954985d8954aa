import ArgumentParser
import ERICommands
import ERIFormat
import ERINetworks

/// `eri init NETWORK OUT`.
struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Makes an untrained model with PyTorch's default initialisation from a seed.",
    discussion: "The same seed gives the same weights, bit for bit, on every machine.")

  @Argument(help: "The network: dual-branch, video-branch or audio-branch.") var network: String
  @Argument(help: "The .eri file to write.") var output: String
  @Option(help: "The seed of the random weights.") var seed: UInt64 = 0
  @Option(help: "A width or choice as NAME=VALUE; `eri inspect` lists them.") var set: [String] = []
  @Option(help: "Names of the intensities, separated by commas.") var labels: String?

  func validate() throws {
    for text in set where Init.parameter(text) == nil {
      throw ValidationError("--set: expected NAME=VALUE, found \"\(text)\"")
    }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      guard output.hasSuffix(".eri") else {
        throw CommandFailure(
          .unsupported, "\(output): expected a name that ends in .eri, found another; init writes no other container")
      }
      var model = try initialised()
      model.goldens = [try Golden.recorded(from: model, name: "drawn inputs", seed: seed)]
      let digests: Digests
      do throws(FormatError) { digests = try model.write(to: output) } catch { throw CommandFailure(error) }
      var count = 0
      for tensor in model.tensors where tensor.role == .weight { count += tensor.elementCount ?? 0 }
      Console.note("\(output): \(network), \(count) weights from seed \(seed), untrained")
      try Console.print("weights \(digests.weights.text)\nlogical \(digests.logical.text)")
      return .done
    }
  }

  private func initialised() throws(CommandFailure) -> Model {
    do throws(FormatError) {
      let names = labels?.split(separator: ",").map { String($0) }
      let defaults = try Network(named: network)
      let parameters = set.compactMap { Init.parameter($0) }
      return try Network(named: network, parameters: parameters, labels: names ?? defaults.labels).initialised(
        seed: seed)
    } catch {
      throw CommandFailure(error)
    }
  }

  /// NAME=VALUE with the value as integer, number, truth value or text.
  private static func parameter(_ text: String) -> Parameter? {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
    let name = String(text[..<equals])
    let value = String(text[text.index(after: equals)...])
    if let integer = Int64(value) { return Parameter(name, .integer(integer)) }
    if let number = Double(value) { return Parameter(name, .number(number)) }
    if value == "true" || value == "false" { return Parameter(name, .flag(value == "true")) }
    return value.isEmpty ? nil : Parameter(name, .text(value))
  }
}
