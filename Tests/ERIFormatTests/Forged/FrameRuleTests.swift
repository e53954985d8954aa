import CERISchema
import CERISystem
import CZstd
import Testing

@testable import ERIFormat

@Suite struct `Forged frames` {
  static let records = [
    Forgery(.limitExceeded, "directory: frame 2: expected unpacked bytes from 1 to 1048576, found 0") {
      try $0.frame(2) { $0.unpacked_bytes = 0 }
    },
    Forgery(.limitExceeded, "directory: frame 2: expected unpacked bytes from 1 to 1048576, found 1048577") {
      try $0.frame(2) { $0.unpacked_bytes = UInt32(Limits.frameBytes) + 1 }
    },
    Forgery(.limitExceeded, "directory: frame 2: expected stored bytes from 1 to 6485, found 0") {
      try $0.frame(2) { $0.stored_bytes = 0 }
    },
    Forgery(.limitExceeded, "directory: frame 2: expected stored bytes from 1 to 6485, found 6486") {
      try $0.frame(2) { $0.stored_bytes = 6486 }
    },
    Forgery(
      .unsupported,
      "directory: frames 1: filter: expected a Filter that this reader knows, found number 2; read it with a newer release"
    ) { try $0.frame(1) { $0.filter = Eri__Filter(2) } },
    Forgery(.invalid, "directory: frame 1: expected no element size without a filter, found 1") {
      try $0.frame(1) { $0.element_bytes = 1 }
    },
    Forgery(.invalid, "directory: frame 1: expected byte planes of 2, 4 or 8 bytes that divide 5, found 4") {
      try $0.frame(1) { ($0.filter, $0.element_bytes) = (ERI__FILTER__FILTER_BYTE_PLANES, 4) }
    },
    Forgery(.invalid, "directory: frame 2: expected byte planes of 2, 4 or 8 bytes that divide 6400, found 0") {
      try $0.frame(2) { ($0.filter, $0.element_bytes) = (ERI__FILTER__FILTER_BYTE_PLANES, 0) }
    },
    Forgery(
      .invalid, "directory: frame 2: expected byte planes of 2, 4 or 8 bytes that divide 6400, found 4294967295"
    ) { try $0.frame(2) { ($0.filter, $0.element_bytes) = (ERI__FILTER__FILTER_BYTE_PLANES, .max) } },
    Forgery(
      .unsupported,
      "directory: frames 3: expected the fields of Frame that this reader knows, found number 9; read it with a newer release"
    ) { file in try file.frame(3) { try file.addUnknownField(9, to: &$0.base) } },
    Forgery(
      .invalid, "directory: expected tensors that fill all 5 data frames, found bytes left in frame 4"
    ) { file in
      file.directory.pointee.n_frames = 5
      let frames = try #require(file.directory.pointee.frames)
      file.directory.pointee.frames = try file.arena.copy((0..<4).map { frames[$0] } + [frames[0]])
    },
    Forgery(.invalid, "directory: expected tensors that fill all 4 data frames, found bytes left in frame 3") {
      try $0.frame(3) { $0.unpacked_bytes += 8 }
    },
    Forgery(.limitExceeded, "directory: expected at most 68719476736 unpacked bytes, found 68720525312") {
      $0.directory.pointee.n_frames = 65_537
      $0.directory.pointee.frames = try $0.repeated($0.directory.pointee.frames, 65_537)
      $0.changePrologue = { $0.unpackedBytes = 0 }
    },
    Forgery(.limitExceeded, "directory: expected at most 1048576 data frames, found 1048577") {
      $0.directory.pointee.n_frames = Limits.frames + 1
      $0.directory.pointee.frames = try $0.repeated($0.directory.pointee.frames, Limits.frames + 1)
      // The prologue, which is read first, tells another number.
      $0.changeSeekTable = { $0.removeLast(8) }
      $0.changePrologue = {
        $0.frameCount -= 1
        $0.unpackedBytes = 0
      }
    },
  ]

  @Test(arguments: records)
  func `records are refused by what they break`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }

  /// The last byte of frame 2, past the prologue.
  private static func place(_ file: ForgedFile) throws -> Range<Int> {
    var sizes: [Int] = []
    for index in 0..<3 { try file.frame(index) { sizes.append(Int($0.stored_bytes)) } }
    return (sizes[0] + sizes[1])..<(sizes[0] + sizes[1] + sizes[2])
  }

  /// Puts other bytes in frame 2's place and corrects its record.
  private static func replace(_ file: ForgedFile, _ bytes: [UInt8]) throws {
    file.payload.replaceSubrange(try place(file), with: bytes)
    try file.frame(2) {
      $0.stored_bytes = UInt32(bytes.count)
      $0.crc32c = bytes.withUnsafeBytes { crc32c($0) }
    }
  }

  /// zstd's frame of so many zeros.
  private static func packed(_ count: Int, checksum: Bool, contentSize: Bool = true) throws -> [UInt8] {
    let context = try #require(ZSTD_createCCtx())
    defer { ZSTD_freeCCtx(context) }
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0)
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, contentSize ? 1 : 0)
    var bytes = [UInt8](repeating: 0, count: ZSTD_compressBound(count))
    let size = ZSTD_compress2(context, &bytes, bytes.count, [UInt8](repeating: 0, count: count), count)
    return Array(bytes[..<size])
  }

  @Test func `bytes of another CRC32C are refused before zstd sees them`() throws {
    let file = try ForgedFile()
    let place = try `Forged frames`.place(file)
    file.payload[place.lowerBound + 8] ^= 1
    let found = file.payload[place].withUnsafeBytes { crc32c($0) }
    var stored: UInt32 = 0
    try file.frame(2) { stored = $0.crc32c }
    #expect(
      try file.refusal()
        == Refusal(
          .invalid,
          "tensor \"w\": frame 2: expected CRC32C \(hexadecimal(stored)), found \(hexadecimal(found)); the file is damaged"
        ))
  }

  /// Frames that stock zstd would unpack, but not such as the format has.
  enum Impostor: CaseIterable {
    case noChecksum, noContentSize, shorter, longer, twoFrames, skippable, otherBytes, tooShort
  }

  @Test(arguments: Impostor.allCases)
  func `anything but one frame of the form agreed is refused`(impostor: Impostor) throws {
    let file = try ForgedFile()
    let bytes: [UInt8] =
      switch impostor {
      case .noChecksum: try `Forged frames`.packed(6400, checksum: false)
      case .noContentSize: try `Forged frames`.packed(6400, checksum: true, contentSize: false)
      case .shorter: try `Forged frames`.packed(6399, checksum: true)
      case .longer: try `Forged frames`.packed(6401, checksum: true)
      case .twoFrames:
        try `Forged frames`.packed(6400, checksum: true) + `Forged frames`.packed(1, checksum: true)
      case .skippable: SkippableFrame.header(SkippableFrame.directoryMagic, 0)
      case .otherBytes: [UInt8](repeating: 7, count: 100)
      case .tooShort: [0x28]
      }
    try `Forged frames`.replace(file, bytes)
    #expect(
      try file.refusal()
        == Refusal(
          .invalid,
          "tensor \"w\": frame 2: expected one zstd frame of a single segment with a checksum that unpacks to 6400 bytes, "
            + "found another"))
  }

  @Test func `a frame that zstd cannot unpack is refused with its reason`() throws {
    let file = try ForgedFile()
    var bytes = try `Forged frames`.packed(6400, checksum: true)
    bytes[bytes.count - 1] ^= 1
    try `Forged frames`.replace(file, bytes)
    #expect(
      try file.refusal()
        == Refusal(
          .invalid,
          "tensor \"w\": frame 2: expected zstd to unpack it, found Restored data doesn't match checksum"))
  }

  @Test func `values of another SHA-256 are refused`() throws {
    let file = try ForgedFile()
    try `Forged frames`.replace(file, try `Forged frames`.packed(6400, checksum: true))
    try file.frame(2) { ($0.filter, $0.element_bytes) = (ERI__FILTER__FILTER_NONE, 0) }
    var right = ""
    try file.tensor(1) {
      right = try #require(SHA256Digest(Array(UnsafeBufferPointer(start: $0.sha256.data, count: 32)))).text
    }
    let zeros = [UInt8](repeating: 0, count: 6400).withUnsafeBytes { SHA256.digest(of: $0) }.text
    #expect(
      try file.refusal()
        == Refusal(.invalid, "tensor \"w\": expected SHA-256 \(right), found \(zeros); the file is damaged"))
  }
}
