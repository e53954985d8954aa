package import ERIFormat

/// PyTorch's stream of five pickles and the storages after them (torch.save before 1.6).
package enum TorchLegacy {
  /// 0x1950a86a20f9469cfc6c, lowest byte first.
  private static let magic: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
  private static let protocolVersion: Int64 = 1001

  /// The first bytes of every such file: PROTO 2, then the magic number.
  package static let beginning: [UInt8] = [0x80, 0x02, 0x8a, 0x0a] + magic + [0x2e]

  /// Describes the tensors of a file; their values stay in it until they are read. Names as `TorchZip.read`.
  /// - Throws: `FormatError`, as `TorchZip.read`; `.invalid` too for any other pickle, which it names the wishes of.
  package static func read(path: String, allowInert: Bool) throws(FormatError) -> Checkpoint {
    do throws(FormatError) {
      return try read(try FileHandle(path: path), path, allowInert)
    } catch {
      throw error.inside(path)
    }
  }

  private static func read(
    _ file: FileHandle, _ path: String, _ allowInert: Bool
  ) throws(FormatError) -> Checkpoint {
    let start = try file.bytes(Int(min(file.byteCount, UInt64(beginning.count))), at: 0)
    guard start == beginning else { throw barePickle(file) }
    var input = PickleInput(file)
    _ = try pickle(&input, "magic number", allowInert)
    let version = try pickle(&input, "protocol version", allowInert)
    guard case .integer(protocolVersion) = version.root else {
      throw FormatError(
        .unsupported, at: "protocol version", "expected \(protocolVersion), found \(version.kind(version.root))")
    }
    // Storages are little-endian whatever the machine was (torch writes them so), so its description is not needed.
    _ = try pickle(&input, "system", allowInert)
    let object = try pickle(&input, "object", allowInert)
    let tree: TorchTree
    do throws(FormatError) { tree = try TorchTree(object) } catch { throw error.inside("object") }
    let keys = try storageKeys(try pickle(&input, "storage keys", allowInert))
    let storages = try storages(file, path, from: input.offset, keys, declared: try declared(object))
    var entries: [Checkpoint.Entry] = []
    for item in tree.found {
      entries.append(try entry(item, storages, path))
    }
    return Checkpoint(.torchLegacy, path: path, entries: entries, notes: tree.notes)
  }

  /// The next pickle of the stream.
  private static func pickle(
    _ input: inout PickleInput, _ what: String, _ allowInert: Bool
  ) throws(FormatError) -> PickleTree {
    var machine = PickleMachine(input)
    do throws(FormatError) {
      let tree = try machine.run(allowInert: allowInert)
      input = machine.input
      return tree
    } catch {
      throw error.inside(what)
    }
  }

  /// Why a file that is not PyTorch's is refused: a pickle is told by what it asks for.
  private static func barePickle(_ file: FileHandle) -> FormatError {
    var machine = PickleMachine(PickleInput(file))
    do throws(FormatError) {
      let tree = try machine.run(allowInert: false)
      return FormatError(
        .invalid, at: "",
        "expected a file of torch.save, found a plain pickle of \(tree.kind(tree.root)); save the tensors with torch.save"
      )
    } catch {
      return error
    }
  }

  private static func storageKeys(_ tree: PickleTree) throws(FormatError) -> [String] {
    guard let node = tree.node(tree.root), case .list = node.kind else {
      throw FormatError(.invalid, at: "storage keys", "expected a list, found \(tree.kind(tree.root))")
    }
    var keys: [String] = []
    for item in node.items {
      guard case .text(let key) = item else {
        throw FormatError(.invalid, at: "storage keys", "expected strings, found \(tree.kind(item))")
      }
      keys.append(key)
    }
    return keys
  }

  /// What the object says of each storage: its elements' count and size.
  private static func declared(_ tree: PickleTree) throws(FormatError) -> [String: (count: Int, elementBytes: Int)] {
    var declared: [String: (count: Int, elementBytes: Int)] = [:]
    for node in tree.nodes {
      guard case .storage(let storage) = node.kind else { continue }
      let elementBytes: Int
      switch storage.type {
      case .typed(let dtype): elementBytes = dtype.byteCount
      case .untyped: elementBytes = 1
      case .foreign:
        throw FormatError(
          .unsupported, at: "object",
          "expected storages of float16 to float64, bfloat16, an integer type or bool, found \"\(storage.typeName)\"")
      }
      if let earlier = declared[storage.key], earlier != (storage.count, elementBytes) {
        throw FormatError(
          .invalid, at: "storage \"\(storage.key)\"",
          "expected one size, found \(earlier.count) and \(storage.count) elements")
      }
      declared[storage.key] = (storage.count, elementBytes)
    }
    return declared
  }

  /// Finds the storages, which follow each other in the keys' order: a 64-bit count of elements, then the elements.
  private static func storages(
    _ file: FileHandle, _ path: String, from start: UInt64, _ keys: [String],
    declared: [String: (count: Int, elementBytes: Int)]
  ) throws(FormatError) -> [String: FileStorage] {
    var storages: [String: FileStorage] = [:]
    var position = start
    for key in keys {
      let place = "storage \"\(key)\""
      guard let size = declared[key], storages[key] == nil else {
        throw FormatError(
          .invalid, at: place, "expected the keys of the object's storages, each once, found another or a second one")
      }
      guard file.byteCount - position >= 8, let stored = ByteFields(try file.bytes(8, at: position)).u64(0) else {
        throw FormatError(
          .invalid, at: place, "expected a count of elements at offset \(position), found the file's end")
      }
      position += 8
      guard stored == UInt64(size.count) else {
        throw FormatError(
          .invalid, at: place, "expected \(size.count) elements, found \(stored) at offset \(position - 8)")
      }
      let (byteCount, overflow) = size.count.multipliedReportingOverflow(by: size.elementBytes)
      guard !overflow, UInt64(byteCount) <= file.byteCount - position else {
        throw FormatError(
          .invalid, at: place,
          "expected \(size.count) elements of \(size.elementBytes) bytes, found \(file.byteCount - position) bytes before "
            + "the file's end")
      }
      storages[key] = FileStorage(file, path: path, start: position, byteCount: byteCount)
      position += UInt64(byteCount)
    }
    guard position == file.byteCount else {
      throw FormatError(
        .invalid, at: "",
        "expected the file to end at offset \(position), found \(file.byteCount - position) bytes more")
    }
    return storages
  }

  private static func entry(
    _ item: TorchTree.Found, _ storages: [String: FileStorage], _ path: String
  ) throws(FormatError) -> Checkpoint.Entry {
    let tensor = item.tensor
    guard let storage = storages[tensor.storage.key] else {
      throw FormatError(
        .invalid, at: "tensor \"\(item.name)\"",
        "expected its storage \"\(tensor.storage.key)\" among the file's storages, found none")
    }
    let source = try StridedSource(
      storage, tensor.dtype, shape: tensor.shape, strides: tensor.strides,
      offset: tensor.storage.viewOffset + tensor.offset, isBigEndian: false, place: "tensor \"\(item.name)\"")
    return Checkpoint.Entry(
      Tensor(item.name, tensor.dtype, tensor.shape, role: item.role, values: .source(source)),
      dtypeName: tensor.dtype.name)
  }
}
