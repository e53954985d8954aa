package import ERIFormat

extension DType {
  /// The type with a number of ONNX's TensorProto.DataType; nil for one that .eri has not.
  package init?(onnx number: Int) {
    switch number {
    case 1: self = .f32
    case 2: self = .u8
    case 3: self = .i8
    case 4: self = .u16
    case 5: self = .i16
    case 6: self = .i32
    case 7: self = .i64
    case 9: self = .bool
    case 10: self = .f16
    case 11: self = .f64
    case 12: self = .u32
    case 13: self = .u64
    case 16: self = .bf16
    case 17: self = .f8e4m3fn
    case 18: self = .f8e4m3fnuz
    case 19: self = .f8e5m2
    case 20: self = .f8e5m2fnuz
    case 21: self = .u4
    case 22: self = .i4
    default: return nil
    }
  }
}
