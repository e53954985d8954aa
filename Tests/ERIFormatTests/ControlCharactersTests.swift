import Testing

@testable import ERIFormat

@Suite struct ControlCharactersTests {
  @Test func `Every control character but line ends and tabs becomes its number`() {
    for value in UInt32(0)...0xFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let isControl = value < 0x20 && value != 0x09 && value != 0x0A || (0x7F...0x9F).contains(value)
      let expected = isControl ? "\\x" + hexadecimal(UInt8(value)) : String(scalar)
      #expect(printable("a\(scalar)b") == "a\(expected)b")
    }
  }

  @Test func `Text without control characters stays as it is`() {
    #expect(printable("naïve\t→ 名\n") == "naïve\t→ 名\n")
  }
}
