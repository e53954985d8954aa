import ArgumentParser
import ERICommands
import ERIFormat
import ERINetworks

/// `eri init NETWORK OUT`.
struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Makes an untrained model with PyTorch's default initialisation from a seed.",
    discussion: "The same seed gives the same weights, bit for bit, on every machine.")

  @Argument(help: "The network: \(joined(Network.names, separator: ", ")).") var network: String
  @Argument(help: "The .eri file to write.") var output: String
  @Option(help: "The seed of the random weights.") var seed: UInt64 = 0
  @Option(help: "A width or choice as NAME=VALUE; `eri inspect` lists them.") var set: [String] = []
  @Option(help: "Names of the intensities, separated by commas.") var labels: String?

  func validate() throws {
    for text in set where Network.parameter(text) == nil {
      throw ValidationError("--set: expected NAME=VALUE, found \"\(text)\"")
    }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      guard output.hasSuffix(".eri") else {
        throw CommandFailure(
          .unsupported, "\(output): expected a name that ends in .eri, found another; init writes no other container")
      }
      let network = try named()
      var model: Model
      do throws(FormatError) { model = try network.initialised(seed: seed) } catch { throw CommandFailure(error) }
      model.goldens = [
        try Golden.recorded(from: model, name: "drawn inputs", seed: seed, sizes: network.sampleSizes)
      ]
      let digests: Digests
      do throws(FormatError) { digests = try model.write(to: output) } catch { throw CommandFailure(error) }
      var count = 0
      for tensor in model.tensors where tensor.role == .weight { count += tensor.elementCount ?? 0 }
      Console.note("\(output): \(network.name), \(count) weights from seed \(seed), untrained")
      try Console.print("weights \(digests.weights.text)\nlogical \(digests.logical.text)")
      return .done
    }
  }

  private func named() throws(CommandFailure) -> Network {
    do throws(FormatError) { return try Network(named: network, settings: set, labels: labels) } catch {
      throw CommandFailure(error)
    }
  }
}

extension Network {
  /// The network of that name with the words of `--set` and `--labels`.
  init(named name: String, settings: [String], labels: String?) throws(FormatError) {
    let names = labels?.split(separator: ",").map { String($0) }
    let defaults = try Network(named: name)
    let parameters = settings.compactMap { Network.parameter($0) }
    try self.init(named: name, parameters: parameters, labels: names ?? defaults.labels)
  }

  /// NAME=VALUE with the value as integer, number, truth value or text.
  static func parameter(_ text: String) -> Parameter? {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
    let name = String(text[..<equals])
    let value = String(text[text.index(after: equals)...])
    if let integer = Int64(value) { return Parameter(name, .integer(integer)) }
    if let number = Double(value) { return Parameter(name, .number(number)) }
    if value == "true" || value == "false" { return Parameter(name, .flag(value == "true")) }
    return value.isEmpty ? nil : Parameter(name, .text(value))
  }
}
