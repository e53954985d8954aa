import CERISystem
import Foundation
import Testing

@Suite("Digests")
struct DigestTests {
  func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// The digest in pieces of the given size, through the streaming functions.
  func sha256(_ message: some Collection<UInt8>, pieces: Int) -> [UInt8] {
    var digest = eri_sha256()
    eri_sha256_init(&digest)
    var rest = message[...]
    while !rest.isEmpty {
      let piece = Array(rest.prefix(pieces))
      eri_sha256_update(&digest, piece, piece.count)
      rest = rest.dropFirst(pieces)
    }
    var out = [UInt8](repeating: 0, count: 32)
    eri_sha256_final(&digest, &out)
    return out
  }

  func sha256(_ bytes: UnsafeRawPointer?, _ count: Int, variant: Int) -> [UInt8]? {
    var out = [UInt8](repeating: 0, count: 32)
    return eri_sha256_variant(variant, bytes, count, &out) ? out : nil
  }

  func crc32c(_ bytes: UnsafeRawPointer?, _ count: Int, variant: Int) -> UInt32? {
    var out: UInt32 = 0
    return eri_crc32c_variant(variant, bytes, count, &out) ? out : nil
  }

  /// NIST's examples for FIPS 180-4.
  static let messages: [(String, String)] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
        + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
  ]

  @Test("SHA-256 of NIST's messages, in every variant", arguments: messages)
  func sha256Examples(message: String, digest: String) {
    for variant in 0..<eri_sha256_variant_count() {
      let bytes = Array(message.utf8)
      guard let got = sha256(bytes, bytes.count, variant: variant) else { continue }
      #expect(hex(got) == digest, "variant \(variant)")
    }
  }

  @Test("SHA-256 of a million letters a is NIST's, in pieces of any size", arguments: [1, 63, 64, 65, 1000, 1_000_000])
  func million(pieces: Int) {
    let message = [UInt8](repeating: 0x61, count: 1_000_000)
    let digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(hex(sha256(message, pieces: pieces)) == digest)
  }

  @Test("SHA-256 in pieces equals SHA-256 at once at every length to 200", arguments: [1, 7, 55, 56, 64, 100])
  func streaming(pieces: Int) {
    var numbers = Numbers(state: 11)
    let message = (0..<200).map { _ in UInt8.random(in: 0...255, using: &numbers) }
    for count in 0...200 {
      #expect(sha256(message.prefix(count), pieces: pieces) == sha256(message, count, variant: 0), "length \(count)")
    }
  }

  /// RFC 3720, appendix B.4; the first is the customary check value.
  static let crcMessages: [([UInt8], UInt32)] = [
    (Array("123456789".utf8), 0xe306_9283),
    ([], 0),
    ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
    ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
    (Array(0..<32), 0x46dd_794e),
    (Array((0..<32).reversed()), 0x113f_db5c),
  ]

  @Test("CRC32C of RFC 3720's messages, in every variant", arguments: crcMessages)
  func crcExamples(message: [UInt8], crc: UInt32) {
    #expect(eri_crc32c(0, message, message.count) == crc)
    for variant in 0..<eri_crc32c_variant_count() {
      guard let got = crc32c(message, message.count, variant: variant) else { continue }
      #expect(got == crc, "variant \(variant)")
    }
  }

  @Test("CRC32C continues from an earlier result at every cut")
  func crcContinues() {
    var numbers = Numbers(state: 13)
    let message = (0..<100).map { _ in UInt8.random(in: 0...255, using: &numbers) }
    let whole = eri_crc32c(0, message, 100)
    for cut in 0...100 {
      let head = eri_crc32c(0, message, cut)
      #expect(eri_crc32c(head, Array(message[cut...]), 100 - cut) == whole, "cut at \(cut)")
    }
  }

  @Test("Every variant equals portable C at lengths 0 to 300 and offsets 0 to 8")
  func variants() {
    var numbers = Numbers(state: 17)
    let bytes = (0..<308).map { _ in UInt8.random(in: 0...255, using: &numbers) }
    bytes.withUnsafeBytes { buffer in
      for offset in 0...8 {
        let start = buffer.baseAddress.map { $0 + offset }
        for count in 0...300 {
          for variant in 1..<max(1, eri_sha256_variant_count()) {
            guard let got = sha256(start, count, variant: variant) else { continue }
            #expect(got == sha256(start, count, variant: 0), "SHA-256 \(variant), length \(count), offset \(offset)")
          }
          for variant in 1..<max(1, eri_crc32c_variant_count()) {
            guard let got = crc32c(start, count, variant: variant) else { continue }
            #expect(got == crc32c(start, count, variant: 0), "CRC32C \(variant), length \(count), offset \(offset)")
          }
        }
      }
    }
  }

  @Test("Portable C always runs, and a variant that does not exist does not")
  func variantIndices() {
    #expect(sha256(nil, 0, variant: 0) != nil)
    #expect(crc32c(nil, 0, variant: 0) != nil)
    #expect(sha256(nil, 0, variant: eri_sha256_variant_count()) == nil)
    #expect(crc32c(nil, 0, variant: eri_crc32c_variant_count()) == nil)
  }
}
