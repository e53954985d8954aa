/// The limits that untrusted input is held to before anything is allocated for it.
public enum Limits {
  /// Dimensions of one tensor or value.
  public static let rank = 8
  /// Elements of one tensor or value, and so the largest single dimension.
  public static let elements = Int(Int32.max)
  /// UTF-8 bytes of a name.
  public static let nameBytes = 512
  /// Tensors of one file.
  public static let tensors = 65_536
  /// Values of one graph.
  public static let values = 262_144
  /// Nodes of one graph.
  public static let nodes = 131_072
  /// Inputs or outputs of one node or graph.
  public static let arity = 1_024
  /// Symbolic dimensions of one graph.
  public static let symbols = 64
  /// Labels of one file.
  public static let labels = 4_096
  /// Bytes of the directory as stored.
  public static let directoryBytes = 64 << 20
  /// Bytes that unpacking the directory may allocate.
  public static let directoryMemory = 256 << 20
  /// Data frames of one file.
  public static let frames = 1 << 20
  /// Unpacked bytes of one data frame.
  public static let frameBytes = 1 << 20
  /// Unpacked bytes of all data frames.
  public static let unpackedBytes: UInt64 = 1 << 36
  /// Channel groups, strides, dilations, paddings and kernel extents of a window.
  public static let window = 32_767
  /// Bytes of a .npy file's header text.
  public static let npyHeaderBytes = 65_536
}
