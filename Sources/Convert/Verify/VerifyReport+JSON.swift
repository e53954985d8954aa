import ERIFormat

extension VerifyReport {
  /// One object; docs/commands.md lists its members.
  package var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("a") { put(a, into: &$0) }
      json.member("b") { put(b, into: &$0) }
      json.member("policy") { $0.string(policy.rawValue) }
      json.member("verdict") { $0.string(isSame ? "same" : "different") }
      json.member("differences") { $0.strings(differences) }
      json.member("notes") { $0.strings(notes) }
      json.member("weights") { weights.put(into: &$0) }
      json.member("graph") { json in
        if let graph { graph.put(into: &json) } else { json.null() }
      }
      json.member("drop_in") { json in
        if let dropIn { dropIn.put(into: &json) } else { json.null() }
      }
    }
    return json.text
  }

  private func put(_ side: Side, into json: inout JSONWriter) {
    json.object { json in
      json.member("file") { $0.string(side.path) }
      json.member("container") { $0.string(side.container.rawValue) }
      json.member("tensors") { $0.integer(side.tensors) }
      json.member("weights_sha256") { $0.string(side.weights.text) }
      json.member("graph") { $0.boolean(side.hasGraph) }
    }
  }
}

extension WeightComparison {
  fileprivate func put(into json: inout JSONWriter) {
    json.object { json in
      for verdict in [Pair.Verdict.bitEqual, .sameNumbers, .different] {
        let key = verdict == .bitEqual ? "bit_equal" : verdict == .sameNumbers ? "same_numbers" : "different"
        json.member(key) { $0.integer(pairs.filter { $0.verdict == verdict }.count) }
      }
      json.member("only_a") { put(onlyA, into: &$0) }
      json.member("only_b") { put(onlyB, into: &$0) }
      json.member("renamed") { json in
        json.array { json in
          for group in renamed {
            json.object { json in
              json.member("a") { $0.string(group.a) }
              json.member("b") { $0.string(group.b) }
              json.member("tensors") { $0.integer(group.count) }
              json.member("bit_equal") { $0.integer(group.bitEqual) }
            }
          }
        }
      }
      json.member("tensors") { json in
        json.array { json in
          for pair in pairs { put(pair, into: &json) }
        }
      }
    }
  }

  private func put(_ entries: [Checkpoint.Entry], into json: inout JSONWriter) {
    json.array { json in
      for entry in entries {
        json.object { json in
          json.member("name") { $0.string(entry.tensor.name) }
          json.member("dtype") { $0.string(entry.tensor.dtype.name) }
          json.member("shape") { $0.integers(entry.tensor.shape) }
        }
      }
    }
  }

  private func put(_ pair: Pair, into json: inout JSONWriter) {
    json.object { json in
      json.member("a") { $0.string(pair.a.tensor.name) }
      json.member("b") { $0.string(pair.b.tensor.name) }
      json.member("verdict") { $0.string(pair.verdict.rawValue) }
      json.member("dtype_a") { $0.string(pair.a.tensor.dtype.name) }
      json.member("dtype_b") { $0.string(pair.b.tensor.dtype.name) }
      json.member("shape_a") { $0.integers(pair.a.tensor.shape) }
      json.member("shape_b") { $0.integers(pair.b.tensor.shape) }
      json.member("explanation") { json in
        if let explanation = pair.explanation { json.string(explanation.kind) } else { json.null() }
      }
      json.member("sentence") { $0.string(pair.sentence) }
      guard let difference = pair.difference else { return }
      json.member("elements") { $0.integer(difference.count) }
      json.member("differing") { $0.integer(difference.differing) }
      json.member("ulp") { json in
        if let distance = difference.largestULP { json.integer(distance) } else { json.null() }
      }
      json.member("absolute") { $0.number(difference.largestAbsolute) }
      json.member("relative") { $0.number(difference.largestRelative) }
    }
  }
}
