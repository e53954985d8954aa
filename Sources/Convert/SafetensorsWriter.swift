package import ERIFormat

/// Writes safetensors as its own library does: large elements first, so that every tensor is aligned, the header padded to 8 bytes.
package enum SafetensorsWriter {
  /// Writes the tensors; an earlier file is replaced as a whole or not at all.
  /// - Parameter metadata: entries of `__metadata__` beside "format" and the roles of tensors that are no weights.
  /// - Throws: `FormatError` if a tensor cannot be read or the file cannot be written.
  package static func write(
    _ tensors: [Tensor], to path: String, metadata: [(key: String, value: String)] = []
  ) throws(FormatError) {
    do throws(FormatError) {
      try TensorRules.check(tensors)
      for tensor in tensors where tensor.name == "__metadata__" {
        throw FormatError(
          .unsupported, at: "tensor \"__metadata__\"",
          "expected a name that safetensors leaves to tensors, found its own; rename it")
      }
      var types: [String] = []
      for tensor in tensors {
        types.append(try typeName(SafetensorsType.name(tensor.dtype), of: tensor, in: "a .safetensors file"))
      }
      let order = tensors.indices.sorted {
        let (a, b) = (tensors[$0].dtype.byteCount, tensors[$1].dtype.byteCount)
        return a == b ? $0 < $1 : a > b
      }
      let output = try FileWriter(path: path)
      var header = Array(header(tensors, types, order, metadata).utf8)
      header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
      guard header.count <= Limits.safetensorsHeaderBytes else {
        throw FormatError(
          .limitExceeded, at: "header", "expected at most \(Limits.safetensorsHeaderBytes) bytes, found \(header.count)"
        )
      }
      var length: [UInt8] = []
      length.appendLittleEndian(UInt64(header.count))
      try output.append(length)
      try output.append(header)
      let reader = try TensorReader()
      for index in order {
        do throws(FormatError) {
          let block = try TensorBlock(tensors[index], with: reader)
          try withExtendedLifetime(block) { () throws(FormatError) in try output.append(block.bytes) }
        } catch {
          throw error.inside("tensor \"\(tensors[index].name)\"")
        }
      }
      try output.commit()
    } catch {
      throw error.inside(path)
    }
  }

  private static func header(
    _ tensors: [Tensor], _ types: [String], _ order: [Int], _ metadata: [(key: String, value: String)]
  ) -> String {
    var json = JSONWriter()
    json.object { json in
      json.member("__metadata__") { json in
        json.object { json in
          // Readers of the Hugging Face libraries ask for it.
          if !metadata.contains(where: { $0.key == "format" }) { json.member("format") { $0.string("pt") } }
          for (key, value) in metadata where key != SafetensorsReader.Roles.key {
            json.member(key) { $0.string(value) }
          }
          if tensors.contains(where: { $0.role != .weight }) {
            json.member(SafetensorsReader.Roles.key) { $0.string(roles(tensors)) }
          }
        }
      }
      var offset = 0
      for index in order {
        let tensor = tensors[index]
        let end = offset + (tensor.byteCount ?? 0)
        json.member(tensor.name) { json in
          json.object { json in
            json.member("dtype") { $0.string(types[index]) }
            json.member("shape") { $0.integers(tensor.shape) }
            json.member("data_offsets") { $0.integers([offset, end]) }
          }
        }
        offset = end
      }
    }
    return json.text
  }

  /// The tensors that are no weights, as a text of JSON.
  private static func roles(_ tensors: [Tensor]) -> String {
    var json = JSONWriter()
    json.object { json in
      for tensor in tensors where tensor.role != .weight { json.member(tensor.name) { $0.string(tensor.role.text) } }
    }
    return json.text
  }
}
