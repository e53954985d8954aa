import ERIFormat

// Written by scripts/compatibility-table from the frozen files and the versions that operators, features and types carry; a
// test fails while it is out of step.
// swift-format-ignore
extension Compatibility {
  /// Releases of the runtime, oldest first.
  static let releases: [Release] = [
    Release(version: "0.1.0", format: FormatVersion(1, 0), frozen: ["v1/narrow-dual-branch.eri"]),
  ]

  /// What files may need, and the format that brought it.
  static let parts: [Part] = [
    Part(kind: .op, name: "conv", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "batch_norm", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "weight_norm", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "linear", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "max_pool", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "layer_norm", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "attention", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "attention_pool", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "unary", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "binary", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "concat", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "reshape", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "transpose", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "gate", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "onnx", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "prelu", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .op, name: "softmax", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .feature, name: "unpacked payload", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "float64", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "float32", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "float16", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "bfloat16", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "int64", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "int32", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "int16", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "int8", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "uint64", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "uint32", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "uint16", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "uint8", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "bool", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "float8_e4m3fn", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "float8_e4m3fnuz", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "float8_e5m2", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "float8_e5m2fnuz", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "int4", version: 1, since: FormatVersion(1, 0)),
    Part(kind: .dtype, name: "uint4", version: 1, since: FormatVersion(1, 0)),
  ]
}
