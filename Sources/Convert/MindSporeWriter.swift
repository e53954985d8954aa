package import ERIFormat

/// Writes MindSpore's checkpoints as `mindspore.save_checkpoint` does.
package enum MindSporeWriter {
  /// Content of one entry; what is longer comes in several, as MindSpore's own writer has it.
  private static let chunkBytes = 512 << 20

  /// Writes the tensors; an earlier file is replaced as a whole or not at all.
  /// - Parameter checksum: whether a CRC trailer ends the file, as `crc_check` asks MindSpore to write.
  /// - Throws: `FormatError` if a tensor cannot be read or the file cannot be written.
  package static func write(_ tensors: [Tensor], to path: String, checksum: Bool = false) throws(FormatError) {
    do throws(FormatError) {
      try TensorRules.check(tensors)
      let output = ChecksummedWriter(try FileWriter(path: path))
      let reader = try TensorReader()
      for tensor in tensors {
        do throws(FormatError) {
          let block = try TensorBlock(tensor, with: reader)
          try withExtendedLifetime(block) { () throws(FormatError) in try write(tensor, block.bytes, to: output) }
        } catch {
          throw error.inside("tensor \"\(tensor.name)\"")
        }
      }
      if checksum { try output.file.append(MindSporeReader.Trailer.encoded(output.crc)) }
      try output.file.commit()
    } catch {
      throw error.inside(path)
    }
  }

  private static func write(
    _ tensor: Tensor, _ bytes: UnsafeRawBufferPointer, to output: ChecksummedWriter
  ) throws(FormatError) {
    var start = 0
    repeat {
      let end = min(bytes.count, start + chunkBytes)
      var head: [UInt8] = []
      for extent in tensor.shape {
        head.append(0x08)
        appendVarint(extent, to: &head)
      }
      appendText(
        0x12, try typeName(MindSporeType.name(tensor.dtype), of: tensor, in: "a .ckpt file"), to: &head)
      head.append(0x1A)
      appendVarint(end - start, to: &head)
      var value: [UInt8] = []
      appendText(0x0A, tensor.name, to: &value)
      value.append(0x12)
      appendVarint(head.count + end - start, to: &value)
      var entry: [UInt8] = [0x0A]
      appendVarint(value.count + head.count + end - start, to: &entry)
      try output.append(entry + value + head)
      try output.append(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      start = end
    } while start < bytes.count
  }

  private static func appendVarint(_ value: Int, to bytes: inout [UInt8]) {
    var rest = UInt64(value)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  private static func appendText(_ key: UInt8, _ text: String, to bytes: inout [UInt8]) {
    bytes.append(key)
    appendVarint(text.utf8.count, to: &bytes)
    bytes += Array(text.utf8)
  }

  /// A file and the CRC-32 of what it holds.
  private final class ChecksummedWriter {
    let file: FileWriter
    private var checksum = ZipChecksum()
    var crc: UInt32 { checksum.value }

    init(_ file: FileWriter) { self.file = file }

    func append(_ bytes: [UInt8]) throws(FormatError) {
      bytes.withUnsafeBytes { checksum.update($0) }
      try file.append(bytes)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
      checksum.update(bytes)
      try file.append(bytes)
    }
  }
}
