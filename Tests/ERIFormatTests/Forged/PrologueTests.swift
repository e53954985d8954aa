import CERISchema
import Testing

@testable import ERIFormat

@Suite struct `A forged prologue` {
  @Test func `the file that the forgeries change is valid`() throws {
    #expect(try ForgedFile().refusal() == nil)
    #expect(try ForgedFile().bytes() == ForgedFile.original.get())
  }

  static let forgeries = [
    Forgery(.invalid, "prologue: expected the first bytes of an .eri file, found others") {
      $0.changePrologueBytes = { $0[0] = 0x5F }
    },
    Forgery(.invalid, "prologue: expected the first bytes of an .eri file, found others") {
      $0.changePrologueBytes = { $0[15] = 1 }
    },
    Forgery(
      .unsupported, "prologue: expected format version 1, found 2.0; read it with a newer release"
    ) { $0.changePrologue = { $0.version = FormatVersion(2, 0) } },
    Forgery(.unsupported, "prologue: expected format version 1, found 0.9; write it anew") {
      $0.changePrologue = { $0.version = FormatVersion(0, 9) }
    },
    Forgery(.invalid, "prologue: expected a frame of 248 bytes, found 249") {
      $0.changePrologueBytes = { $0[4] = 249 }
    },
    Forgery(.limitExceeded, "prologue: expected at most 67108864 bytes of directory, found 67108865") {
      $0.changePrologue = { $0.directoryBytes = UInt64(Limits.directoryBytes) + 1 }
    },
    Forgery(.limitExceeded, "prologue: expected at most 1048576 data frames, found 1048577") {
      $0.changePrologue = { $0.frameCount = UInt64(Limits.frames) + 1 }
    },
    Forgery(.limitExceeded, "prologue: expected at most 68719476736 unpacked bytes, found 68719476737") {
      $0.changePrologue = { $0.unpackedBytes = Limits.unpackedBytes + 1 }
    },
    Forgery(.invalid, "prologue: expected 1055177 unpacked bytes as the directory has it, found 1055178") {
      $0.changePrologue = { $0.unpackedBytes += 1 }
    },
    Forgery(
      .invalid, "prologue: expected 1048581 bytes in the largest tensor as the directory has it, found 1048580"
    ) { $0.changePrologue = { $0.largestTensorBytes -= 1 } },
    Forgery(.invalid, "prologue: expected 4 data frames as the directory has it, found 5") {
      // A table of a frame more, so that the places agree.
      $0.changeSeekTable = { $0 += [UInt8](repeating: 0, count: 8) }
      $0.changePrologue = { $0.frameCount += 1 }
    },
  ]

  @Test(arguments: forgeries)
  func `is refused by what it breaks`(forgery: Forgery) throws { #expect(try forgery.refusal() == forgery.expected) }

  @Test(arguments: [20, 23, 88, 95, 192, 251])
  func `reserved bytes are zeros`(offset: Int) throws {
    let file = try ForgedFile()
    file.changePrologueBytes = { $0[offset] = 1 }
    #expect(
      try file.refusal() == Refusal(.invalid, "prologue: expected zeros in the reserved bytes, found others"))
  }

  @Test func `a wrong CRC32C is refused with both values`() throws {
    let file = try ForgedFile()
    file.changePrologueBytes = { $0[17] ^= 1 }
    var bytes = Array(file.bytes()[..<Prologue.byteCount])
    let right = try #require(bytes.littleEndian(UInt32.self, at: 252))
    bytes[252] ^= 0xFF
    #expect(
      throws: FormatError(
        .invalid, at: "prologue",
        "expected CRC32C \(hexadecimal(right ^ 0xFF)), found \(hexadecimal(right)); the file is damaged")
    ) { _ = try Prologue(decoding: bytes) }
  }

  @Test(arguments: [(-1, "followed by other data"), (1, "cut short")])
  func `another length than the file's is refused`(difference: Int64, reason: String) throws {
    let file = try ForgedFile()
    let length = file.bytes().count
    let claimed = Int64(length) + difference
    file.changePrologue = { $0.fileBytes = UInt64(claimed) }
    #expect(
      try file.refusal()
        == Refusal(.invalid, "prologue: expected a file of \(claimed) bytes, found \(length); it is \(reason)"))
  }

  @Test(arguments: [UInt64(0), 256, 263, 1 << 40, .max])
  func `a directory that lies elsewhere is refused`(offset: UInt64) throws {
    let file = try ForgedFile()
    let length = file.bytes().count
    file.changePrologue = {
      // It would end where it must, were its beginning not among the prologue's bytes.
      if offset < 264 { $0.directoryBytes = UInt64(length - SeekTable.byteCount(frames: 6)) - offset }
      $0.directoryOffset = offset
    }
    let bytes = try #require(file.bytes().littleEndian(UInt64.self, at: 56))
    #expect(
      try file.refusal()
        == Refusal(
          .invalid,
          "prologue: expected a directory that ends 65 bytes before the file's end at \(length), found \(bytes) bytes at \(offset)"
        ))
  }

  @Test(arguments: [-1, 1])
  func `a directory that ends elsewhere is refused`(difference: Int) throws {
    let file = try ForgedFile()
    let length = file.bytes().count
    var claimed = (bytes: UInt64(0), offset: UInt64(0))
    file.changePrologue = {
      $0.directoryBytes = UInt64(Int($0.directoryBytes) + difference)
      claimed = ($0.directoryBytes, $0.directoryOffset)
    }
    #expect(
      try file.refusal()
        == Refusal(
          .invalid,
          "prologue: expected a directory that ends 65 bytes before the file's end at \(length), "
            + "found \(claimed.bytes) bytes at \(claimed.offset)"))
  }

  @Test func `bytes between frames and directory are refused`() throws {
    let file = try ForgedFile()
    let place = 256 + file.payload.count + 8
    file.payload.append(0)
    #expect(
      try file.refusal()
        == Refusal(
          .invalid,
          "prologue: expected \(place) bytes before the directory as the directory has it, found \(place + 1)"))
  }

  @Test func `another logical digest than the directory's is refused`() throws {
    let file = try ForgedFile()
    var right = ""
    file.changePrologue = {
      right = $0.digests.logical.text
      $0.digests = Digests(logical: .zero, weights: $0.digests.weights)
    }
    let refusal = try file.refusal()
    #expect(
      refusal
        == Refusal(
          .invalid,
          "prologue: expected the logical digest \(right) of the directory, found \(SHA256Digest.zero.text)"))
  }

  @Test func `another weights digest than the directory's is refused`() throws {
    let file = try ForgedFile()
    var right = ""
    file.changePrologue = {
      right = $0.digests.weights.text
      $0.digests = Digests(logical: $0.digests.logical, weights: .zero)
    }
    let refusal = try file.refusal()
    #expect(
      refusal
        == Refusal(
          .invalid,
          "prologue: expected the weights digest \(right) of the directory, found \(SHA256Digest.zero.text)"))
  }

  @Test func `a directory of another SHA-256 is refused`() throws {
    let file = try ForgedFile()
    var right = ""
    file.changePrologue = {
      right = $0.directoryDigest.text
      $0.directoryDigest = .zero
    }
    let refusal = try file.refusal()
    #expect(
      refusal
        == Refusal(
          .invalid,
          "directory: expected SHA-256 \(SHA256Digest.zero.text), found \(right); the file is damaged"))
  }

  @Test(arguments: 0..<8)
  func `another header before the directory is refused`(offset: Int) throws {
    let file = try ForgedFile()
    file.changeHeader = { $0[offset] ^= 1 }
    let length = try #require(file.bytes().littleEndian(UInt64.self, at: 56))
    #expect(
      try file.refusal()
        == Refusal(
          .invalid, "directory: expected the header of a skippable frame of \(length) bytes, found another"))
  }

  @Test(arguments: 0..<65)
  func `a seek table that says anything else is refused`(offset: Int) throws {
    let file = try ForgedFile()
    file.changeSeekTable = { $0[offset] ^= 1 }
    #expect(
      try file.refusal()
        == Refusal(
          .invalid, "seek table: expected the sizes of all frames as the directory has them, found others"))
  }

  @Test func `a newer minor version and unknown optional features are read`() throws {
    let file = try ForgedFile()
    file.changePrologue = {
      $0.version = FormatVersion(1, 9)
      $0.optionalFeatures = .max
    }
    #expect(try file.refusal() == nil)
  }
}

@Suite struct `An unknown required feature` {
  private static func sentence(_ found: String) -> String {
    "directory: expected required features that this reader knows, found \(found); read it with a newer release"
  }

  static let forgeries = [
    Forgery(.unsupported, sentence("\"mapped\" (bit 5), which format 1.3 brought")) {
      $0.changePrologue = { $0.requiredFeatures = 1 << 5 }
      try $0.feature(bit: 5, required: true, name: $0.arena.string("mapped"))
    },
    Forgery(.unsupported, sentence("bit 5")) { $0.changePrologue = { $0.requiredFeatures = 1 << 5 } },
    Forgery(.unsupported, sentence("bit 5")) {
      $0.changePrologue = { $0.requiredFeatures = 1 << 5 }
      try $0.feature(bit: 6, required: true, name: $0.arena.string("other"))
    },
    Forgery(.unsupported, sentence("bit 5")) {
      $0.changePrologue = { $0.requiredFeatures = 1 << 5 }
      try $0.feature(bit: 5, required: false, name: $0.arena.string("optional"))
    },
    Forgery(.unsupported, sentence("bit 5")) {
      $0.changePrologue = { $0.requiredFeatures = 1 << 5 }
      try $0.feature(bit: 5, required: true, name: $0.text([0xFF]))
    },
    Forgery(.unsupported, sentence("bit 63")) {
      $0.changePrologue = { $0.requiredFeatures = 1 << 63 }
      $0.directoryBytes = [0xFF]
    },
  ]

  @Test(arguments: forgeries)
  func `is refused by the name that the file gives it`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }
}
