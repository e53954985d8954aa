import ERIFormat

/// What a zip archive of torch.save and one of torch.jit.save have in common: a pickle beside a folder of storages.
struct TorchArchive {
  /// The newest layout that is known (torch's kMaxSupportedFileFormatVersion).
  private static let newestVersion = 10

  let archive: ZipArchive
  private let pickle: ZipEntry
  private let isBigEndian: Bool

  /// - Throws: `FormatError` `.invalid` without exactly one data.pkl, `.unsupported` for a layout from the future.
  init(_ archive: ZipArchive) throws(FormatError) {
    self.archive = archive
    pickle = try TorchArchive.pickleEntry(of: archive)
    isBigEndian = try TorchArchive.isBigEndian(archive, pickle)
    try checkVersion()
  }

  /// The entries `data.pkl` in a top folder or in none; an archive of PyTorch's has one.
  static func pickles(of archive: ZipArchive) -> [ZipEntry] {
    archive.entries.filter {
      let parts = $0.name.split(separator: "/", omittingEmptySubsequences: false)
      return parts.last == "data.pkl" && parts.count <= 2
    }
  }

  private static func pickleEntry(of archive: ZipArchive) throws(FormatError) -> ZipEntry {
    let pickles = pickles(of: archive)
    guard let pickle = pickles.first, pickles.count == 1 else {
      throw FormatError(
        .invalid, at: archive.path,
        "expected one data.pkl, as an archive of torch.save has, found \(pickles.count)")
    }
    return pickle
  }

  /// The top folder of an archive with this data.pkl, with its slash; empty if there is none.
  static func folder(of pickle: ZipEntry) -> String { String(pickle.name.dropLast("data.pkl".count)) }

  private var folder: String { TorchArchive.folder(of: pickle) }

  private static func isBigEndian(_ archive: ZipArchive, _ pickle: ZipEntry) throws(FormatError) -> Bool {
    guard let entry = archive.entry(folder(of: pickle) + "byteorder") else { return false }
    switch String(decoding: try entry.bytes(limit: 64), as: UTF8.self) {
    case "little": return false
    case "big": return true
    case let text:
      throw FormatError(
        .invalid, at: "\(archive.path): \(entry.name)", "expected \"little\" or \"big\", found \"\(text)\"")
    }
  }

  private func checkVersion() throws(FormatError) {
    guard let entry = archive.entry(folder + "version") else { return }
    let text = String(decoding: try entry.bytes(limit: 64), as: UTF8.self)
    guard let version = Int(text.filter { $0 != "\n" }), version > 0 else {
      throw FormatError(.invalid, at: "\(archive.path): \(entry.name)", "expected a number, found \"\(text)\"")
    }
    guard version <= TorchArchive.newestVersion else {
      throw FormatError(
        .unsupported, at: "\(archive.path): \(entry.name)",
        "expected a layout up to \(TorchArchive.newestVersion), found \(version)")
    }
  }

  /// Whether the archive has that entry in its top folder.
  func has(_ name: String) -> Bool { archive.entry(folder + name) != nil }

  /// Reads data.pkl and describes its tensors, whose values stay in the archive.
  /// - Throws: `FormatError` of the archive, the pickle or a storage that does not fit its description; `.invalid` if the
  ///   pickle asks for code and that is not allowed.
  func read(as container: Container, allowInert: Bool) throws(FormatError) -> Checkpoint {
    let bytes = try pickle.bytes(limit: Limits.pickleBytes)
    let tree: TorchTree
    do throws(FormatError) {
      var machine = PickleMachine(PickleInput(bytes))
      tree = try TorchTree(try machine.run(allowInert: allowInert))
    } catch {
      throw error.inside("\(archive.path): \(pickle.name)")
    }
    var storages: [String: ZipStorage] = [:]
    var entries: [Checkpoint.Entry] = []
    for item in tree.found {
      entries.append(try entry(item, &storages))
    }
    return Checkpoint(container, path: archive.path, entries: entries, notes: tree.notes)
  }

  private func entry(
    _ item: TorchTree.Found, _ storages: inout [String: ZipStorage]
  ) throws(FormatError) -> Checkpoint.Entry {
    let tensor = item.tensor
    let key = tensor.storage.key
    let place = "\(archive.path): tensor \"\(item.name)\""
    guard let record = archive.entry("\(folder)data/\(key)") else {
      throw FormatError(.invalid, at: place, "expected its storage in the entry data/\(key), found no such entry")
    }
    let elementBytes = tensor.storage.type == .untyped ? 1 : tensor.dtype.byteCount
    let (expected, overflow) = tensor.storage.count.multipliedReportingOverflow(by: elementBytes)
    guard !overflow, record.byteCount == expected else {
      throw FormatError(
        .invalid, at: place,
        "expected a storage of \(tensor.storage.count) elements of \(elementBytes) bytes, found \(record.byteCount) bytes "
          + "in the entry data/\(key)")
    }
    guard !isBigEndian || tensor.storage.type != .untyped else {
      throw FormatError(
        .unsupported, at: place,
        "expected an untyped storage in little-endian order, found big-endian; save it again on a little-endian machine"
      )
    }
    let storage = storages[key] ?? ZipStorage(record)
    storages[key] = storage
    let source = try StridedSource(
      storage, tensor.dtype, shape: tensor.shape, strides: tensor.strides,
      offset: tensor.storage.viewOffset + tensor.offset, isBigEndian: isBigEndian,
      place: place)
    return Checkpoint.Entry(
      Tensor(item.name, tensor.dtype, tensor.shape, role: item.role, values: .source(source)),
      dtypeName: tensor.dtype.name)
  }
}
