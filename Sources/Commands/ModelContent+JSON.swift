import ERIFormat

extension ModelContent {
  /// One object; docs/commands.md lists its members.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("file") { $0.string(path) }
      json.member("container") { $0.string("eri") }
      json.member("producer") { $0.string(model.producer) }
      json.member("weights_sha256") { $0.string(digests.weights.text) }
      json.member("logical_sha256") { $0.string(digests.logical.text) }
      json.member("parameters") { $0.integer(parameterCount) }
      json.member("inputs") { put(inputs, into: &$0) }
      json.member("outputs") { put(outputs, into: &$0) }
      json.member("operators") { json in
        json.object { json in
          for entry in operators { json.member(entry.name) { $0.integer(entry.count) } }
        }
      }
      json.member("labels") { $0.strings(model.labels) }
      json.member("preprocessing") { $0.put(model.preprocessing) }
      json.member("provenance") { put(model.provenance, into: &$0) }
      json.member("lineage") { json in
        json.array { json in
          for step in model.lineage {
            json.object { json in
              json.member("action") { $0.string(step.action) }
              json.member("detail") { $0.string(step.detail) }
              json.member("source") { $0.string(step.source) }
              json.member("source_sha256") { $0.string(step.sourceSHA256) }
            }
          }
        }
      }
      json.member("licence") { $0.string(model.licence) }
      json.member("goldens") { $0.strings(model.goldens.map { $0.name }) }
      json.member("tensors") { putTensors(into: &$0) }
    }
    return json.text
  }

  private func putTensors(into json: inout JSONWriter) {
    json.array { json in
      for (tensor, digest) in zip(model.tensors, tensorDigests) {
        json.object { json in
          json.member("name") { $0.string(tensor.name) }
          json.member("dtype") { $0.string(tensor.dtype.name) }
          json.member("shape") { $0.integers(tensor.shape) }
          json.member("nbytes") { $0.integer(tensor.byteCount ?? 0) }
          json.member("sha256") { $0.string(digest) }
          json.member("role") { $0.string(tensor.role.text) }
        }
      }
    }
  }

  /// Constant extents as integers, others as text.
  private func put(_ ports: [Port], into json: inout JSONWriter) {
    json.array { json in
      for port in ports {
        json.object { json in
          json.member("name") { $0.string(port.name) }
          json.member("dtype") { $0.string(port.dtype.name) }
          json.member("shape") { json in
            json.array { json in
              for extent in port.shape {
                if let constant = Int(extent) { json.integer(constant) } else { json.string(extent) }
              }
            }
          }
          json.member("optional") { $0.boolean(port.isOptional) }
        }
      }
    }
  }

  private func put(_ provenance: Provenance?, into json: inout JSONWriter) {
    guard let provenance else { return json.null() }
    json.object { json in
      json.member("network") { $0.string(provenance.network) }
      json.member("parameters") { put(provenance.parameters, into: &$0) }
      json.member("seed") { $0.integer(provenance.seed) }
      json.member("trained") { $0.boolean(provenance.trained) }
      json.member("training") { put(provenance.training, into: &$0) }
      json.member("dataset_sha256") { $0.string(provenance.datasetSHA256) }
    }
  }

  private func put(_ parameters: [Parameter], into json: inout JSONWriter) {
    json.object { json in
      for parameter in parameters {
        json.member(parameter.name) { json in
          switch parameter.value {
          case .integer(let value): json.integer(value)
          case .number(let value): json.number(value)
          case .text(let value): json.string(value)
          case .flag(let value): json.boolean(value)
          }
        }
      }
    }
  }
}
