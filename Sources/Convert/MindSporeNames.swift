import ERIFormat

/// The names by which MindSpore's optimisers and its checkpoint callback store what is no weight.
enum MindSporeNames {
  private static let prefixes = ["moment1.", "moment2.", "moments.", "accum."]
  private static let names = [
    "beta1_power", "beta2_power", "learning_rate", "momentum", "global_step", "epoch_num", "step_num", "loss_scale",
  ]

  static func role(of name: String) -> Tensor.Role {
    for prefix in prefixes where name.utf8.starts(with: prefix.utf8) { return .optimizerState }
    for known in names where name.utf8.elementsEqual(known.utf8) { return .optimizerState }
    return .weight
  }
}

/// MindSpore's names of the element types.
enum MindSporeType {
  /// Nil: it has none.
  static func name(_ dtype: DType) -> String? {
    switch dtype {
    case .f64: "Float64"
    case .f32: "Float32"
    case .f16: "Float16"
    case .bf16: "BFloat16"
    case .i64: "Int64"
    case .i32: "Int32"
    case .i16: "Int16"
    case .i8: "Int8"
    case .u64: "UInt64"
    case .u32: "UInt32"
    case .u16: "UInt16"
    case .u8: "UInt8"
    case .bool: "Bool"
    case .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4: nil
    }
  }

  static func dtype(_ name: String) -> DType? { DType.allCases.first { self.name($0) == name } }
}
