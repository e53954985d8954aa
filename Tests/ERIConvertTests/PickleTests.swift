import ERIConvert
import ERIFormat
import ERITestSupport
import Testing

/// Pickles by hand. Each stands in an archive as its data.pkl.
@Suite struct PickleTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A pickle's pieces: ASCII text as it stands, numbers as bytes.
  private enum Piece: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case text(String)
    case byte(UInt8)
    case bytes([UInt8])

    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: UInt8) { self = .byte(value) }

    var encoded: [UInt8] {
      switch self {
      case .text(let text): Array(text.utf8)
      case .byte(let byte): [byte]
      case .bytes(let bytes): bytes
      }
    }
  }

  private func read(
    _ pieces: [Piece], storages: [String: [UInt8]] = [:], allowInert: Bool = false
  ) throws -> Checkpoint {
    let entries =
      [ZipBytes.Entry("a/data.pkl", pieces.flatMap { $0.encoded })]
      + storages.sorted { $0.key < $1.key }.map { ZipBytes.Entry("a/data/\($0.key)", $0.value) }
    let path = try folder.write("a.pth", ZipBytes(entries).bytes)
    return try TorchZip.read(ZipArchive(path: path), allowInert: allowInert)
  }

  private func refused(_ pieces: [Piece], storages: [String: [UInt8]] = [:], allowInert: Bool = false) -> String {
    refusal { _ = try read(pieces, storages: storages, allowInert: allowInert) }
      .map { String($0.description.dropFirst(folder.path("a.pth").count + 2)) } ?? "accepted"
  }

  @Test func `Code is refused by its name, however the pickle asks for it`() {
    let ways: [[Piece]] = [
      ["cos\nsystem\n", "(", "Vecho\n", "tR."],  // GLOBAL, REDUCE
      [0x80, 4, 0x8c, 2, "os", 0x8c, 6, "system", 0x93, "."],  // STACK_GLOBAL
      ["(Vecho\n", "ios\nsystem\n", "."],  // INST
      ["(cos\nsystem\n", "Vecho\n", "o."],  // OBJ
      [0x80, 2, "cos\nsystem\n", ")", 0x81, "}b."],  // NEWOBJ, BUILD
      [0x80, 4, "cos\nsystem\n", ")}", 0x92, "."],  // NEWOBJ_EX
      ["Vos\np0\n0Vsystem\np1\n0g0\ng1\n", 0x93, "."],  // through the memo
      ["cos\nsystem\n", 0xff],  // and then damage
    ]
    for way in ways {
      #expect(
        refused(way)
          == "a/data.pkl: expected tensors and plain containers, found a pickle that asks for the code of \"os.system\"; "
          + "nothing was executed; save the state dictionary alone, or read what is left with --allow-inert")
    }
  }

  @Test func `Every name that is asked for is named, once`() {
    let pieces: [Piece] = ["(c__builtin__\neval\ncbuiltins\neval\ncposix\nsystem\nt."]
    #expect(refused(pieces).contains("asks for the code of \"builtins.eval\", \"posix.system\";"))
  }

  @Test func `A call of a placeholder gives a placeholder, noted by name`() throws {
    let checkpoint = try read(["cos\nsystem\n", "(Vecho\ntR", "(S'x'\ntR", "."], allowInert: true)
    #expect(checkpoint.entries.isEmpty)
    #expect(
      checkpoint.notes.contains(
        "the code of \"os.system\", which the file asks for, was not run; what it would have made is left out"))
  }

  @Test(
    arguments: [
      (0x82, "EXT1"), (0x83, "EXT2"), (0x84, "EXT4"), (0x50, "PERSID"), (0x97, "NEXT_BUFFER"),
      (0x98, "READONLY_BUFFER"),
      (0xff, "opcode 255"),
    ] as [(UInt8, String)])
  func `Another opcode ends the reading, by its name and place`(opcode: UInt8, name: String) {
    #expect(
      refused([0x80, 2, "N", .byte(opcode), "."])
        == "a/data.pkl: pickle byte 3 (\(name)): expected an opcode of plain data, found \(name); it is not read")
  }

  @Test func `A pickle that takes what is not there is refused`() {
    for pieces: [Piece] in [
      ["."], ["R."], ["b."], ["t."], ["0."], ["h", 0, "."], ["(u."], ["}(Nu."], ["Na."], ["}Ns."], ["NQ."], ["(."],
      ["(0R."], ["]q"], ["]", "Na", "N"], ["X", 5, 0, 0, 0, "ab"], ["X", 255, 255, 255, 255], ["Ifive\n."],
      ["Lx\n."], ["Fx\n."], ["S'a\n."], ["ccollections\n"], ["ccollections\nOrderedDict\nNR."], [0x80, 9, "."],
      [0x8a, 255, "."], [0x85, "."], [0x93, "."], ["(o."], ["NN", 0x81, "."], ["ctorch\nFloatStorage\n)R."],
      ["X", 1, 0, 0, 0, 0xff, "."], ["N1."], ["g5\n."], ["gx\n."], ["2."], ["}]s."],
    ] {
      #expect(refused(pieces) != "accepted", "\(pieces)")
    }
  }

  @Test func `A list that holds itself is refused`() {
    #expect(
      refused(["]q", 0, "h", 0, "a."]).contains("expected at most \(Limits.pickleNesting) containers in each other"))
  }

  @Test func `Containers deeper than allowed are refused`() {
    let depth = Limits.pickleNesting + 2
    let pieces: [Piece] = [
      .bytes([UInt8](repeating: 0x5d, count: depth)), .bytes([UInt8](repeating: 0x61, count: depth - 1)), ".",
    ]
    #expect(refused(pieces).contains("expected at most \(Limits.pickleNesting) containers in each other"))
  }

  @Test func `A small pickle that stands for a huge tree is refused`() {
    // Thirty lists, each of the one before twice.
    var pieces: [Piece] = ["]q", 0]
    for _ in 0..<30 { pieces += ["]q", 1, "h", 0, "ah", 0, "ah", 1, "q", 0] }
    #expect(refused(pieces + ["."]).contains("and \(Limits.pickleVisits) values, found more"))
  }

  @Test func `More values on the stack than allowed are refused`() {
    let pieces: [Piece] = [.bytes([UInt8](repeating: 0x4e, count: Limits.pickleStack + 1)), "."]
    #expect(refused(pieces).contains("expected at most \(Limits.pickleStack) values on the stack, found more"))
  }

  @Test func `More marks than allowed are refused`() {
    let pieces: [Piece] = [.bytes([UInt8](repeating: 0x28, count: Limits.pickleStack + 1)), "."]
    #expect(refused(pieces).contains("expected at most \(Limits.pickleStack) marks, found more"))
  }

  @Test func `More opcodes than allowed are refused`() {
    let pieces: [Piece] = [
      .bytes((0...Limits.pickleOpcodes).map { $0 % 2 == 0 ? 0x4e : 0x30 }), ".",
    ]
    #expect(refused(pieces).contains("expected at most \(Limits.pickleOpcodes) opcodes, found more"))
  }

  @Test func `More memo entries than allowed are refused`() {
    let pieces: [Piece] = ["N", .bytes([UInt8](repeating: 0x94, count: Limits.pickleMemo + 1)), "."]
    #expect(refused(pieces).contains("expected at most \(Limits.pickleMemo) memo entries, found more"))
  }

  @Test func `A longer string than allowed is refused before it is read`() {
    var count: [UInt8] = []
    put(&count, UInt64(Limits.pickleTextBytes + 1), 4)
    #expect(
      refused(["X", .bytes(count), "."]).contains("expected at most \(Limits.pickleTextBytes) bytes of a string"))
    #expect(
      refused(["V", .bytes([UInt8](repeating: 0x61, count: Limits.pickleTextBytes + 1)), "\n."])
        .contains("expected at most \(Limits.pickleTextBytes) bytes of a string"))
  }

  @Test func `Values that take more memory than allowed are refused`() {
    let pieces: [Piece] = [.bytes((0..<8_000_000).map { $0 % 2 == 0 ? 0x7d : 0x30 }), "N."]
    #expect(refused(pieces).contains("expected at most \(Limits.pickleMemory) bytes of values, found more"))
  }

  @Test func `A longer pickle than allowed is refused, in an archive and in a stream`() throws {
    let bytes = [UInt8](repeating: 0x95, count: Limits.pickleBytes + 9)
    #expect(refused([.bytes(bytes)]).contains("expected at most \(Limits.pickleBytes) bytes, found \(bytes.count)"))
    let path = try folder.write("a.pkl", bytes)
    let error = refusal { _ = try TorchLegacy.read(path: path, allowInert: false) }
    #expect(error?.description.contains("expected at most \(Limits.pickleBytes) bytes, found more") == true)
  }

  /// A float32 tensor called "x" of a storage "0" of `count` elements.
  private func tensor(count: UInt8, offset: UInt8, size: [UInt8], stride: [UInt8], type: String = "FloatStorage")
    -> [Piece]
  {
    func tuple(_ numbers: [UInt8]) -> [Piece] { ["("] + numbers.flatMap { ["K", .byte($0)] as [Piece] } + ["t"] }
    return [
      "}Vx\nctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nctorch\n", .text(type), "\nV0\nVcpu\nK", .byte(count), "tQK",
      .byte(offset),
    ] + tuple(size) + tuple(stride) + [0x89, "}tRs."]
  }

  @Test func `A tensor beyond its storage is refused`() {
    let storage = ["0": [UInt8](repeating: 0, count: 24)]
    #expect(refused(tensor(count: 6, offset: 0, size: [2, 3], stride: [3, 1]), storages: storage) == "accepted")
    #expect(
      refused(tensor(count: 6, offset: 1, size: [2, 3], stride: [3, 1]), storages: storage).contains(
        "expected a tensor inside its storage of 6 elements, found offset 1, size [2, 3], stride [3, 1]"))
    #expect(
      refused(tensor(count: 6, offset: 0, size: [2, 3], stride: [3]), storages: storage).contains("expected 2 strides"))
    #expect(
      refused(tensor(count: 5, offset: 0, size: [5], stride: [1]), storages: storage).contains(
        "expected a storage of 5 elements of 4 bytes, found 24 bytes in the entry data/0"))
    #expect(
      refused(tensor(count: 6, offset: 0, size: [6], stride: [1])).contains("expected its storage in the entry data/0"))
  }

  @Test func `A tensor of more dimensions than allowed is refused`() {
    let ones = [UInt8](repeating: 1, count: Limits.rank + 1)
    #expect(
      refused(tensor(count: 1, offset: 0, size: ones, stride: ones)).contains(
        "expected at most \(Limits.rank) dimensions"))
  }

  @Test func `Quantised and complex storages are refused by name as not supported`() throws {
    for type in ["QInt8Storage", "ComplexFloatStorage"] {
      let error = try #require(
        refusal { _ = try read(tensor(count: 1, offset: 0, size: [1], stride: [1], type: type)) })
      #expect(error.kind == .unsupported)
      #expect(error.message.contains("found \"torch.\(type)\""))
    }
  }

  @Test func `A bool that is neither 0 nor 1 is refused when it is read`() throws {
    let pieces = tensor(count: 2, offset: 0, size: [2], stride: [1], type: "BoolStorage")
    let checkpoint = try read(pieces, storages: ["0": [1, 2]])
    #expect(
      refusal { _ = try checkpoint.entries[0].tensor.bytes() }?.message
        == "expected 0 or 1 in a bool tensor, found 2 at element 1")
  }

  @Test func `Two tensors of one name are refused`() {
    let storage = ["0": [UInt8](repeating: 0, count: 4)]
    var pieces = tensor(count: 1, offset: 0, size: [1], stride: [1])
    pieces.removeLast()
    pieces += [0x89, "}tRp0\nsVx\ng0\ns."]
    #expect(refused(pieces, storages: storage).contains("expected each name once, found two tensors called \"x\""))
  }

  @Test func `A name longer than allowed is refused`() {
    let storage = ["0": [UInt8](repeating: 0, count: 4)]
    var pieces = tensor(count: 1, offset: 0, size: [1], stride: [1])
    pieces[0] = .text(
      "}V\(String(repeating: "x", count: Limits.nameBytes + 1))\nctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nctorch\n"
    )
    #expect(refused(pieces, storages: storage).contains("expected names of at most \(Limits.nameBytes) bytes"))
  }

  @Test func `An archive without a pickle, or with two, is refused`() throws {
    for (names, count) in [(["a/x"], 0), (["data.pkl", "a/data.pkl"], 2)] {
      let path = try folder.write("b.pth", ZipBytes(names.map { .init($0, [0x4e, 0x2e]) }).bytes)
      let error = refusal { _ = try TorchZip.read(ZipArchive(path: path), allowInert: false) }
      #expect(error?.message == "expected one data.pkl, as an archive of torch.save has, found \(count)")
    }
  }

  @Test func `An unknown byte order or layout is refused`() throws {
    func refused(_ name: String, _ text: String) throws -> String? {
      let entries = [ZipBytes.Entry("a/data.pkl", [0x7d, 0x2e]), .init("a/\(name)", Array(text.utf8))]
      let path = try folder.write("c.pth", ZipBytes(entries).bytes)
      return refusal { _ = try TorchZip.read(ZipArchive(path: path), allowInert: false) }?.message
    }
    #expect(try refused("byteorder", "middle") == "expected \"little\" or \"big\", found \"middle\"")
    #expect(try refused("version", "11\n") == "expected a layout up to 10, found 11")
    #expect(try refused("version", "new") == "expected a number, found \"new\"")
    #expect(try refused("version", "3\n") == nil)
  }
}
