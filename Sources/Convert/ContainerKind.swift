import ERIFormat

/// A kind of file that is read here, as its first bytes tell; what a zip archive is decides its content.
enum ContainerKind {
  case eri
  case zip
  case pickle
  case npy
  case safetensors
  case onnx
  case mindSpore

  /// Recognises a file by its content, never by its name.
  /// - Throws: `FormatError` `.unsupported` naming a known kind that is not read here, `.invalid` for what is no container.
  init(recognising file: FileHandle) throws(FormatError) {
    guard file.byteCount > 0 else {
      throw FormatError(.invalid, at: "", "expected a file of tensors, found an empty file")
    }
    let head = try file.bytes(Int(min(file.byteCount, UInt64(ContainerKind.headBytes))), at: 0)
    if let kind = ContainerKind.kind(head) {
      self = kind
      return
    }
    if let name = ContainerKind.foreign(head) {
      throw FormatError(.unsupported, at: "", "expected a container that is read here, found \(name)")
    }
    throw FormatError(
      .invalid, at: "",
      "expected an .eri, PyTorch, MindSpore, safetensors, ONNX or NumPy file, found \(ContainerKind.content(head))")
  }

  /// Bytes that decide.
  private static let headBytes = 512

  private static func kind(_ head: [UInt8]) -> ContainerKind? {
    if head.starts(with: [0x50, 0x2A, 0x4D, 0x18]), matches(head, at: 8, [0x45, 0x52, 0x49, 0x0D, 0x0A]) {
      return .eri
    }
    if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) || head.starts(with: [0x50, 0x4B, 0x05, 0x06]) { return .zip }
    if head.starts(with: NPYHeader.magic) { return .npy }
    if foreign(head) != nil { return nil }
    if isSafetensors(head) { return .safetensors }
    if isMindSpore(head) { return .mindSpore }
    if head.first == 0x08 { return .onnx }
    return isPickle(head) ? .pickle : nil
  }

  /// A known kind of file that is not read here, and what to do with it.
  private static func foreign(_ head: [UInt8]) -> String? {
    if matches(head, at: 257, Array("ustar".utf8)) {
      return "a tar archive, as PyTorch before 0.1.10 wrote; load it in PyTorch and save it anew"
    }
    if head.starts(with: Array("PYTORCH1".utf8)) {
      return "a TorchScript file from before PyTorch 1.0; load it in PyTorch and save it anew"
    }
    for (mode, name) in [(UInt8(0xD8), "AES-GCM"), (0xD9, "AES-CBC"), (0xDA, "SM4-CBC")] {
      let magic = [0x7F, 0x3A, 0x5E, mode]
      // In the writing machine's byte order.
      if head.starts(with: magic) || head.starts(with: magic.reversed()) {
        return "an encrypted MindSpore checkpoint (\(name)); save it without a key"
      }
    }
    if matches(head, at: 4, Array("TFL3".utf8)) { return "a TensorFlow Lite model" }
    if isMindIR(head) { return "a MindIR model; save its parameters with mindspore.save_checkpoint" }
    for (magic, name) in magics where head.starts(with: magic) { return name }
    return nil
  }

  private static let magics: [(magic: [UInt8], name: String)] = [
    ([0x1F, 0x8B], "a gzip file; unpack it first"),
    ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7-Zip archive; unpack it first"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "an xz file; unpack it first"),
    (Array("BZh".utf8), "a bzip2 file; unpack it first"),
    ([0x28, 0xB5, 0x2F, 0xFD], "a zstd file; unpack it first"),
    (Array("Rar!".utf8), "a RAR archive; unpack it first"),
    ([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A], "an HDF5 file"),
    (Array("GGUF".utf8), "a GGUF file"),
    ([0x89, 0x50, 0x4E, 0x47], "a PNG picture"),
    ([0xFF, 0xD8, 0xFF], "a JPEG picture"),
  ]

  /// A 64-bit length, then the header's brace.
  private static func isSafetensors(_ head: [UInt8]) -> Bool {
    head.count > 8 && head[8] == 0x7B && head[5..<8].allSatisfy { $0 == 0 }
  }

  /// Field 1 (a value) whose own field 1 is a tag and field 2 or 3 a tensor.
  private static func isMindSpore(_ head: [UInt8]) -> Bool {
    guard head.first == 0x0A, let value = afterVarint(head, 1), value < head.count, head[value] == 0x0A,
      let tag = afterVarint(head, value + 1)
    else { return false }
    // A longer tag ends past the head; its text must do.
    guard value + 1 < head.count, tag == value + 2 else { return true }
    let end = tag + Int(head[value + 1])
    return end >= head.count || head[end] == 0x12 || head[end] == 0x1A
  }

  /// Field 1 is a version as text.
  private static func isMindIR(_ head: [UInt8]) -> Bool {
    guard head.count > 2, head[0] == 0x0A, (1...32).contains(head[1]) else { return false }
    let end = 2 + Int(head[1])
    return head.count >= end && head[2..<end].allSatisfy { (0x2B...0x7A).contains($0) }
  }

  /// The index after a varint at `index`, or nil if it does not end.
  private static func afterVarint(_ bytes: [UInt8], _ index: Int) -> Int? {
    var index = index
    let end = min(bytes.count, index + 10)
    while index < end {
      if bytes[index] < 0x80 { return index + 1 }
      index += 1
    }
    return nil
  }

  /// Protocol 2 and later by its first opcode; 0 and 1 by a global or by a container's mark.
  private static func isPickle(_ head: [UInt8]) -> Bool {
    if head.count > 1, head[0] == 0x80, (2...5).contains(head[1]) { return true }
    // GLOBAL: c, two lines of names.
    if head.first == 0x63 {
      let lines = head.dropFirst().split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
      return lines.count == 3 && lines[..<2].allSatisfy { isIdentifier($0) }
    }
    // MARK, then a list, a dictionary or the string that a list begins with; or a string that is put in the memo.
    if head.count > 1, head[0] == 0x28, [0x6C, 0x64, 0x56, 0x53, 0x63, 0x58, 0x74].contains(head[1]) { return true }
    guard head.first == 0x56 || head.first == 0x53, let end = head.firstIndex(of: 0x0A) else { return false }
    return end + 1 < head.count && head[end + 1] == 0x70
  }

  private static func isIdentifier(_ bytes: ArraySlice<UInt8>) -> Bool {
    !bytes.isEmpty
      && bytes.allSatisfy {
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
          || $0 == 0x2E
      }
  }

  private static func matches(_ bytes: [UInt8], at offset: Int, _ magic: [UInt8]) -> Bool {
    bytes.count >= offset + magic.count && bytes[offset..<(offset + magic.count)].elementsEqual(magic)
  }

  /// What bytes of no container look like.
  private static func content(_ head: [UInt8]) -> String {
    if head.starts(with: Array("version https://git-lfs".utf8)) {
      return "a Git LFS pointer; fetch the file with git lfs pull"
    }
    let text = head.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
    if text.first == 0x3C { return "an HTML or XML page; was the download an error page?" }
    if text.first == 0x7B { return "JSON text" }
    if head.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || (0x09...0x0D).contains($0) }) { return "text" }
    var bytes = ""
    for byte in head.prefix(8) { bytes += (bytes.isEmpty ? "" : " ") + hexadecimal(byte) }
    return "a file that begins with \(bytes)"
  }
}
