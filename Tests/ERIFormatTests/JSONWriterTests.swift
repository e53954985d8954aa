import ERIFormat
import Foundation
import Testing

@Suite struct JSONWriterTests {
  private func text(_ body: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    body(&json)
    return json.text
  }

  @Test func `objects and arrays nest with commas between entries only`() {
    let text = text { json in
      json.object { json in
        json.member("a") { $0.integer(1) }
        json.member("b") { json in
          json.array { json in
            json.object { _ in }
            json.array { _ in }
            json.null()
            json.boolean(true)
            json.boolean(false)
          }
        }
        json.member("c") { $0.strings(["x", "y"]) }
        json.member("d") { $0.integers([]) }
      }
    }
    #expect(text == #"{"a": 1, "b": [{}, [], null, true, false], "c": ["x", "y"], "d": []}"#)
  }

  @Test func `quotes, backslashes and every control character are escaped`() {
    #expect(
      text { $0.string("a\"b\\c/\n\r\t\u{0}\u{1f}\u{7f}\u{80}\u{9f}\u{a0}é😀") }
        == #""a\"b\\c/\n\r\t\u0000\u001f\u007f\u0080\u009f"# + "\u{a0}é😀\"")
  }

  @Test func `a key is escaped as a string is`() {
    #expect(text { $0.object { $0.member("a\n\"") { $0.null() } } } == #"{"a\n\"": null}"#)
  }

  @Test func `any string survives Foundation's parser`() throws {
    let original =
      String(String.UnicodeScalarView((0..<0x300).compactMap { Unicode.Scalar($0) })) + "\u{2028}\u{10ffff}"
    let parsed = try JSONSerialization.jsonObject(with: Data(text { $0.strings([original]) }.utf8)) as? [String]
    #expect(parsed == [original])
  }

  @Test func `integers keep every digit`() {
    #expect(text { $0.integers([Int.min, 0, Int.max]) } == "[\(Int.min), 0, \(Int.max)]")
    #expect(text { $0.integer(UInt64.max) } == "18446744073709551615")
  }

  @Test func `numbers are the shortest that read back, in their own precision`() {
    #expect(text { $0.numbers([0.1, 1, -2.5, 1e-7, 16_777_216]) } == "[0.1, 1.0, -2.5, 1e-07, 16777216.0]")
    #expect(text { $0.number(0.1 as Double) } == "0.1")
    #expect(text { $0.number(Double(0.1 as Float)) } == "0.10000000149011612")
  }

  @Test func `numbers that JSON lacks are null`() {
    #expect(text { $0.numbers([.nan, .infinity, -.infinity]) } == "[null, null, null]")
    #expect(text { $0.number(Double.nan) } == "null")
  }

  @Test func `bytes become lower-case hexadecimal digits`() {
    #expect(hexadecimal([0, 0x0f, 0xa5, 255]) == "000fa5ff")
  }
}
