import ERICommands
import ERIFormat

/// What a model file says of itself, held against what it holds.
struct SelfReport {
  let path: String
  /// Tensors whose values have their SHA-256.
  let tensors: Int
  /// Operators of the graph; nil: it has none.
  let nodes: Int?
  let digests: Digests
  let goldens: [GoldenCheck]

  /// Reads every tensor, checks the graph and runs the goldens.
  /// - Throws: `CommandFailure` `.invalid` naming what is damaged.
  init(path: String, threads: Int) throws(CommandFailure) {
    self.path = path
    let loaded = try LoadedModel(path: path)
    for tensor in loaded.model.tensors {
      // Reading compares with the digest that the directory has.
      do throws(FormatError) { _ = try TensorBlock(tensor) } catch { throw loaded.failure(error) }
    }
    tensors = loaded.model.tensors.count
    nodes = loaded.model.graph == nil ? nil : try loaded.program().graph.nodes.count
    digests = try loaded.digests()
    goldens = nodes == nil ? [] : try GoldenCheck.all(of: loaded, threads: threads)
  }

  var isSame: Bool { goldens.allSatisfy { $0.isWithin } }

  var text: String {
    var lines = [
      "\(path): \(counted(tensors, "tensor")), each with the SHA-256 that the file records",
      "weights \(digests.weights.text), logical \(digests.logical.text), as the file records them",
      nodes.map { "the graph of \(counted($0, "operator")) is valid" } ?? "no graph: a file of tensors alone",
    ]
    if goldens.isEmpty { lines.append("no goldens in the file, so nothing was run") }
    lines += goldens.map { $0.sentence }
    lines.append(isSame ? "the same as it says of itself" : "different from what it says of itself: goldens")
    return joined(lines, separator: "\n")
  }

  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("file") { $0.string(path) }
      json.member("verdict") { $0.string(isSame ? "same" : "different") }
      json.member("tensors") { $0.integer(tensors) }
      json.member("operators") { json in
        if let nodes { json.integer(nodes) } else { json.null() }
      }
      json.member("weights_sha256") { $0.string(digests.weights.text) }
      json.member("logical_sha256") { $0.string(digests.logical.text) }
      json.member("goldens") { json in
        json.array { json in
          for golden in goldens {
            json.object { json in
              json.member("golden") { $0.string(golden.place) }
              json.member("output") { $0.string(golden.output) }
              json.member("difference") { $0.number(golden.difference) }
              json.member("allowed") { $0.number(golden.allowed) }
              json.member("same") { $0.boolean(golden.isWithin) }
            }
          }
        }
      }
    }
    return json.text
  }
}
