package import ERIFormat
import ERIRuntime

/// Which releases of the runtime can run a model file, and what each of the others lacks.
package struct Compatibility: Sendable {
  /// A release of the runtime and the newest format that it reads.
  package struct Release: Equatable, Sendable {
    package let version: String
    package let format: FormatVersion
    /// Files below Tests/Golden that it wrote and that the tests load and execute for ever.
    package let frozen: [String]
  }

  /// Something that a file may need and the format that brought it.
  package struct Part: Equatable, Sendable {
    package enum Kind: String, Sendable {
      case op = "operator"
      case feature
      case dtype = "type"
    }

    package let kind: Kind
    package let name: String
    package let version: UInt32
    package let since: FormatVersion

    /// "operator conv version 1".
    package var text: String {
      kind == .op ? "\(kind.rawValue) \(name) version \(version)" : "\(kind.rawValue) \(name)"
    }
  }

  /// A release and what it lacks for the file.
  package struct Answer: Sendable {
    package let release: Release
    package let missing: [String]
  }

  package let path: String
  package let format: FormatVersion
  package let hasGraph: Bool
  package private(set) var needs: [Part] = []
  package private(set) var answers: [Answer] = []

  /// What a model file needs.
  /// - Throws: `FormatError` `.unsupported` for another container, or for a file that needs what this release does not know either.
  package init(of path: String) throws(FormatError) {
    let checkpoint = try Checkpoint(reading: path)
    guard case .model(let model) = checkpoint.details, let file = model.file else {
      throw FormatError(
        .unsupported, at: path,
        "expected an .eri model file, found \(checkpoint.container.rawValue), which no release of the runtime runs; bring it "
          + "in with `eri convert`")
    }
    self.path = path
    format = file.version
    hasGraph = model.graph != nil
    // What this release refuses for another reason, the runtime itself says best.
    var refusal: String?
    if hasGraph {
      let program: Program
      do throws(FormatError) { program = try Program(validating: model) } catch { throw error.inside(path) }
      do throws(RuntimeError) { _ = try Session(program) } catch { refusal = error.description }
    }
    for feature in file.features { try need(.feature, feature.name) }
    for dtype in DType.allCases where model.tensors.contains(where: { $0.dtype == dtype }) {
      try need(.dtype, dtype.name)
    }
    var seen: Set<String> = []
    for node in model.graph?.nodes ?? [] where seen.insert(node.op.label).inserted {
      try need(.op, node.op.identity.name, as: node.op.label)
    }
    for release in Compatibility.releases {
      var missing: [String] = []
      if isNewer(format, release.format) {
        missing.append("it reads format \(release.format.text) at most, the file is of \(format.text)")
      }
      for part in needs where isNewer(part.since, release.format) {
        missing.append("\(part.text), which format \(part.since.text) brought")
      }
      if let refusal, release.version == ERIVersion, missing.isEmpty { missing.append(refusal) }
      answers.append(Answer(release: release, missing: missing))
    }
  }

  private func isNewer(_ a: FormatVersion, _ b: FormatVersion) -> Bool { (a.major, a.minor) > (b.major, b.minor) }

  /// - Parameter label: what the part is listed as: one of ONNX's operators by its own name.
  private mutating func need(_ kind: Part.Kind, _ name: String, as label: String? = nil) throws(FormatError) {
    guard let part = Compatibility.parts.first(where: { $0.kind == kind && $0.name == name }) else {
      throw FormatError(
        .unsupported, at: path, "expected what the table of releases lists, found \(kind.rawValue) \(name)")
    }
    needs.append(Part(kind: kind, name: label ?? name, version: part.version, since: part.since))
  }

  /// The answer in lines.
  package var text: String {
    var lines = ["\(path): format \(format.text)" + (hasGraph ? "" : ", tensors alone: there is nothing to run")]
    lines.append("needs: " + (needs.isEmpty ? "nothing" : joined(needs.map { $0.text }, separator: ", ")))
    for answer in answers {
      let verb = hasGraph ? "runs" : "reads"
      lines.append(
        "release \(answer.release.version), format \(answer.release.format.text): "
          + (answer.missing.isEmpty ? "\(verb) it" : "lacks " + joined(answer.missing, separator: "; ")))
    }
    return joined(lines, separator: "\n")
  }

  /// One object; docs/commands.md lists its members.
  package var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("file") { $0.string(path) }
      json.member("format") { $0.string(format.text) }
      json.member("graph") { $0.boolean(hasGraph) }
      json.member("needs") { json in
        json.array { json in
          for part in needs {
            json.object { json in
              json.member("kind") { $0.string(part.kind.rawValue) }
              json.member("name") { $0.string(part.name) }
              json.member("version") { $0.integer(Int(part.version)) }
              json.member("since") { $0.string(part.since.text) }
            }
          }
        }
      }
      json.member("releases") { json in
        json.array { json in
          for answer in answers {
            json.object { json in
              json.member("release") { $0.string(answer.release.version) }
              json.member("format") { $0.string(answer.release.format.text) }
              json.member("runs") { $0.boolean(hasGraph && answer.missing.isEmpty) }
              json.member("missing") { $0.strings(answer.missing) }
            }
          }
        }
      }
    }
    return json.text
  }
}
