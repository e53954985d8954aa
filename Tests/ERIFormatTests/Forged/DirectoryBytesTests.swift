import CERISchema
import Testing

@testable import ERIFormat

@Suite struct `A directory's bytes` {
  @Test(arguments: [[0xFF], [0x0A, 0x05, 0x41], [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x1B]])
  func `that are no message of the schema are refused`(bytes: [UInt8]) throws {
    let file = try ForgedFile()
    file.directoryBytes = bytes
    #expect(
      try file.refusal()
        == Refusal(.invalid, "directory: expected a protobuf message of the schema, found other bytes"))
  }

  /// Two bytes each that unpack into over a hundred times as much.
  @Test(arguments: [UInt8(0x1A), 0x2A])
  func `that unpack into more memory than the limit are refused`(tag: UInt8) throws {
    let file = try ForgedFile()
    file.directoryBytes = (0..<(16 << 20)).flatMap { _ in [tag, 0] }
    #expect(
      try file.refusal()
        == Refusal(
          .limitExceeded, "directory: expected a directory that unpacks into 268435456 bytes, found a larger one"))
  }

  @Test func `that are none at all make a file of nothing`() throws {
    let file = try ForgedFile()
    file.directoryBytes = []
    file.directory.pointee.n_frames = 0
    file.payload = []
    #expect(try file.refusal() == nil)
  }

  /// "a", NUL, "b" as the producer, a tensor's name, an input's name and a label after a field of each other wire form.
  @Test(arguments: [
    [0x0A, 3, 0x61, 0, 0x62], [0x1A, 5, 0x0A, 3, 0x61, 0, 0x62], [0x12, 7, 0x12, 5, 0x0A, 3, 0x61, 0, 0x62],
    [0x68, 0x80, 0x01, 0x71, 1, 0, 0, 0, 0, 0, 0, 0, 0x7D, 1, 0, 0, 0, 0x82, 0x01, 1, 0, 0x2A, 3, 0x61, 0, 0x62],
  ])
  func `with a zero byte in a text are refused`(bytes: [UInt8]) throws {
    let file = try ForgedFile()
    file.directoryBytes = bytes
    #expect(
      try file.refusal() == Refusal(.invalid, "directory: expected text without a zero byte, found one"))
  }

  /// RFC 3629: a stray or missing continuation, overlong forms, surrogates, and what lies past U+10FFFF.
  @Test(arguments: [
    [0x80], [0xC3], [0xC3, 0x28], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xE2, 0x28, 0xA1],
    [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x9F, 0x98],
    [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
  ])
  func `with text that is not UTF-8 are refused`(text: [UInt8]) throws {
    let file = try ForgedFile()
    file.directory.pointee.labels[1] = try file.text(text)
    #expect(
      try file.refusal() == Refusal(.invalid, "directory: labels 1: expected UTF-8 text, found other bytes"))
  }

  static let places: [Forgery] = [
    Forgery(.invalid, "directory: producer: expected UTF-8 text, found other bytes") {
      $0.directory.pointee.producer = try $0.text([0xFF])
    },
    Forgery(.invalid, "directory: tensors 1: name: expected UTF-8 text, found other bytes") { file in
      try file.tensor(1) { $0.name = try file.text([0xFF]) }
    },
    Forgery(.invalid, "directory: graph: symbols: expected UTF-8 text, found other bytes") { file in
      try file.graph { $0.symbols[0] = try file.text([0xFF]) }
    },
    Forgery(.invalid, "directory: graph: values 2: name: expected UTF-8 text, found other bytes") { file in
      try file.value(2) { $0.name = try file.text([0xFF]) }
    },
    Forgery(.invalid, "directory: provenance: parameters: text: expected UTF-8 text, found other bytes") { file in
      try file.parameter { $0.text = try file.text([0xFF]) }
    },
    Forgery(.invalid, "directory: goldens: bindings: symbol: expected UTF-8 text, found other bytes") { file in
      try file.binding { $0.symbol = try file.text([0xFF]) }
    },
    Forgery(.invalid, "directory: budget: operators 1: name: expected UTF-8 text, found other bytes") { file in
      try file.operatorUse(1) { $0.name = try file.text([0xFF]) }
    },
  ]

  @Test(arguments: places)
  func `with text that is not UTF-8 anywhere are refused`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }

  @Test(arguments: ["é", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}"])
  func `with every length of UTF-8 are read`(text: String) throws {
    let file = try ForgedFile()
    file.directory.pointee.labels[1] = try file.arena.string(text)
    #expect(try file.refusal() == nil)
  }
}
