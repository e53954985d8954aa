import ERIFormat
import ERITestSupport
import Testing

/// A .npy file of version 1 with the given header text and values.
private func npy(_ header: String, _ values: [UInt8] = [], version: [UInt8] = [1, 0]) -> [UInt8] {
  let text = Array(header.utf8)
  let length: [UInt8] =
    version[0] == 1
    ? [UInt8(text.count & 255), UInt8(text.count >> 8)]
    : [UInt8(text.count & 255), UInt8(text.count >> 8 & 255), UInt8(text.count >> 16), 0]
  return NPYHeader.magic + version + length + text + values
}

private func bytes(hexadecimal text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}

private func values(_ file: NPYFile) throws -> [UInt8] {
  var bytes = [UInt8](repeating: 0xaa, count: file.header.byteCount)
  try bytes.withUnsafeMutableBytes { try file.readValues(into: $0) }
  return bytes
}

@Suite struct NPYReading {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ bytes: [UInt8]) throws -> NPYFile { try NPYFile(path: folder.write("x.npy", bytes)) }

  /// What opening the file and reading its values throws, without the folder's path.
  private func refusal(_ bytes: [UInt8]) throws -> String {
    do {
      _ = try values(open(bytes))
      return "no error"
    } catch let error as FormatError {
      #expect(error.place.hasPrefix(folder.path("x.npy")))
      return String(error.description.dropFirst(folder.path("").count + 1))
    }
  }

  // Written by numpy.lib.format.write_array of NumPy 2: the text between the braces and the values.
  static let numpyFiles: [(name: String, file: String, dtype: DType, shape: [Int], values: [UInt8])] = {
    let spaces = { (count: Int) in String(repeating: "20", count: count) }
    let float32 =
      "7b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028322c2033292c207d"
    let quarters = "000000000000803e0000003f0000403f0000803f0000a03f"
    return [
      (
        "float32 in version 1", "934e554d505901007600" + float32 + spaces(58) + "0a" + quarters, .f32, [2, 3],
        bytes(hexadecimal: quarters)
      ),
      (
        "float32 in version 2", "934e554d5059020074000000" + float32 + spaces(56) + "0a" + quarters, .f32, [2, 3],
        bytes(hexadecimal: quarters)
      ),
      (
        "float32 in version 3", "934e554d5059030074000000" + float32 + spaces(56) + "0a" + quarters, .f32, [2, 3],
        bytes(hexadecimal: quarters)
      ),
      (
        "int16 in Fortran order",
        "934e554d5059010076007b276465736372273a20273c6932272c2027666f727472616e5f6f72646572273a20547275652c2027736861706527"
          + "3a2028322c2033292c207d" + spaces(59) + "0a000003000100040002000500",
        .i16, [2, 3], bytes(hexadecimal: "000001000200030004000500")
      ),
      (
        "float64, big-endian in Fortran order",
        "934e554d5059010076007b276465736372273a20273e6638272c2027666f727472616e5f6f72646572273a20547275652c2027736861706527"
          + "3a2028322c2032292c207d" + spaces(59)
          + "0a3ff80000000000004008000000000000c0000000000000003fb999999999999a",
        .f64, [2, 2], bytes(hexadecimal: "000000000000f83f00000000000000c000000000000008409a9999999999b93f")
      ),
      (
        "uint8 in Fortran order, three dimensions",
        "934e554d5059010076007b276465736372273a20277c7531272c2027666f727472616e5f6f72646572273a20547275652c2027736861706527"
          + "3a2028322c20332c2034292c207d" + spaces(56) + "0a000c04100814010d05110915020e06120a16030f07130b17",
        .u8, [2, 3, 4], [UInt8](0..<24)
      ),
      (
        "a scalar",
        "934e554d5059010076007b276465736372273a20277c7531272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065"
          + "273a2028292c207d" + spaces(62) + "0a07",
        .u8, [], [7]
      ),
      (
        "bool in one dimension",
        "934e554d5059010076007b276465736372273a20277c6231272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065"
          + "273a2028332c292c207d" + spaces(60) + "0a010001",
        .bool, [3], [1, 0, 1]
      ),
      (
        "no elements",
        "934e554d5059010076007b276465736372273a20273c6938272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065"
          + "273a2028302c2033292c207d" + spaces(58) + "0a",
        .i64, [0, 3], []
      ),
    ]
  }()

  @Test(arguments: numpyFiles.indices)
  func `values written by NumPy arrive row-major and little-endian`(_ index: Int) throws {
    let expected = Self.numpyFiles[index]
    let file = try open(bytes(hexadecimal: expected.file))
    #expect(file.header.dtype == expected.dtype, "\(expected.name)")
    #expect(file.header.shape == expected.shape, "\(expected.name)")
    #expect(try values(file) == expected.values, "\(expected.name)")
  }

  @Test func `a header may use double quotes, other spacing, Python 2 integers and no final commas`() throws {
    let file = try open(npy("{\"shape\":( 2L ,1 ),\n'fortran_order' :False,'descr':\"|i1\"}", [1, 255]))
    #expect(file.header.shape == [2, 1])
    #expect(try values(file) == [1, 255])
  }

  static let malformed: [(file: [UInt8], message: String)] = {
    let valid = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"
    let four: [UInt8] = [0, 0, 0, 0]
    func header(_ text: String, _ message: String) -> ([UInt8], String) {
      (npy(text, four), "x.npy: header: " + message)
    }
    func descr(_ text: String, _ message: String) -> ([UInt8], String) {
      header("{'descr': \(text), 'fortran_order': False, 'shape': (1,), }", message)
    }
    func shape(_ text: String, _ message: String) -> ([UInt8], String) {
      header("{'descr': '<f4', 'fortran_order': False, 'shape': \(text), }", message)
    }
    return [
      ([], "x.npy: expected a .npy file, found 0 bytes, too few for its beginning"),
      (
        Array("PK\u{3}\u{4}aaaaaaaa".utf8),
        "x.npy: expected a .npy file, found other bytes than \\x93NUMPY at its beginning"
      ),
      (npy(valid, four, version: [4, 0]), "x.npy: expected .npy version 1.0, 2.0 or 3.0, found 4.0"),
      (npy(valid, four, version: [1, 1]), "x.npy: expected .npy version 1.0, 2.0 or 3.0, found 1.1"),
      (
        NPYHeader.magic + [2, 0, 1, 0],
        "x.npy: header: expected its length in 4 bytes, found the end of the file"
      ),
      (
        NPYHeader.magic + [2, 0, 255, 255, 255, 255],
        "x.npy: header: expected at most 65536 bytes, found 4294967295"
      ),
      (
        NPYHeader.magic + [1, 0, 100, 0, 0x7b], "x.npy: header: expected 100 bytes, found 1 before the end of the file"
      ),
      header("", "expected a dictionary at byte 0, found its end"),
      header("[1]", "expected a dictionary at byte 0, found \"[1]\""),
      header("{", "expected a key in quotes at byte 1, found its end"),
      header("{descr: 1}", "expected a key in quotes at byte 1, found \"descr: 1}\""),
      header("{'descr", "expected a key with a closing quote at byte 1, found \"'descr\""),
      header("{'de\\x73cr': 1}", "expected printable ASCII without escapes in a key at byte 4, found \"\\x73cr': 1}\""),
      header("{'de\u{1}scr': 1}", "expected printable ASCII without escapes in a key at byte 4, found byte 1"),
      header("{'descr' '<f4'}", "expected a colon after key 'descr' at byte 9, found \"'<f4'}\""),
      header(
        "{'descr': '<f4' 'shape'}", "expected a comma or the end of the dictionary at byte 16, found \"'shape'}\""),
      header(valid + " x", "expected the end of the header at byte 58, found \"x\""),
      header("{'kind': 1}", "expected the keys descr, fortran_order and shape, found 'kind'"),
      header("{'descr': '<f4', 'descr': '<f4'}", "expected key 'descr' once, found it twice"),
      header(
        "{'fortran_order': True, 'fortran_order': True}", "expected key 'fortran_order' once, found it twice"),
      header("{'shape': (), 'shape': ()}", "expected key 'shape' once, found it twice"),
      header("{'fortran_order': False, 'shape': (1,)}", "expected key 'descr', found none"),
      header("{'descr': '<f4', 'shape': (1,)}", "expected key 'fortran_order', found none"),
      header("{'descr': '<f4', 'fortran_order': False}", "expected key 'shape', found none"),
      header("{'fortran_order': 0}", "expected True or False for key 'fortran_order' at byte 18, found \"0}\""),
      descr("4", "expected the type in quotes at byte 10, found \"4, 'fortran_\""),
      descr(
        "[('a', '<f4')]", "expected a simple type, found a structured one; save each field as an array of its own"),
      descr(
        "'|O'",
        "expected float16 to float64, an integer type or bool, found Python objects '|O'; convert the array first"),
      descr(
        "'<c8'", "expected float16 to float64, an integer type or bool, found type '<c8'; convert the array first"),
      descr(
        "'|V2'", "expected float16 to float64, an integer type or bool, found type '|V2'; convert the array first"),
      descr("'f4'", "expected a type beginning with '<', '>' or '|', found 'f4'"),
      descr("''", "expected a type beginning with '<', '>' or '|', found ''"),
      descr("'|f4'", "expected a byte order '<' or '>' for type '|f4', found '|'"),
      shape("1", "expected a tuple for key 'shape' at byte 50, found \"1, }\""),
      shape("(1)", "expected a comma after a tuple's only element at byte 52, found \"), }\""),
      shape("(-1,)", "expected integers from 0 for key 'shape' at byte 51, found \"-1,), }\""),
      shape("(1, 2", "expected integers from 0 for key 'shape' at byte 57, found \"}\""),
      shape("(1, 2 3)", "expected a comma or the end of the tuple at byte 56, found \"3), }\""),
      shape("(1,1,1,1,1,1,1,1,1)", "expected at most 8 dimensions, found 9"),
      shape("(" + String(repeating: "1,", count: 65) + ")", "expected at most 8 dimensions, found more than 64"),
      shape("(2147483648,)", "expected at most 2147483647 elements, found shape [2147483648]"),
      shape("(65536, 65536)", "expected at most 2147483647 elements, found shape [65536, 65536]"),
      shape("(99999999999999999999,)", "expected extents of at most 2147483647, found a larger one"),
      (
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", four),
        "x.npy: values: expected 8 bytes for shape [2] of float32, found 4"
      ),
      (
        npy(valid, four + four), "x.npy: values: expected 4 bytes for shape [1] of float32, found 8"
      ),
      (
        npy("{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }", [0, 1, 2, 0]),
        "x.npy: values: expected 0 or 1 in a bool array, found 2 at element 2"
      ),
    ]
  }()

  @Test(arguments: malformed.indices)
  func `a malformed file is refused in one sentence`(_ index: Int) throws {
    #expect(try refusal(Self.malformed[index].file) == Self.malformed[index].message)
  }

  @Test func `types without a DType are unsupported rather than invalid`() throws {
    let path = try folder.write("x.npy", npy("{'descr': '<c8', 'fortran_order': False, 'shape': (0,), }"))
    let error = #expect(throws: FormatError.self) { try NPYFile(path: path) }
    #expect(error?.kind == .unsupported)
  }

  @Test func `a missing file is an input error with the system's reason`() {
    let error = #expect(throws: FormatError.self) { try NPYFile(path: folder.path("none.npy")) }
    #expect(error?.kind == .inputOutput)
    #expect(error?.description == folder.path("none.npy") + ": cannot be read: No such file or directory")
  }
}

@Suite struct NPYWriting {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// NumPy has names for these.
  static let types: [DType] = [.f64, .f32, .f16, .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool]

  @Test(arguments: types, [[], [3], [2, 3], [0, 4], [1, 2, 3, 4]])
  func `what is written is read back as it was`(_ dtype: DType, _ shape: [Int]) throws {
    let count = shape.reduce(1, *) * dtype.byteCount
    let bytes = (0..<count).map { UInt8($0 & (dtype == .bool ? 1 : 255)) }
    try bytes.withUnsafeBytes { try writeNPY(folder.path("x.npy"), dtype, shape, $0) }
    let file = try NPYFile(path: folder.path("x.npy"))
    #expect(file.header.dtype == dtype)
    #expect(file.header.shape == shape)
    #expect(try values(file) == bytes)
  }

  @Test func `the header is NumPy's text, and the values begin at a multiple of 64`() throws {
    try [UInt8](repeating: 1, count: 12).withUnsafeBytes { try writeNPY(folder.path("x.npy"), .f32, [3], $0) }
    let bytes = try folder.bytes("x.npy")
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"
    #expect(bytes.count == 128 + 12)
    #expect(bytes.prefix(10) == [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0])
    #expect(String(decoding: bytes[10..<10 + text.utf8.count], as: UTF8.self) == text)
    #expect(bytes[10 + text.utf8.count..<127].allSatisfy { $0 == 0x20 })
    #expect(bytes[127] == 0x0a)
  }

  @Test func `bfloat16 is unsupported, and no file appears`() throws {
    let error = #expect(throws: FormatError.self) {
      try [UInt8](repeating: 0, count: 2).withUnsafeBytes { try writeNPY(folder.path("x.npy"), .bf16, [1], $0) }
    }
    #expect(error?.kind == .unsupported)
    #expect(
      error?.description == folder.path("x.npy")
        + ": expected a type that .npy has a name for, found bfloat16; convert it to float32 first")
    #expect(try folder.entries() == [])
  }

  @Test func `values that do not fit the shape are refused`() throws {
    let error = #expect(throws: FormatError.self) {
      try [UInt8](repeating: 0, count: 7).withUnsafeBytes { try writeNPY(folder.path("x.npy"), .f32, [2], $0) }
    }
    #expect(error?.message == "expected values for shape [2] of float32, found 7 bytes")
  }

  @Test func `a folder that does not exist is an output error`() throws {
    let error = #expect(throws: FormatError.self) {
      try [UInt8](repeating: 0, count: 4).withUnsafeBytes { try writeNPY(folder.path("a/x.npy"), .f32, [1], $0) }
    }
    #expect(error?.description == folder.path("a/x.npy") + ": cannot be written: No such file or directory")
  }
}
