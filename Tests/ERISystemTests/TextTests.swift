import CERISystem
import Foundation
import Testing

@Suite("Numbers as text")
struct TextTests {
  func text(_ value: Double) -> String {
    var out = [CChar](repeating: 0, count: 32)
    let count = eri_format_double(value, &out)
    return String(decoding: out.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func text(_ value: Float) -> String {
    var out = [CChar](repeating: 0, count: 32)
    let count = eri_format_float(value, &out)
    return String(decoding: out.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Significant digits, without the zeros before and after them.
  func significant(_ text: String) -> String {
    let mantissa = text.prefix { $0 != "e" }.filter(\.isNumber)
    return String(mantissa.drop { $0 == "0" }.reversed().drop { $0 == "0" }.reversed())
  }

  static let doubles: [(Double, String)] = [
    (0, "0.0"), (-0.0, "-0.0"), (3, "3.0"), (-3, "-3.0"), (0.1, "0.1"), (0.3, "0.3"),
    (0.1 + 0.2, "0.30000000000000004"),
    (100, "100.0"), (123456.789, "123456.789"), (1e-4, "0.0001"), (0.00012345, "0.00012345"), (9.9e-5, "9.9e-05"),
    (1e-7, "1e-07"), (1.5e-7, "1.5e-07"), (9_007_199_254_740_992, "9007199254740992.0"),
    (9_999_999_999_999_998, "9999999999999998.0"), (1e16, "1e+16"), (1.2345e16, "1.2345e+16"), (1e22, "1e+22"),
    // Halfway between two numbers: reads back as the even one.
    (1e23, "1e+23"), (.leastNonzeroMagnitude, "5e-324"), (2.2250738585072014e-308, "2.2250738585072014e-308"),
    (.leastNormalMagnitude.nextDown, "2.225073858507201e-308"), (1.7976931348623157e308, "1.7976931348623157e+308"),
    // Halfway between two shortest texts: the even digit.
    (0x1p-25, "2.9802322387695312e-08"),
    (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
  ]

  @Test("A Double has its shortest text", arguments: doubles)
  func double(value: Double, expected: String) {
    #expect(text(value) == expected)
  }

  static let floats: [(Float, String)] = [
    (0, "0.0"), (-0.0, "-0.0"), (3, "3.0"), (0.1, "0.1"), (1 / 3, "0.33333334"), (16_777_216, "16777216.0"),
    (123_456_792, "123456790.0"), (1e-7, "1e-07"), (1e16, "1e+16"), (0x1p-149, "1e-45"),
    (.leastNormalMagnitude, "1.1754944e-38"), (.greatestFiniteMagnitude, "3.4028235e+38"), (.nan, "null"),
    (-.infinity, "null"),
  ]

  @Test("A Float has its shortest text", arguments: floats)
  func float(value: Float, expected: String) {
    #expect(text(value) == expected)
  }

  @Test("Every text reads back as its Double, with the digits of Swift's shortest text, in at most 24 bytes")
  func doublesReadBack() {
    var numbers = Numbers(state: 19)
    for i in 0..<20_000 {
      let bits = numbers.next()
      // By turns: any bits, powers of two, decimal fractions, whole numbers.
      let value =
        switch i % 4 {
        case 0: Double(bitPattern: bits)
        case 1: Double(bitPattern: bits & 0xfff0_0000_0000_0000)
        case 2: Double(bits % 1_000_000) / 1000
        default: Double(bits >> (bits % 64))
        }
      guard value.isFinite else { continue }
      let got = text(value)
      #expect(Double(got)?.bitPattern == value.bitPattern, "\(got)")
      #expect(significant(got) == significant(value.description), "\(got)")
      #expect(got.utf8.count <= 24, "\(got)")
    }
  }

  @Test("Every text reads back as its Float, with the digits of Swift's shortest text")
  func floatsReadBack() {
    var numbers = Numbers(state: 23)
    for i in 0..<20_000 {
      let bits = UInt32(truncatingIfNeeded: numbers.next())
      let value = Float(bitPattern: i % 2 == 0 ? bits : bits & 0xff80_0000)
      guard value.isFinite else { continue }
      let got = text(value)
      #expect(Float(got)?.bitPattern == value.bitPattern, "\(got)")
      #expect(significant(got) == significant(value.description), "\(got)")
    }
  }

  @Test("A text is a JSON value", arguments: doubles)
  func json(value: Double, expected: String) throws {
    let parsed = try JSONSerialization.jsonObject(with: Data(text(value).utf8), options: .fragmentsAllowed)
    if value.isFinite {
      // Foundation's reader of JSON may miss the last bits.
      let read = try #require((parsed as? NSNumber)?.doubleValue)
      #expect(abs(read - value) <= abs(value) * 1e-15)
    } else {
      #expect(parsed is NSNull)
    }
  }
}
