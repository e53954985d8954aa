import ERICommands
import ERIConvert
import ERIFormat

/// What `inspect` tells of a container other than .eri.
struct CheckpointListing {
  let checkpoint: Checkpoint
  private let digests: [SHA256Digest]
  private let weights: SHA256Digest

  /// Reads and digests every tensor.
  init(_ checkpoint: Checkpoint) throws(FormatError) {
    self.checkpoint = checkpoint
    digests = try checkpoint.tensorDigests()
    weights = checkpoint.weightsDigest(digests)
  }

  /// One object; docs/commands.md lists its members.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("file") { $0.string(checkpoint.path) }
      json.member("container") { $0.string(checkpoint.container.rawValue) }
      put(checkpoint.details, into: &json)
      json.member("weights_sha256") { $0.string(weights.text) }
      json.member("notes") { $0.strings(checkpoint.notes) }
      json.member("tensors") { json in
        json.array { json in
          for (entry, digest) in zip(checkpoint.entries, digests) {
            json.object { json in
              json.member("name") { $0.string(entry.tensor.name) }
              json.member("dtype") { $0.string(entry.dtypeName) }
              json.member("shape") { $0.integers(entry.shape) }
              json.member("nbytes") { $0.integer(entry.tensor.byteCount ?? 0) }
              json.member("sha256") { $0.string(digest.text) }
              json.member("role") { $0.string(entry.tensor.role.text) }
            }
          }
        }
      }
    }
    return json.text
  }

  private func put(_ details: Checkpoint.Details, into json: inout JSONWriter) {
    switch details {
    case .none, .model: break
    case .safetensors(let metadata):
      json.member("metadata") { json in
        guard let metadata else { return json.null() }
        json.object { json in
          for (key, value) in metadata { json.member(key) { $0.string(value) } }
        }
      }
    case .onnx(let summary):
      json.member("ir_version") { $0.integer(summary.irVersion) }
      json.member("opset") { json in
        json.array { json in
          for set in summary.opset {
            json.array { json in
              json.string(set.domain)
              json.integer(set.version)
            }
          }
        }
      }
      json.member("producer") { $0.string("\(summary.producerName) \(summary.producerVersion)") }
      json.member("op_types") { $0.strings(summary.operatorTypes) }
      json.member("nodes") { $0.integer(summary.nodeCount) }
      json.member("inputs") { json in
        json.array { json in
          for input in summary.inputs {
            json.array { json in
              json.string(input.name)
              json.integers(input.shape)
            }
          }
        }
      }
    }
  }

  /// One fact per line, then the tensors.
  var text: String {
    var facts = TextTable([.left, .left])
    facts.add(["file", checkpoint.path])
    facts.add(["container", checkpoint.container.rawValue])
    if case .onnx(let summary) = checkpoint.details {
      facts.add(["producer", "\(summary.producerName) \(summary.producerVersion)"])
      facts.add([
        "opset",
        joined(summary.opset.map { "\($0.domain.isEmpty ? "ai.onnx" : $0.domain) \($0.version)" }, separator: ", "),
      ])
      facts.add(["graph", "\(summary.nodeCount) nodes of \(joined(summary.operatorTypes, separator: ", "))"])
    }
    for note in checkpoint.notes { facts.add(["note", note]) }
    var parameters = 0
    var bytes = 0
    for entry in checkpoint.entries {
      if entry.tensor.role == .weight { parameters += entry.tensor.elementCount ?? 0 }
      bytes += entry.tensor.byteCount ?? 0
    }
    facts.add(["weights", "\(grouped(parameters)) parameters, sha256 \(weights.text)"])
    facts.add(["tensors", "\(checkpoint.entries.count), \(grouped(bytes)) bytes"])
    guard !checkpoint.entries.isEmpty else { return facts.text() }
    var table = TextTable([.left, .left, .left, .right, .left])
    for (entry, digest) in zip(checkpoint.entries, digests) {
      table.add([
        entry.tensor.name, entry.dtypeName, shapeText(entry.shape), grouped(entry.tensor.byteCount ?? 0),
        String(digest.text.prefix(12)),
      ])
    }
    return facts.text() + "\n" + table.text(indent: "  ")
  }
}
