import CERISystem
import ERIFormat
package import ERIRuntime

/// Runs a model on arrays and writes its outputs as arrays.
package struct ExecCommand: Sendable {
  /// An `--input name=x.npy`.
  package struct InputFile: Sendable {
    package let name: String
    package let path: String

    package init(name: String, path: String) {
      self.name = name
      self.path = path
    }

    /// Splits at the first `=`; nil where a part is missing.
    package init?(argument: String) {
      guard let equals = argument.utf8.firstIndex(of: 0x3d) else { return nil }
      let path = String(argument[argument.index(after: equals)...])
      self.init(name: String(argument[..<equals]), path: path)
      guard !name.isEmpty, !path.isEmpty else { return nil }
    }
  }

  package var model = ""
  package var inputs: [InputFile] = []
  package var outputFolder = ""
  package var threads = 1
  /// Measured runs after one that is not measured; nil: a single run, not measured.
  package var repetitions: Int?
  package var profiles = false
  package var exact = false
  package var memory = MemoryUse.fast
  package var json = false

  package init() {}

  /// What `--memory` was given; the error names the values it takes.
  package static func memory(_ text: String) throws(CommandFailure) -> MemoryUse {
    if let memory = MemoryUse(rawValue: text) { return memory }
    let known = joined(MemoryUse.allCases.map { $0.rawValue }, separator: " or ")
    throw CommandFailure(.usage, "--memory: expected \(known), found \"\(text)\"")
  }

  /// What is wrong with the command line itself, or nil.
  package var usageFault: String? {
    if let repetitions, repetitions < 1 || repetitions > 1_000_000 {
      return "--repeat: expected 1 to 1000000, found \(repetitions)"
    }
    if threads < 1 || threads > 1024 { return "--threads: expected 1 to 1024, found \(threads)" }
    return nil
  }

  /// Runs the model, writes the outputs and prints what was done.
  /// - Throws: `CommandFailure` `.invalid` or `.unsupported`.
  package func run() throws(CommandFailure) {
    if let usageFault { throw CommandFailure(.usage, usageFault) }
    let session = try bound()
    let milliseconds = try measured(session)
    let files = try write(session)
    let report = ExecReport(
      command: self, session: session, files: files, milliseconds: milliseconds,
      runs: (repetitions ?? 0) + 1)
    try Console.print(json ? report.json : report.text)
  }

  /// A session whose inputs hold the files' values.
  private func bound() throws(CommandFailure) -> Session {
    let program = try LoadedModel(path: model).program()
    var options = SessionOptions()
    options.threads = threads
    options.exact = exact
    options.memory = memory
    options.profiles = profiles
    let session: Session
    do throws(RuntimeError) { session = try Session(program, options: options) } catch {
      throw CommandFailure(error, file: model)
    }
    let files = try openInputs(session)
    let deciding = session.inputDescriptions.filter { $0.decidesShapes }.map { $0.name }
    var shapes: [Session.InputShape] = []
    for (input, file) in zip(inputs, files) {
      let values = deciding.contains(input.name) ? try bytes(of: file) : nil
      shapes.append(Session.InputShape(input.name, file.header.shape, values: values))
    }
    do throws(RuntimeError) { try session.bind(shapes) } catch {
      // A fault of one input is a fault of its file.
      let input = inputs.first { error.place == "input \"\($0.name)\"" }
      throw CommandFailure(error, file: input?.path ?? model)
    }
    for (input, file) in zip(inputs, files) {
      let fault = session.withInputBytes(input.name) { buffer -> FormatError? in
        do throws(FormatError) {
          try file.readValues(into: buffer)
          return nil
        } catch {
          return error
        }
      }
      if case .some(.some(let error)) = fault { throw CommandFailure(error) }
    }
    return session
  }

  /// The values of an input that shapes depend on.
  private func bytes(of file: NPYFile) throws(CommandFailure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: file.header.byteCount)
    var fault: FormatError?
    bytes.withUnsafeMutableBytes { buffer in
      do throws(FormatError) { try file.readValues(into: buffer) } catch { fault = error }
    }
    if let fault { throw CommandFailure(fault) }
    return bytes
  }

  /// Opens the inputs' files; their headers must have names and types of the model's inputs.
  private func openInputs(_ session: Session) throws(CommandFailure) -> [NPYFile] {
    var files: [NPYFile] = []
    let declared = session.inputDescriptions
    for (position, input) in inputs.enumerated() {
      guard let description = declared.first(where: { $0.name == input.name }) else {
        let names = joined(declared.map { $0.name }, separator: ", ")
        throw CommandFailure(
          .invalid, "\(model): input \"\(input.name)\": expected one of the inputs \(names), found no such name")
      }
      guard !inputs[..<position].contains(where: { $0.name == input.name }) else {
        throw CommandFailure(
          .invalid, "\(model): input \"\(input.name)\": expected one file, found two; give it once")
      }
      do throws(FormatError) { files.append(try NPYFile(path: input.path)) } catch { throw CommandFailure(error) }
      let found = files[position].header
      guard found.dtype == description.dtype else {
        throw CommandFailure(
          .invalid,
          "\(input.path): input \"\(input.name)\": expected \(description.dtype.name) \(description.shape), "
            + "found \(found.dtype.name) \(shapeText(found.shape)); nothing is converted here, save it as \(description.dtype.name)"
        )
      }
    }
    return files
  }

  /// Runs; returns the milliseconds of each measured run.
  private func measured(_ session: Session) throws(CommandFailure) -> [Double] {
    var milliseconds: [Double] = []
    for run in 0...(repetitions ?? 0) {
      let start = eri_clock_monotonic()
      let status = session.run()
      let end = eri_clock_monotonic()
      switch status {
      case .done: break
      case .failed(let error): throw CommandFailure(error, file: model)
      case .notBound: throw CommandFailure(.invalid, "\(model): expected inputs bound before the run, found none")
      }
      if run > 0 { milliseconds.append(Double(end - start) / 1e6) }
    }
    return milliseconds
  }

  /// Writes every output; returns their paths.
  private func write(_ session: Session) throws(CommandFailure) -> ArrayFiles {
    let outputs = session.outputs
    let files = try ArrayFiles(outputs.map { $0.name }, folder: outputFolder)
    // Before the first is written: all or none.
    for output in outputs {
      do throws(FormatError) { _ = try NPYHeader.encoded(dtype: output.dtype, shape: output.shape) } catch {
        throw CommandFailure(error.inside("output \"\(output.name)\"").inside(model))
      }
    }
    try createFolder(outputFolder)
    for (index, output) in outputs.enumerated() {
      let fault = session.withOutputBytes(index) { values -> FormatError? in
        do throws(FormatError) {
          try writeNPY(files[index], output.dtype, output.shape, values)
          return nil
        } catch {
          return error
        }
      }
      if case .some(.some(let error)) = fault { throw CommandFailure(error) }
    }
    return files
  }
}

/// Makes a folder and its parents where they are missing.
package func createFolder(_ path: String) throws(CommandFailure) {
  let status = eri_folder_create(path)
  guard status == 0 else {
    throw CommandFailure(.invalid, "\(path): cannot be made a folder: \(String(cString: eri_error_message(status)))")
  }
}
