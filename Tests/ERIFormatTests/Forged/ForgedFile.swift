import CERISchema
import CERISystem
import CProtobufC
import ERITestSupport
import Testing

@testable import ERIFormat

/// A small valid file of which a test changes one part. What depends on the part (checksums, digests, sizes, places) is made right
/// again, so that only the rule under test is broken.
final class ForgedFile {
  /// The data frames as stored.
  var payload: [UInt8]
  /// The directory's message and the memory of what a test adds to it.
  let directory: UnsafeMutablePointer<Eri__Directory>
  let arena: WireArena
  /// Stands in for the directory's bytes, where they are to be no message of the schema.
  var directoryBytes: [UInt8]?
  /// Changes what has been made right: the skippable frame's header before the directory, the seek table, the prologue's fields,
  /// and its bytes before their CRC32C.
  var changeHeader: (inout [UInt8]) -> Void = { _ in }
  var changeSeekTable: (inout [UInt8]) -> Void = { _ in }
  var changePrologue: (inout Prologue) -> Void = { _ in }
  var changePrologueBytes: (inout [UInt8]) -> Void = { _ in }

  /// Tensors "m" of two frames, "w" of one, "b", "q" (quantized) and "o" (optimiser state) in one that they share; every kind of metadata.
  static let original: Result<[UInt8], any Error> = Result {
    var builder = GraphBuilder(symbols: ["N"])
    let x = builder.input("x", ValueType(.f32, [Dimension(symbol: 0), Dimension(40)]))
    let fill = builder.input("s", ValueType(.f32, [Dimension(symbol: 0), Dimension(40)]), omission: .filled(1))
    var model = Model()
    let large = Tensor(
      "m", .u8, [Limits.frameBytes + 5], values: .bytes([UInt8](repeating: 0, count: Limits.frameBytes + 5)))
    model.tensors = [
      large, Tensor("w", [40, 40], floats: (0..<1600).map { Float($0 % 97) }),
      Tensor("b", [40], floats: (0..<40).map { Float($0) }),
      Tensor(
        "q", .i8, [4, 8],
        quantization: Quantization(
          stored: .i8, scales: [1, 2, 3, 4], zeroPoints: [0, 1, 2, 3], minimum: -127, maximum: 127),
        values: .bytes([UInt8](0..<32))),
      Tensor("o", [1], role: .optimizerState, floats: [0.5]),
    ]
    let y = try builder.apply(.binary(Binary(.multiply)), [x, fill], name: "y")
    builder.output(try builder.apply(.unary(Unary(.relu)), [y], name: "z"))
    model.graph = builder.graph
    model.graph?.values.append(Value("w", .tensor(1)))
    model.preprocessing = Preprocessing(video: VideoPreprocessing(), audio: AudioPreprocessing())
    model.labels = ["one", "two"]
    model.licence = "none"
    var provenance = Provenance()
    provenance.network = "by hand"
    provenance.parameters = [Parameter("p", .text("text"))]
    provenance.training = [Parameter("t", .integer(1))]
    provenance.datasetSHA256 = "00"
    model.provenance = provenance
    model.lineage = [LineageStep(action: "init", detail: "by hand", source: "a", sourceSHA256: "00")]
    var golden = Golden()
    golden.name = "g"
    golden.bindings = [Golden.Binding("N", 1)]
    golden.inputs = [Golden.Values("x", .u8, [2], [1, 2])]
    golden.outputs = [Golden.Values("z", .f32, [1], [0, 0, 0, 0])]
    model.goldens = [golden]
    let folder = try TemporaryFolder()
    try model.write(to: folder.path("original.eri"))
    return try folder.bytes("original.eri")
  }

  init() throws {
    let bytes = try ForgedFile.original.get()
    let prologue = try Prologue(decoding: Array(bytes[..<Prologue.byteCount]))
    let start = Int(prologue.directoryOffset)
    payload = Array(bytes[Prologue.byteCount..<(start - SkippableFrame.headerBytes)])
    let message = Array(bytes[start..<(start + Int(prologue.directoryBytes))])
    let arena = WireArena(budget: 1 << 30)
    directory = try #require(arena.withAllocator { eri__directory__unpack($0, message.count, message) })
    self.arena = arena
  }

  /// The file's bytes.
  func bytes() -> [UInt8] {
    let message = directoryBytes ?? packedDirectory()
    let frames = storedFrames()
    let read = message.withUnsafeBytes { bytes in try? DirectoryReader.read(bytes, features: 0) }
    let digests = Digests(logical: SHA256Digest.zero, weights: SHA256Digest.zero)
    var prologue = Prologue(
      directoryDigest: message.withUnsafeBytes { SHA256.digest(of: $0) }, digests: read?.digests ?? digests)
    var header = SkippableFrame.header(SkippableFrame.directoryMagic, UInt32(message.count))
    changeHeader(&header)
    var seekTable = SeekTable.encoded(frames, directoryBytes: UInt32(message.count))
    changeSeekTable(&seekTable)
    prologue.directoryOffset = UInt64(Prologue.byteCount + payload.count + header.count)
    prologue.directoryBytes = UInt64(message.count)
    prologue.fileBytes = prologue.directoryOffset + prologue.directoryBytes + UInt64(seekTable.count)
    prologue.frameCount = UInt64(frames.count)
    prologue.unpackedBytes = frames.reduce(0) { $0 + UInt64($1.unpackedBytes) }
    prologue.largestTensorBytes = read?.largestTensorBytes ?? 0
    changePrologue(&prologue)
    var head = Array(prologue.encoded.dropLast(4))
    changePrologueBytes(&head)
    head.appendLittleEndian(head.withUnsafeBytes { crc32c($0) })
    return head + payload + header + message + seekTable
  }

  private func packedDirectory() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: eri__directory__get_packed_size(directory))
    _ = bytes.withUnsafeMutableBufferPointer { eri__directory__pack(directory, $0.baseAddress) }
    return bytes
  }

  private func storedFrames() -> [Frame] {
    (0..<directory.pointee.n_frames).map { index in
      let wire = directory.pointee.frames?[index]?.pointee
      return Frame(
        offset: 0, storedBytes: Int(wire?.stored_bytes ?? 0), unpackedBytes: Int(wire?.unpacked_bytes ?? 0),
        planeBytes: 0,
        checksum: 0)
    }
  }

  /// What opening the file and reading all its tensors meets, without the file's path; nil: nothing.
  func refusal() throws -> Refusal? {
    let folder = try TemporaryFolder()
    let path = try folder.write("forged.eri", bytes())
    do throws(FormatError) {
      let model = try Model(reading: path)
      for tensor in model.tensors { _ = try tensor.bytes() }
      return nil
    } catch {
      #expect(error.place.hasPrefix(path))
      return Refusal(error.kind, String(error.description.dropFirst(path.utf8.count + 2)))
    }
  }
}

extension SHA256Digest {
  static let zero =
    SHA256Digest([UInt8](repeating: 0, count: byteCount)) ?? SHA256.digest(of: .init(start: nil, count: 0))
}

/// A refusal's kind and its sentence without the file's path.
struct Refusal: Equatable, Sendable {
  let kind: FormatError.Kind
  let sentence: String

  init(_ kind: FormatError.Kind, _ sentence: String) {
    self.kind = kind
    self.sentence = sentence
  }
}

/// One change to a valid file and the refusal that it must meet.
struct Forgery: Sendable, CustomTestStringConvertible {
  let expected: Refusal
  let change: @Sendable (ForgedFile) throws -> Void

  init(_ kind: FormatError.Kind, _ sentence: String, _ change: @escaping @Sendable (ForgedFile) throws -> Void) {
    expected = Refusal(kind, sentence)
    self.change = change
  }

  var testDescription: String { expected.sentence }

  /// What the changed file meets.
  func refusal() throws -> Refusal? {
    let file = try ForgedFile()
    try change(file)
    return try file.refusal()
  }
}
