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
  /// Tensors under so many bytes may share a frame.
  public static let sharedTensorBytes = 4_096
  /// Unpacked bytes of a frame that tensors share.
  public static let sharedFrameBytes = 1 << 16
  /// UTF-8 bytes of a text that is not a name.
  public static let textBytes = 1 << 20
  /// Scales or zero points of one quantization.
  public static let scales = 1 << 22
  /// Goldens of one file.
  public static let goldens = 1_024
  /// Steps of one file's lineage.
  public static let lineage = 4_096
  /// Parameters of a network or of its training.
  public static let parameters = 4_096
  /// Frames or rows that preprocessing takes from a clip.
  public static let steps = 65_536
  /// Height or width of a face crop.
  public static let cropExtent = 4_096
  /// Side of a face crop over the longer side of the detection.
  public static let cropScale = 16
  /// Samples per second.
  public static let sampleRate = 768_000
  /// Samples of one Fourier transform or hop.
  public static let transformSize = 65_536
  /// Mel bands.
  public static let bands = 4_096
  /// Rows of coefficients side by side in one.
  public static let stack = 256
  /// Attributes of one operator of ONNX.
  public static let attributes = 64
  /// Elements of one attribute.
  public static let attributeElements = 1 << 20
  /// The newest operator set of a domain of ONNX.
  public static let opset = 1_000
  /// Functions of one ONNX model.
  public static let functions = 4_096
  /// Functions within functions of an ONNX model.
  public static let functionNesting = 32
  /// Channel groups, strides, dilations, paddings and kernel extents of a window.
  public static let window = 32_767
  /// Bytes of a .npy file's header text.
  public static let npyHeaderBytes = 65_536
  /// Bytes of a safetensors header, as its own library has it.
  public static let safetensorsHeaderBytes = 100_000_000
  /// Pieces of a file that one tensor's values may be spread over.
  public static let pieces = 1 << 20
  /// Entries of a container's metadata.
  public static let metadata = 65_536

  // Zip archives and pickles, as PyTorch and NumPy write them.

  /// Entries of a zip archive: a storage for every tensor, and what stands beside them.
  public static let zipEntries = 131_072
  /// Bytes of a zip archive's central directory.
  public static let zipDirectoryBytes = 64 << 20
  /// Bytes of the name of a zip archive's entry.
  public static let zipNameBytes = 1_024
  /// Unpacked bytes that deflate can make of one byte; more is no deflated data.
  public static let deflateRatio = 1_032
  /// Bytes of a pickle.
  public static let pickleBytes = 64 << 20
  /// Opcodes of a pickle.
  public static let pickleOpcodes = 1 << 24
  /// Values on a pickle's stack.
  public static let pickleStack = 1 << 20
  /// Remembered values of a pickle.
  public static let pickleMemo = 1 << 21
  /// Bytes of a string or of an integer in a pickle.
  public static let pickleTextBytes = 1 << 20
  /// Containers within containers of a pickle.
  public static let pickleNesting = 128
  /// Values met on the way through a pickle's containers, each as often as it is reached.
  public static let pickleVisits = 1 << 22
  /// Bytes that a pickle's values may take in memory.
  public static let pickleMemory = 256 << 20

  // Label files and the index of a prepared cache.

  /// Bytes of a file of comma-separated values.
  public static let csvBytes = 256 << 20
  /// Fields of one record.
  public static let csvColumns = 8_192
  /// Bytes of one field.
  public static let csvFieldBytes = 1 << 16
  /// Clips of one dataset.
  public static let clips = 1 << 20
  /// UTF-8 bytes of a clip's ID, which is the name of a file.
  public static let clipNameBytes = 240
}
