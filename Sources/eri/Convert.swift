import ArgumentParser
import CERISystem
import ERICommands
import ERIConvert
import ERIFormat
import ERINetworks

/// `eri convert IN OUT`.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Brings the tensors of one container into another, or a checkpoint into a network.",
    discussion: """
      IN is recognised by its content: .eri, PyTorch (zip, legacy, TorchScript), MindSpore, safetensors, ONNX, \
      .npz, .npy. OUT follows its extension: .eri, .safetensors, .npz, .ckpt, .pth.

      With --network or --into, IN's tensors become the weights of a network: a map says which is which, and whatever no \
      map explains is an error. docs/maps.md tells how to write one.
      """)

  /// What floating-point weights may be stored as.
  enum StoredType: String, ExpressibleByArgument, CaseIterable {
    case f16, bf16, f32

    var dtype: DType {
      switch self {
      case .f16: .f16
      case .bf16: .bf16
      case .f32: .f32
      }
    }
  }

  @Argument(help: "The file to read.") var input: String
  @Argument(help: "The file to write.") var output: String
  @Option(help: "zstd's level of an .eri file, 1 to 22; it changes no digest.") var level: Int?
  @Option(help: "Cast floating-point weights to f16, bf16 or f32, and report the largest error.") var store: StoredType?
  @Flag(help: "With --store, let finite values become infinite instead of refusing.") var allowOverflow = false
  @Flag(help: "Read a pickle that asks for code, with inert placeholders in its place.") var allowInert = false
  @Flag(help: "Of an ONNX model, convert the initialisers and leave the graph out.") var weightsOnly = false
  @Flag(help: "End a .ckpt file with the CRC that MindSpore checks.") var crc = false
  @Option(help: "Threads that pack; the bytes do not depend on their number. Default: all processors.") var threads:
    Int?
  @Option(help: "Make OUT this network with IN's weights: \(joined(Network.names, separator: ", ")).") var network:
    String?
  @Option(help: "With --network, a width or choice as NAME=VALUE, as in init.") var set: [String] = []
  @Option(help: "With --network, names of the intensities, separated by commas.") var labels: String?
  @Option(help: "Make OUT this model with weights of IN in the place of its own.") var into: String?
  @Option(help: "With --into, replace only the weights of this name or below it; may be repeated.") var only: [String] =
    []
  @Option(help: "A map of your own to read IN's names by.") var map: String?
  @Option(help: "Write a map that explains the names that no map does, to look through.") var proposeMap: String?
  @Flag(help: "Name every tensor and what became of it.") var verbose = false

  func validate() throws {
    if let level, !(1...22).contains(level) { throw ValidationError("--level: expected 1 to 22, found \(level)") }
    if let level, !output.hasSuffix(".eri") {
      throw ValidationError("--level: expected an output that ends in .eri, found level \(level) for \(output)")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads: expected 1 to 1024, found \(threads)")
    }
    if allowOverflow && store == nil { throw ValidationError("--allow-overflow: expected --store, found none") }
    if crc && !output.hasSuffix(".ckpt") {
      throw ValidationError("--crc: expected an output that ends in .ckpt, found \(output)")
    }
    try validateFitting()
  }

  private func validateFitting() throws {
    if network != nil && into != nil { throw ValidationError("expected --network or --into, found both") }
    for text in set where Network.parameter(text) == nil {
      throw ValidationError("--set: expected NAME=VALUE, found \"\(text)\"")
    }
    if network == nil {
      if !set.isEmpty { throw ValidationError("--set: expected --network, found none") }
      if labels != nil { throw ValidationError("--labels: expected --network, found none") }
    }
    if !only.isEmpty && into == nil { throw ValidationError("--only: expected --into, found none") }
    guard network != nil || into != nil else {
      for (name, isGiven) in [("--map", map != nil), ("--propose-map", proposeMap != nil), ("--verbose", verbose)]
      where isGiven {
        throw ValidationError("\(name): expected --network or --into, found neither")
      }
      return
    }
    guard output.hasSuffix(".eri") else {
      throw ValidationError(
        "\(network == nil ? "--into" : "--network"): expected an output that ends in .eri, found \(output)")
    }
    if let store, store != .f32 {
      throw ValidationError("--store: expected f32, with which networks compute, found \(store.rawValue)")
    }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      let digest: SHA256Digest
      if network != nil || into != nil {
        let conversion = try fitted()
        do throws(FormatError) { digest = try write(conversion, .eri) } catch { throw CommandFailure(error) }
      } else {
        var conversion: Conversion
        let container: OutputContainer
        do throws(FormatError) {
          container = try OutputContainer(path: output)
          conversion = try converted(to: container)
        } catch { throw CommandFailure(error) }
        if container == .eri { recordGolden(in: &conversion) }
        do throws(FormatError) { digest = try write(conversion, container) } catch { throw CommandFailure(error) }
      }
      try Console.print("\(digest.text)  \(output)")
      return .done
    }
  }

  /// What IN holds, as far as the container has a place for it.
  private func converted(to container: OutputContainer) throws(FormatError) -> Conversion {
    var conversion = try Conversion(
      reading: input, allowInert: allowInert, weightsOnly: weightsOnly || !container.holdsGraph)
    for note in conversion.notes { Console.note("\(input): \(note)") }
    if let store {
      do throws(FormatError) { try conversion.store(as: store.dtype, allowOverflow: allowOverflow) } catch {
        throw error.inside(input)
      }
    }
    return conversion
  }

  /// Bytes of outputs that a golden may add to a file.
  private static let goldenBytes = 1 << 18

  /// Gives a graph from another container a golden of drawn inputs; where this runtime cannot make it, that is said.
  private func recordGolden(in conversion: inout Conversion) {
    guard conversion.model.graph != nil, !conversion.isRepacking else { return }
    do throws(CommandFailure) {
      let golden = try Golden.recorded(from: conversion.model, name: "drawn inputs", seed: 0)
      let bytes = golden.outputs.reduce(0) { $0 + $1.bytes.count }
      guard bytes <= Convert.goldenBytes else {
        Console.note(
          "\(output): no golden recorded: its outputs take \(grouped(bytes)) bytes, more than \(grouped(Convert.goldenBytes))"
        )
        return
      }
      conversion.model.goldens = [golden]
    } catch {
      Console.note("\(output): no golden recorded: \(error.sentence)")
    }
  }

  /// The weights in their network, with goldens of what they now give.
  private func fitted() throws(CommandFailure) -> Conversion {
    var builtNetwork: Network?
    var conversion: Conversion
    do throws(FormatError) {
      var options = FittingOptions()
      options.map = try map.map { (path) throws(FormatError) in try NameMap(reading: path) }
      options.proposalPath = proposeMap
      options.casts = store != nil
      options.allowOverflow = allowOverflow
      options.allowInert = allowInert
      let target: FittingTarget
      if let network {
        let built = try Network(named: network, settings: set, labels: labels)
        builtNetwork = built
        target = try FittingTarget(built)
      } else {
        let path = into ?? ""
        target = try FittingTarget(Model(reading: path), path: path, only: only)
      }
      conversion = try Conversion(reading: input, fittedTo: target, options: options)
    } catch {
      throw CommandFailure(error)
    }
    for note in conversion.notes { Console.note("\(input): \(note)") }
    for step in conversion.steps {
      Console.note("\(input): \(step.summary)")
      if verbose { for item in step.items { Console.note("  \(item)") } }
    }
    if let builtNetwork {
      conversion.model.goldens = [
        try Golden.recorded(from: conversion.model, name: "drawn inputs", seed: 0, sizes: builtNetwork.sampleSizes)
      ]
    } else if !conversion.model.goldens.isEmpty {
      var goldens: [Golden] = []
      for golden in conversion.model.goldens { goldens.append(try golden.recomputed(with: conversion.model)) }
      conversion.model.goldens = goldens
      Console.note("\(output): \(counted(goldens.count, "golden")) computed anew")
    }
    return conversion
  }

  /// Returns the weights digest of the file that was written.
  private func write(_ conversion: Conversion, _ container: OutputContainer) throws(FormatError) -> SHA256Digest {
    let notes = try container.write(
      conversion.model, to: output, level: level ?? Model.defaultLevel,
      threads: threads ?? min(eri_processor_count(), 16),
      checksum: crc)
    for note in notes { Console.note("\(output): \(note)") }
    for report in conversion.castReports { Console.note("\(input): \(report)") }
    // Of the file as it now stands, read like any other.
    let written = try Checkpoint(reading: output)
    var bytes = 0
    for entry in written.entries { bytes += entry.tensor.byteCount ?? 0 }
    Console.note("\(output): \(counted(written.entries.count, "tensor")), \(grouped(bytes)) bytes of values")
    return written.weightsDigest(try written.tensorDigests())
  }
}

/// `eri unpack IN OUT`.
struct Unpack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Writes an .eri file with its tensors as they are, each at a multiple of 64 bytes, for programs that map it.",
    discussion: "Its meaning and both digests stay the same. `eri convert` packs it again.")

  @Argument(help: "The .eri file to read.") var input: String
  @Argument(help: "The .eri file to write.") var output: String

  func run() throws {
    try reporting { () throws(CommandFailure) in
      guard output.hasSuffix(".eri") else {
        throw CommandFailure(
          .unsupported, "\(output): expected a name that ends in .eri, found another; unpack writes no other container")
      }
      let digests: Digests
      do throws(FormatError) {
        let model = try Model(reading: input)
        digests = try model.write(to: output, storage: .unpacked)
      } catch {
        throw CommandFailure(error)
      }
      try Console.print("weights \(digests.weights.text)\nlogical \(digests.logical.text)")
      return .done
    }
  }
}
