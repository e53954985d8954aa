import ERIFormat

extension GraphComparison {
  func put(into json: inout JSONWriter) {
    json.object { json in
      json.member("inputs") { json in
        json.array { json in
          for input in inputs {
            json.object { json in
              json.member("name") { $0.string(input.name) }
              json.member("shape") { $0.integers(input.shape) }
            }
          }
        }
      }
      json.member("faults") { $0.strings(faults) }
      json.member("notes") { $0.strings(notes) }
      json.member("attributes") { $0.strings(attributes) }
      json.member("first_divergent") { json in
        guard let divergence else { return json.null() }
        json.object { json in
          json.member("value") { $0.string(divergence.row.name) }
          json.member("operator") { $0.string(divergence.row.op) }
          json.member("place") { $0.string(divergence.row.place) }
          json.member("judgement") { $0.string(divergence.judgement) }
          json.member("causes") { json in
            json.array { json in
              for cause in divergence.causes {
                json.object { json in
                  json.member("kind") { $0.string(cause.kind.rawValue) }
                  json.member("sentence") { $0.string(cause.sentence) }
                }
              }
            }
          }
        }
      }
      json.member("values") { json in
        json.array { json in
          for row in rows { put(row, into: &json) }
        }
      }
    }
  }

  private func put(_ row: Row, into json: inout JSONWriter) {
    json.object { json in
      json.member("name") { $0.string(row.name) }
      json.member("name_a") { $0.string(row.nameInA) }
      json.member("operator") { $0.string(row.op) }
      json.member("shape") { $0.integers(row.shapeB) }
      json.member("output") { $0.boolean(row.isOutput) }
      json.member("diverges") { $0.boolean(row.diverges(under: policy)) }
      json.member("isolated") { put(row.isolated, into: &$0) }
      json.member("isolated_allowed") { $0.number(row.allowed) }
      json.member("isolated_double") { put(row.meaning, into: &$0) }
      json.member("isolated_error_a") { put(row.isolatedErrorA, into: &$0) }
      json.member("isolated_error_b") { put(row.isolatedErrorB, into: &$0) }
      json.member("cumulative") { put(row.cumulative, into: &$0) }
      json.member("cumulative_allowed") { $0.number(row.cumulativeAllowed) }
      json.member("cumulative_error_a") { put(row.cumulativeErrorA, into: &$0) }
      json.member("cumulative_error_b") { put(row.cumulativeErrorB, into: &$0) }
    }
  }

  private func put(_ value: Double?, into json: inout JSONWriter) {
    if let value { json.number(value) } else { json.null() }
  }
}
