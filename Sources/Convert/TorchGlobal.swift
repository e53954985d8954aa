import ERIFormat

/// The names that a pickle of PyTorch may mention and that this reader understands, all of them without running anything.
struct TorchGlobal {
  enum Meaning {
    case orderedDictionary
    case tensor(TensorForm)
    case parameter
    case size
    case device
    case encode
    case set
    case storageType(StorageType)
    case elementType(DType)
    /// A type whose elements this tool has no name for.
    case foreignType
    /// torch.jit's wrapper around a list or a typed value, whose first argument is what it stands for.
    case wrapper
    /// A class of a TorchScript archive.
    case module
    /// Makes a value that is no tensor and holds none.
    case opaque(String)
  }

  /// Which arguments a function that rebuilds a tensor takes.
  enum TensorForm {
    case plain
    /// The last but metadata is the type, and the storage counts bytes.
    case typed
  }

  enum StorageType: Equatable {
    case typed(DType)
    case untyped
    case foreign
  }

  let name: String
  let meaning: Meaning

  /// The name's meaning, or nil for code that this reader does not have.
  init?(module: String, name: String) {
    let home = module == "__builtin__" ? "builtins" : module
    let full = "\(home).\(name)"
    guard let meaning = TorchGlobal.meaning(full, module: home, name: name) else { return nil }
    self.name = full
    self.meaning = meaning
  }

  private static func meaning(_ full: String, module: String, name: String) -> Meaning? {
    switch full {
    case "collections.OrderedDict": return .orderedDictionary
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2": return .tensor(.plain)
    case "torch._utils._rebuild_tensor_v3": return .tensor(.typed)
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
      "torch.nn.parameter.Parameter":
      return .parameter
    case "torch.Size": return .size
    case "torch.device": return .device
    case "_codecs.encode": return .encode
    case "builtins.set": return .set
    case "builtins.bytearray": return .opaque("a byte array")
    case "builtins.complex": return .opaque("a complex number")
    case "collections.Counter": return .opaque("a counter")
    case "torch.serialization._get_layout": return .opaque("a layout")
    case "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_doublelist", "torch.jit._pickle.build_boollist",
      "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.restore_type_tag":
      return .wrapper
    default:
      if module == "__torch__" || module.hasPrefix("__torch__.") { return .module }
      if let type = storageType(module: module, name: name) { return .storageType(type) }
      return module == "torch" ? elementType(name) : nil
    }
  }

  private static func storageType(module: String, name: String) -> StorageType? {
    switch module {
    case "torch.storage": return name == "UntypedStorage" ? .untyped : nil
    case "torch", "torch.cuda": break
    default: return nil
    }
    return switch name {
    case "DoubleStorage": .typed(.f64)
    case "FloatStorage": .typed(.f32)
    case "HalfStorage": .typed(.f16)
    case "BFloat16Storage": .typed(.bf16)
    case "LongStorage": .typed(.i64)
    case "IntStorage": .typed(.i32)
    case "ShortStorage": .typed(.i16)
    case "CharStorage": .typed(.i8)
    case "ByteStorage": .typed(.u8)
    case "BoolStorage": .typed(.bool)
    case "UntypedStorage": .untyped
    case "QInt8Storage", "QUInt8Storage", "QInt32Storage", "QUInt4x2Storage", "QUInt2x4Storage",
      "ComplexFloatStorage", "ComplexDoubleStorage":
      .foreign
    default: nil
    }
  }

  private static func elementType(_ name: String) -> Meaning? {
    switch name {
    case "float64": .elementType(.f64)
    case "float32": .elementType(.f32)
    case "float16": .elementType(.f16)
    case "bfloat16": .elementType(.bf16)
    case "int64": .elementType(.i64)
    case "int32": .elementType(.i32)
    case "int16": .elementType(.i16)
    case "int8": .elementType(.i8)
    case "uint64": .elementType(.u64)
    case "uint32": .elementType(.u32)
    case "uint16": .elementType(.u16)
    case "uint8": .elementType(.u8)
    case "bool": .elementType(.bool)
    case "float8_e4m3fn": .elementType(.f8e4m3fn)
    case "float8_e4m3fnuz": .elementType(.f8e4m3fnuz)
    case "float8_e5m2": .elementType(.f8e5m2)
    case "float8_e5m2fnuz": .elementType(.f8e5m2fnuz)
    case "complex32", "complex64", "complex128", "float8_e8m0fnu", "float4_e2m1fn_x2", "qint8", "quint8", "qint32",
      "quint4x2", "quint2x4", "bits8", "bits16",
      "bits1x8", "bits2x4", "bits4x2":
      .foreignType
    case "strided", "contiguous_format", "preserve_format", "channels_last", "per_tensor_affine",
      "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric", "per_channel_affine_float_qparams":
      .opaque("a setting")
    default: nil
    }
  }
}

/// A storage that a pickle's persistent id speaks of.
struct TorchStorage {
  var type: TorchGlobal.StorageType
  var typeName: String
  var key: String
  /// Elements, or bytes of an untyped one.
  var count: Int
  /// The part of it that a legacy view is: elements.
  var viewOffset = 0
  var viewCount: Int
}

/// A tensor as its pickle describes it: a view of a storage.
struct TorchTensor {
  var dtype: DType
  var storage: TorchStorage
  /// Elements from the storage's beginning.
  var offset: Int
  var shape: [Int]
  /// Elements between neighbours, a number for each extent.
  var strides: [Int]
}
