/// Builds ONNX's messages byte by byte.
enum ONNXBytes {
  /// ModelProto of IR version 8.
  static func model(
    _ graph: [[UInt8]], opsets: [(domain: String, version: UInt64)] = [("", 13)], functions: [[UInt8]] = [],
    more: [UInt8] = []
  ) -> [UInt8] {
    var bytes = Wire.number(1, 8)
    for (domain, version) in opsets { bytes += Wire.bytes(8, Wire.text(1, domain) + Wire.number(2, version)) }
    for function in functions { bytes += Wire.bytes(25, function) }
    return bytes + more + Wire.bytes(7, graph.flatMap { $0 })
  }

  /// A node, as a field of a graph; of a function it is field 7.
  static func node(
    _ type: String, _ inputs: [String], _ outputs: [String], _ attributes: [[UInt8]] = [], domain: String = "",
    field: UInt64 = 1
  ) -> [UInt8] {
    var bytes = inputs.flatMap { Wire.text(1, $0) } + outputs.flatMap { Wire.text(2, $0) } + Wire.text(4, type)
    for attribute in attributes { bytes += Wire.bytes(5, attribute) }
    if !domain.isEmpty { bytes += Wire.text(7, domain) }
    return Wire.bytes(field, bytes)
  }

  static func integer(_ name: String, _ value: Int) -> [UInt8] {
    Wire.text(1, name) + Wire.number(3, UInt64(bitPattern: Int64(value))) + Wire.number(20, 2)
  }

  static func integers(_ name: String, _ values: [Int]) -> [UInt8] {
    Wire.text(1, name) + values.flatMap { Wire.number(8, UInt64(bitPattern: Int64($0))) } + Wire.number(20, 7)
  }

  static func text(_ name: String, _ value: String) -> [UInt8] {
    Wire.text(1, name) + Wire.text(4, value) + Wire.number(20, 3)
  }

  static func tensor(_ name: String, _ tensor: [UInt8]) -> [UInt8] {
    Wire.text(1, name) + Wire.bytes(5, tensor) + Wire.number(20, 4)
  }

  /// A function's attribute in place of a value.
  static func reference(_ name: String, to other: String, type: UInt64 = 2) -> [UInt8] {
    Wire.text(1, name) + Wire.text(21, other) + Wire.number(20, type)
  }

  /// TensorProto of raw values.
  static func values(_ type: UInt64, _ shape: [UInt64], _ raw: [UInt8], name: String = "") -> [UInt8] {
    shape.flatMap { Wire.number(1, $0) } + Wire.number(2, type) + (name.isEmpty ? [] : Wire.text(8, name))
      + Wire.bytes(9, raw)
  }

  /// An initialiser, as a field of a graph.
  static func initialiser(_ name: String, _ type: UInt64, _ shape: [UInt64], _ raw: [UInt8]) -> [UInt8] {
    Wire.bytes(5, values(type, shape, raw, name: name))
  }

  /// "3" is an extent, "N" a name, "" neither.
  static func type(_ type: UInt64, _ shape: [String]?) -> [UInt8] {
    var tensor = Wire.number(1, type)
    if let shape {
      let dimensions = shape.map { extent in
        UInt64(extent).map { Wire.number(1, $0) } ?? (extent.isEmpty ? [] : Wire.text(2, extent))
      }
      tensor += Wire.bytes(2, dimensions.flatMap { Wire.bytes(1, $0) })
    }
    return Wire.bytes(1, tensor)
  }

  static func input(_ name: String, _ type: UInt64 = 1, _ shape: [String]? = ["N", "3"]) -> [UInt8] {
    Wire.bytes(11, Wire.text(1, name) + Wire.bytes(2, self.type(type, shape)))
  }

  static func output(_ name: String, _ type: UInt64 = 1, _ shape: [String]? = ["N", "3"]) -> [UInt8] {
    Wire.bytes(12, Wire.text(1, name) + Wire.bytes(2, self.type(type, shape)))
  }

  static func function(
    _ name: String, _ inputs: [String], _ outputs: [String], _ nodes: [[UInt8]], attributes: [String] = [],
    defaults: [[UInt8]] = []
  ) -> [UInt8] {
    Wire.text(1, name) + inputs.flatMap { Wire.text(4, $0) } + outputs.flatMap { Wire.text(5, $0) }
      + attributes.flatMap { Wire.text(6, $0) } + nodes.flatMap { $0 } + defaults.flatMap { Wire.bytes(11, $0) }
      + Wire.bytes(9, Wire.text(1, "") + Wire.number(2, 13)) + Wire.text(10, "own")
  }
}
