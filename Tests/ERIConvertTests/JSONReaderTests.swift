import ERIFormat
import Testing

@testable import ERIConvert

@Suite struct JSONReaderTests {
  private static func string(_ text: [UInt8]) throws -> String {
    var reader = JSONReader([0x22] + text + [0x22])
    let string = try reader.string("a text")
    try reader.expectEnd()
    return string
  }

  @Test func `Escapes give the characters that they stand for`() throws {
    #expect(try Self.string(Array(#"\"\\\/\b\f\n\r\t"#.utf8)) == "\"\\/\u{8}\u{C}\n\r\t")
    #expect(try Self.string(Array(#"\u00e9\u20AC\ud83d\ude00"#.utf8)) == "é€😀")
    #expect(try Self.string(Array("é😀".utf8)) == "é😀")
  }

  static let wrongStrings: [(text: [UInt8], message: String)] = [
    (Array(#"\x"#.utf8), #"byte 1: expected one of JSON's escapes, found \x""#),
    (Array(#"\u12g4"#.utf8), #"byte 1: expected four hexadecimal digits after \u, found \u12g4""#),
    (Array(#"\ud800"#.utf8), #"byte 1: expected a character, not half of one, found \ud800""#),
    (Array(#"\udc00"#.utf8), #"byte 1: expected a character, not half of one, found \udc00""#),
    (Array(#"\ud800\u0041"#.utf8), #"byte 1: expected two surrogates that belong together, found \ud800\u0041"#),
    ([0x0A], "byte 1: expected a text without control characters, found byte 10"),
    ([0xFF], "byte 0: expected a text in UTF-8, found other bytes"),
    ([0xC0, 0x80], "byte 0: expected a text in UTF-8, found other bytes"),
    (Array("\\".utf8), "byte 0: expected a text with a closing quote, found the end of the text"),
  ]

  @Test(arguments: wrongStrings.indices) func `A malformed string is refused`(_ index: Int) throws {
    let error = #expect(throws: FormatError.self) { try Self.string(Self.wrongStrings[index].text) }
    #expect(error?.description == Self.wrongStrings[index].message)
  }

  static let numbers: [(text: String, message: String)] = [
    ("-1", "byte 0: expected a count as an integer from 0, found -1"),
    ("1.0", "byte 0: expected a count as an integer from 0, found 1.0"),
    ("1e3", "byte 0: expected a count as an integer from 0, found 1e3"),
    ("012", "byte 0: expected a count without leading zeros, found 012"),
    ("18446744073709551616", "byte 0: expected a count of 64 bits, found a larger number"),
    ("", "byte 0: expected a count as an integer from 0, found the end of the text"),
  ]

  @Test(arguments: numbers.indices) func `A number that is no natural one is refused`(_ index: Int) throws {
    let error = #expect(throws: FormatError.self) {
      var reader = JSONReader(Array(Self.numbers[index].text.utf8))
      _ = try reader.natural("a count")
    }
    #expect(error?.description == Self.numbers[index].message)
  }

  @Test func `The largest number of 64 bits is read`() throws {
    var reader = JSONReader(Array(" 18446744073709551615 ".utf8))
    #expect(try reader.natural("a count") == UInt64.max)
    try reader.expectEnd()
  }

  @Test func `Keys are the same when their characters are, not when their normal forms are`() throws {
    var reader = JSONReader(Array("{\"\u{e9}\": 1, \"e\u{301}\": 2}".utf8))
    var values: [UInt64] = []
    try reader.members(limit: 2, "an object") { reader, _ throws(FormatError) in
      values.append(try reader.natural("a value"))
    }
    #expect(values == [1, 2])
    #expect(throws: FormatError(.invalid, at: "byte 10", "expected each key once, found \"é\" a second time")) {
      var reader = JSONReader(Array("{\"\u{e9}\": 1, \"\\u00e9\": 2}".utf8))
      try reader.members(limit: 2, "an object") { reader, _ throws(FormatError) in _ = try reader.natural("a value") }
    }
  }

  @Test(arguments: ["{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "[", "{\"a\":1]"])
  func `A malformed object is refused`(_ text: String) throws {
    #expect(throws: FormatError.self) {
      var reader = JSONReader(Array(text.utf8))
      try reader.members(limit: 9, "an object") { reader, _ throws(FormatError) in _ = try reader.natural("a value") }
    }
  }
}
