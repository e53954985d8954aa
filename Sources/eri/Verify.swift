import ArgumentParser
import ERICommands
import ERIConvert
import ERIFormat

/// `eri verify A B`.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells whether two files hold the same, and where and why they differ.",
    discussion: """
      Each side is any container that `eri inspect` reads. Policies: same-weights (every bit of every weight), fp32 (the same \
      numbers, and where both have a graph the same results up to float32's rounding), int8 (what 8-bit integers cost is allowed).
      """)

  @Argument(help: "The file to compare with; with --self the only one.") var a: String
  @Argument(help: "The file to judge.") var b: String?
  @Option(help: "same-weights, fp32 or int8.") var policy = VerifyPolicy.fp32
  @Option(help: "A folder with NAME.npy for every input of A, / as _. Default: inputs drawn from the seed.")
  var inputs: String?
  @Option(help: "The seed of drawn inputs.") var seed: UInt64 = 0
  @Option(help: "A folder for the first divergent operator as slice.eri with its inputs, for `eri exec`.")
  var saveSlice: String?
  @Option(help: "A file for the report as one page.") var html: String?
  @Flag(help: "Name A's tensors as the network of B, an .eri file, does, by the maps of `eri convert --network`.")
  var mapped = false
  @Option(help: "The same by a map of your own (docs/maps.md).") var map: String?
  @Flag(help: "Only tell whether what runs A can run B in its place; both .eri.") var dropIn = false
  @Flag(name: .customLong("self"), help: "Check one .eri file against what it says of itself.") var itself = false
  @Flag(help: "Compute everything in Double, however long that takes.") var double = false
  @Flag(help: "Print one JSON object.") var json = false
  @Flag(help: "Read a pickle that asks for code, with inert placeholders in its place.") var allowInert = false
  @Option(help: "Threads.") var threads = 1

  func validate() throws {
    if itself, b != nil { throw ValidationError("--self: expected one file, found two") }
    if !itself, b == nil { throw ValidationError("expected two files, found one; give B, or --self for one alone") }
    if itself && dropIn { throw ValidationError("expected --self or --drop-in, found both") }
    if html != nil && (itself || dropIn) {
      throw ValidationError("--html: expected a comparison of two files, found \(itself ? "--self" : "--drop-in")")
    }
    if (mapped || map != nil) && (itself || dropIn) {
      throw ValidationError(
        "--mapped, --map: expected a comparison of two files, found \(itself ? "--self" : "--drop-in")")
    }
    if !(1...1024).contains(threads) { throw ValidationError("--threads: expected 1 to 1024, found \(threads)") }
  }

  func run() throws {
    try reporting { () throws(CommandFailure) in
      guard let b else {
        let report = try SelfReport(path: a, threads: threads)
        try Console.print(json ? report.json : report.text)
        return report.isSame ? .done : .different
      }
      return dropIn ? try compareDropIn(b) : try compare(b)
    }
  }

  private func compareDropIn(_ b: String) throws(CommandFailure) -> ExitStatus {
    let answer: DropIn
    do throws(FormatError) {
      for path in [a, b] {
        let container = try Checkpoint(reading: path, allowInert: allowInert).container
        guard container == .eri else {
          throw FormatError(
            .unsupported, at: path,
            "expected an .eri file to run in another's place, found \(container.rawValue); bring it in with `eri convert`"
          )
        }
      }
      answer = try DropIn(from: Model(reading: a), a, to: Model(reading: b), b)
    } catch {
      throw CommandFailure(error)
    }
    if json {
      var json = JSONWriter()
      answer.put(into: &json)
      try Console.print(json.text)
    } else {
      try Console.print(answer.text)
    }
    return answer.fits ? .done : .different
  }

  private func compare(_ b: String) throws(CommandFailure) -> ExitStatus {
    let report: VerifyReport
    do throws(FormatError) {
      var options = GraphComparison.Options()
      options.folder = inputs
      options.seed = seed
      options.threads = threads
      options.always = double
      report = try VerifyReport(
        VerifySide(reading: a, allowInert: allowInert), VerifySide(reading: b, allowInert: allowInert),
        policy: policy, options: options
      ) { (side) throws(FormatError) in
        mapped || map != nil ? try renamed(side, as: b) : side
      }
      if let html { try report.writePage(to: html) }
    } catch {
      throw CommandFailure(error)
    }
    try Console.print(json ? report.json : report.text)
    if let saveSlice { try save(report.graph?.divergence?.slice, in: saveSlice) }
    return report.isSame ? .done : .different
  }

  /// A's tensors under the names and in the forms that B's network has for them; what the map did is said.
  private func renamed(_ side: Checkpoint, as b: String) throws(FormatError) -> Checkpoint {
    var options = FittingOptions()
    options.map = try map.map { (path) throws(FormatError) in try NameMap(reading: path) }
    options.allowInert = allowInert
    let conversion = try Conversion(
      reading: side.path, fittedTo: try FittingTarget(Model(reading: b), path: b, only: []), options: options)
    // Nothing of B is replaced by looking at A through its names.
    for step in conversion.steps where step.action != "replace" { Console.note("\(side.path): \(step.summary)") }
    var renamed = side
    renamed.entries = conversion.model.tensors.filter { $0.role == .weight }.map { tensor in
      Checkpoint.Entry(tensor, dtypeName: tensor.dtype.name)
    }
    return renamed
  }

  /// Writes the slice and its inputs, and says how to run it.
  private func save(_ slice: GraphSlice?, in folder: String) throws(CommandFailure) {
    guard let slice else { return Console.note("\(folder): no operator diverges, so there is no slice to save") }
    // `eri exec` takes arrays, so all or none.
    for (place, dtype) in slice.arrays {
      do throws(FormatError) { _ = try NPYHeader.encoded(dtype: dtype, shape: []) } catch {
        return Console.note("\(folder): the slice was not saved: \(error.inside(place).description)")
      }
    }
    let files = try ArrayFiles(slice.inputs.map { $0.name }, folder: folder)
    try createFolder(folder)
    do throws(FormatError) {
      try slice.model.write(to: "\(folder)/slice.eri")
      for (index, input) in slice.inputs.enumerated() {
        let fault = input.bytes.withUnsafeBytes { bytes -> FormatError? in
          do throws(FormatError) {
            try writeNPY(files[index], input.dtype, input.shape, bytes)
            return nil
          } catch {
            return error
          }
        }
        if let fault { throw fault }
      }
    } catch {
      throw CommandFailure(error)
    }
    let arguments = slice.inputs.indices.map { " --input \(slice.inputs[$0].name)=\(files[$0])" }
    Console.note(
      "saved the first divergent operator; run it with: eri exec \(folder)/slice.eri\(joined(arguments, separator: "")) "
        + "--output-dir \(folder)/out")
    if !slice.model.goldens.isEmpty {
      Console.note("its golden is what A computed: eri check \(folder)/slice.eri tells the difference")
    }
  }
}

extension VerifyPolicy: ExpressibleByArgument {}
