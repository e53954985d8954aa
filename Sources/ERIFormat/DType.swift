/// The type of a tensor's elements; raw values are those of schemas/eri.proto.
public enum DType: UInt8, Sendable, CaseIterable {
  case f64 = 1
  case f32 = 2
  case f16 = 3
  case bf16 = 4
  case i64 = 5
  case i32 = 6
  case i16 = 7
  case i8 = 8
  case u64 = 9
  case u32 = 10
  case u16 = 11
  case u8 = 12
  case bool = 13
  /// 8-bit floats of OCP and Graphcore; fn: without infinities, uz: without a negative zero.
  case f8e4m3fn = 14
  case f8e4m3fnuz = 15
  case f8e5m2 = 16
  case f8e5m2fnuz = 17
  /// A 4-bit integer in a byte of its own, extended by its sign or by zeros.
  case i4 = 18
  case u4 = 19

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .i8, .u8, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4: 1
    }
  }

  /// NumPy's name of the type ("float32"); those that NumPy lacks have ml_dtypes' names.
  public var name: String {
    switch self {
    case .f64: "float64"
    case .f32: "float32"
    case .f16: "float16"
    case .bf16: "bfloat16"
    case .i64: "int64"
    case .i32: "int32"
    case .i16: "int16"
    case .i8: "int8"
    case .u64: "uint64"
    case .u32: "uint32"
    case .u16: "uint16"
    case .u8: "uint8"
    case .bool: "bool"
    case .f8e4m3fn: "float8_e4m3fn"
    case .f8e4m3fnuz: "float8_e4m3fnuz"
    case .f8e5m2: "float8_e5m2"
    case .f8e5m2fnuz: "float8_e5m2fnuz"
    case .i4: "int4"
    case .u4: "uint4"
    }
  }

  /// The format version that brought it: the list was complete from the first.
  package var since: FormatVersion { FormatVersion(1, 0) }
}
