import ERIFormat

/// What quantising did, layer by layer.
package struct QuantizationReport: Sendable {
  package struct Layer: Sendable {
    package let name: String
    /// Of the layer's output when it alone is quantised, in decibels.
    package let signalToNoise: Double
    /// Share of its input's numbers beyond the range of its codes.
    package let clipping: Double
    /// What the outputs' correlation with those in float32 loses when the layer alone is quantised.
    package let drop: Double
    /// Why the layer stays in float32; nil: it is quantised.
    package internal(set) var reason: String?
  }

  package internal(set) var layers: [Layer] = []
  package internal(set) var method = RangeMethod.minmax
  package internal(set) var samples = 0
  /// The outputs' correlation with those in float32, all quantised layers together.
  package internal(set) var pearson = 1.0
  /// Bytes of the weights before and after.
  package internal(set) var floatBytes = 0
  package internal(set) var storedBytes = 0

  package var quantizedCount: Int { layers.count { $0.reason == nil } }

  package init() {}

  /// One object.
  package var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("method") { $0.string(method.rawValue) }
      json.member("samples") { $0.integer(samples) }
      json.member("pearson") { $0.number(pearson) }
      json.member("float_bytes") { $0.integer(floatBytes) }
      json.member("stored_bytes") { $0.integer(storedBytes) }
      json.member("layers") { json in
        json.array { json in
          for layer in layers {
            json.object { json in
              json.member("name") { $0.string(layer.name) }
              json.member("sqnr_db") { $0.number(layer.signalToNoise) }
              json.member("clipping") { $0.number(layer.clipping) }
              json.member("pearson_drop") { $0.number(layer.drop) }
              json.member("quantized") { $0.boolean(layer.reason == nil) }
              json.member("reason") { json in if let reason = layer.reason { json.string(reason) } else { json.null() }
              }
            }
          }
        }
      }
    }
    return json.text
  }
}
