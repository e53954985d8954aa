package import ERIFormat

/// A zip archive open for reading. The central directory alone says what it holds; entries are read where they lie.
package final class ZipArchive: Sendable {
  package let path: String
  /// In the central directory's order.
  package let entries: [ZipEntry]
  private let positions: [String: Int]

  /// Opens an archive; no entry is read yet.
  /// - Throws: `FormatError` `.inputOutput` if it cannot be read, `.invalid` for a damaged directory, entries that
  ///   overlap or share a name, or declare what deflate cannot reach; `.limitExceeded`, `.unsupported` if encrypted or split.
  package init(path: String) throws(FormatError) {
    self.path = path
    do throws(FormatError) {
      (entries, positions) = try ZipArchive.open(path)
    } catch {
      throw error.inside(path)
    }
  }

  /// The entry of that name.
  package func entry(_ name: String) -> ZipEntry? { positions[name].map { entries[$0] } }

  private static func open(_ path: String) throws(FormatError) -> ([ZipEntry], [String: Int]) {
    let file = try FileHandle(path: path)
    let directory = try ZipDirectory(file)
    let ends = try ends(directory)
    var entries: [ZipEntry] = []
    var positions: [String: Int] = [:]
    entries.reserveCapacity(directory.records.count)
    for (index, record) in directory.records.enumerated() {
      guard positions.updateValue(index, forKey: record.name) == nil else {
        throw FormatError(
          .invalid, at: "central directory", "expected each name once, found \"\(record.name)\" twice")
      }
      entries.append(try ZipEntry(record, in: file, path: path, end: ends[index]))
    }
    return (entries, positions)
  }

  /// Where each entry has to end: at the next one, or at the directory. No byte belongs to two entries.
  private static func ends(_ directory: ZipDirectory) throws(FormatError) -> [UInt64] {
    let records = directory.records
    let order = records.indices.sorted { records[$0].localOffset < records[$1].localOffset }
    var ends = [UInt64](repeating: directory.offset, count: records.count)
    for (place, index) in order.enumerated() {
      let record = records[index]
      let isLast = place + 1 == order.count
      let limit = isLast ? directory.offset : records[order[place + 1]].localOffset
      let least = UInt64(ZipEntry.headerBytes + record.nameBytes.count)
      guard record.localOffset <= directory.offset, limit >= record.localOffset,
        limit - record.localOffset >= least, limit - record.localOffset - least >= record.compressedBytes
      else {
        let other = isLast ? "the central directory" : "\"\(records[order[place + 1]].name)\""
        throw FormatError(
          .invalid, at: "central directory",
          "expected \"\(record.name)\" to end before \(other) begins at offset \(limit), found "
            + "\(record.compressedBytes) bytes from offset \(record.localOffset)")
      }
      ends[index] = limit
    }
    return ends
  }
}

extension ZipArchive {
  /// Which of the containers that are zip archives this one is, by the entries it has; nil if none.
  package var container: Container? {
    if let record = TorchArchive.pickles(of: self).first {
      let folder = TorchArchive.folder(of: record)
      return entry(folder + "constants.pkl") != nil ? .torchScript : .torchZip
    }
    return entries.contains { $0.name.hasSuffix(".npy") } ? .npz : nil
  }
}
