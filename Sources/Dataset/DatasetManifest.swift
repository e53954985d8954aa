import ERIFormat

/// What a dataset folder's label file says: which clips there are, in which split, with which intensities.
///
/// Known are `data_info.csv` of Hume-Reaction and ABAW5, MuSe's `labels.csv` with `partition.csv` beside it, and otherwise the
/// folder's only .csv file with the columns File_ID, Split and one per label.
package struct DatasetManifest: Sendable {
  /// One clip's line.
  package struct Row: Equatable, Sendable {
    /// Without brackets.
    package let id: String
    package let split: DatasetSplit
    /// The column Subject, where there is one and it is not empty.
    package let subject: String?
    /// In the order of the manifest's labels, from 0 to 1; not numbers where a clip of the test split has none.
    package let labels: [Float]
    /// Its line in the label file.
    package let line: Int
  }

  /// The dataset's folder.
  package let folder: String
  /// The label file's path.
  package let file: String
  package let labels: [String]
  /// In the order of the file.
  package let rows: [Row]
  /// What is usable but probably not meant, a sentence each: labels that never change.
  package let warnings: [String]

  /// Columns that are no labels, in small letters.
  private static let reserved: Set<String> = ["file_id", "split", "age", "country", "subject"]

  /// Reads the label file of a folder.
  /// - Parameter labels: the columns that are labels; nil: all but File_ID, Split, Age, Country and Subject.
  /// - Throws: `DatasetError` naming the first line that breaks a rule.
  package init(folder: String, labels wanted: [String]? = nil) throws(DatasetError) {
    self.folder = folder
    let files = try DatasetManifest.labelFiles(in: folder)
    file = files.labels
    let partition = try files.partition.map { path throws(DatasetError) in try Partition(path: path) }
    var reader = try CSVReader(path: file)
    let columns = try Columns(&reader, wanted: wanted, needsSplit: partition == nil)
    labels = columns.labels.map { columns.names[$0] }
    var rows: [Row] = []
    var lines: [String: Int] = [:]
    while let record = try reader.next() {
      guard rows.count < Limits.clips else {
        throw reader.fault(record.line, "at most \(Limits.clips) clips", "more", "split the dataset")
      }
      let row = try columns.row(record, reader, partition)
      if let first = lines.updateValue(row.line, forKey: row.id) {
        throw reader.fault(
          row.line, "every File_ID once", "\(row.id) again, which line \(first) has", "remove one of the two lines")
      }
      rows.append(row)
    }
    guard !rows.isEmpty else {
      throw DatasetError(
        .invalid, path: file, expected: "at least one clip", found: "none", advice: "add lines of clips")
    }
    if let partition {
      rows += try partition.unlabelled(besides: lines, labelFile: file).map { id, line in
        Row(
          id: id, split: .test, subject: nil, labels: [Float](repeating: .nan, count: columns.labels.count), line: line)
      }
    }
    self.rows = rows
    warnings = DatasetManifest.constantLabels(file, labels, rows)
  }

  /// The rows of a split.
  /// - Throws: `DatasetError` if there is none.
  package func rows(in split: DatasetSplit) throws(DatasetError) -> [Row] {
    let rows = rows.filter { $0.split == split }
    guard !rows.isEmpty else {
      throw DatasetError(
        .invalid, path: file, expected: "rows of the split \(split.name)", found: "none",
        advice: "mark some as \(split.words[0]) in its column Split")
    }
    return rows
  }

  private static func labelFiles(in folder: String) throws(DatasetError) -> (labels: String, partition: String?) {
    guard let names = fileNames(in: folder) else {
      throw DatasetError(
        .unreadable, path: folder, expected: "a dataset's folder", found: "no folder that can be listed",
        advice: "check the name and its permissions")
    }
    if names.contains("data_info.csv") { return ("\(folder)/data_info.csv", nil) }
    if names.contains("labels.csv") {
      return ("\(folder)/labels.csv", names.contains("partition.csv") ? "\(folder)/partition.csv" : nil)
    }
    let tables = names.filter { $0.lowercased().hasSuffix(".csv") }
    guard tables.count == 1 else {
      throw DatasetError(
        tables.isEmpty ? .unreadable : .invalid, path: folder,
        expected: "data_info.csv, labels.csv or one other .csv file with the labels",
        found: tables.isEmpty ? "none" : tables.joined(separator: ", "),
        advice: tables.isEmpty ? "check that this is the dataset's folder" : "name the one with the labels labels.csv")
    }
    return ("\(folder)/\(tables[0])", nil)
  }

  private static func constantLabels(_ file: String, _ labels: [String], _ rows: [Row]) -> [String] {
    var warnings: [String] = []
    for split in DatasetSplit.allCases {
      let labelled = rows.filter { $0.split == split && !$0.labels.contains { $0.isNaN } }
      guard let first = labelled.first, labelled.count > 1 else { continue }
      for (index, label) in labels.enumerated() where labelled.allSatisfy({ $0.labels[index] == first.labels[index] }) {
        warnings.append(
          "\(file): label \(label) is \(decimal(first.labels[index])) in all \(labelled.count) labelled rows of the split "
            + "\(split.name); its correlation is undefined and counts as 0")
      }
    }
    return warnings
  }
}

/// Where a label file's columns are.
private struct Columns {
  let names: [String]
  let id: Int
  /// Nil where another file says the splits.
  let split: Int?
  let subject: Int?
  let labels: [Int]

  /// Reads the header.
  init(_ reader: inout CSVReader, wanted: [String]?, needsSplit: Bool) throws(DatasetError) {
    guard let header = try reader.next() else {
      throw DatasetError(
        .invalid, path: reader.path, expected: "a line with the columns' names", found: "an empty file",
        advice: "check that this is the file you meant")
    }
    let line = header.line
    let names = header.fields.map { trimmed($0) }
    func fault(_ expected: String, _ found: String, _ advice: String) -> DatasetError {
      reader.fault(line, expected, found, advice)
    }
    var positions: [String: Int] = [:]
    for (index, name) in names.enumerated() {
      guard !name.isEmpty else {
        throw fault(
          "a name for every column", "column \(index + 1) without one", "name or remove it (pandas: index=False)")
      }
      guard name.utf8.count <= Limits.nameBytes else {
        throw fault(
          "names of at most \(Limits.nameBytes) bytes", "\(name.utf8.count) in column \(index + 1)", "shorten it")
      }
      guard positions.updateValue(index, forKey: name) == nil else {
        throw fault("every column once", "\(name) a second time", "rename or remove one of them")
      }
    }
    func column(_ name: String) -> Int? { names.firstIndex { $0.lowercased() == name } }
    func listed(_ names: [String]) -> String {
      names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
    }
    guard let id = column("file_id") else {
      throw fault(
        "a column File_ID", listed(names),
        names.count == 1 && names[0].contains(";")
          ? "separate the columns by commas" : "name the column of clips File_ID")
    }
    let split = column("split")
    if needsSplit, split == nil {
      throw fault(
        "a column Split", listed(names), "add one with \(DatasetSplit.allWords), or partition.csv beside labels.csv")
    }
    if let wanted {
      var labels: [Int] = []
      for name in wanted {
        guard let index = positions[name] else {
          throw fault("a column \(name), which --labels names", listed(names), "name columns of the file")
        }
        guard !labels.contains(index) else {
          throw fault("every label once", "\(name) twice in --labels", "name it once")
        }
        labels.append(index)
      }
      self.labels = labels
    } else {
      labels = names.indices.filter { !DatasetManifest.isReserved(names[$0]) }
    }
    guard !labels.isEmpty else {
      throw fault(
        "columns of labels beside File_ID, Split, Age, Country and Subject", "none",
        "add a column per label with 0 to 1")
    }
    guard labels.count <= Limits.labels else {
      throw fault("at most \(Limits.labels) labels", "\(labels.count)", "name those you want with --labels")
    }
    (self.names, self.id, self.split, self.subject) = (names, id, needsSplit ? split : nil, column("subject"))
  }

  func row(
    _ record: CSVReader.Record, _ reader: CSVReader, _ partition: Partition?
  ) throws(DatasetError) -> DatasetManifest.Row {
    let line = record.line
    guard record.fields.count == names.count else {
      throw reader.fault(
        line, "\(names.count) fields as in the first line", "\(record.fields.count)", "correct the line")
    }
    let id = try clipID(record.fields[self.id], line, reader)
    let split: DatasetSplit
    if let column = self.split {
      split = try splitWord(record.fields[column], line, reader)
    } else {
      guard let found = partition?.splits[id] else {
        throw reader.fault(
          line, "a clip that partition.csv lists", "\(id), which it does not",
          "add it to partition.csv or remove the line")
      }
      split = found.split
    }
    let values = labels.map { trimmed(record.fields[$0]) }
    // Challenges keep the labels of their test split secret.
    let isSecret = split == .test && values.allSatisfy { $0.isEmpty || $0.lowercased() == "nan" }
    var intensities: [Float] = []
    for (column, text) in zip(labels, values) {
      if isSecret {
        intensities.append(.nan)
        continue
      }
      guard let value = decimalNumber(text), value >= 0, value <= 1 else {
        throw reader.fault(
          line, "an intensity from 0 to 1 in column \(names[column])", text.isEmpty ? "nothing" : "\"\(text)\"",
          "correct it, or leave the column out with --labels")
      }
      intensities.append(Float(value))
    }
    let person = subject.map { trimmed(record.fields[$0]) }
    return DatasetManifest.Row(
      id: id, split: split, subject: person == "" ? nil : person, labels: intensities, line: line)
  }
}

extension DatasetManifest {
  fileprivate static func isReserved(_ column: String) -> Bool { reserved.contains(column.lowercased()) }
}

/// MuSe's partition.csv: the ID in its first column, the split in its last.
private struct Partition {
  let path: String
  private(set) var splits: [String: (split: DatasetSplit, line: Int)] = [:]
  private var order: [String] = []

  init(path: String) throws(DatasetError) {
    self.path = path
    var reader = try CSVReader(path: path)
    guard let header = try reader.next(), header.fields.count >= 2 else {
      throw reader.fault(1, "a line with the names of two columns, ID and split", "another", "correct the line")
    }
    while let record = try reader.next() {
      guard record.fields.count == header.fields.count, let word = record.fields.last else {
        throw reader.fault(
          record.line, "\(header.fields.count) fields as in the first line", "\(record.fields.count)",
          "correct the line")
      }
      guard order.count < Limits.clips else {
        throw reader.fault(record.line, "at most \(Limits.clips) clips", "more", "split the dataset")
      }
      let id = try clipID(record.fields[0], record.line, reader)
      let split = try splitWord(word, record.line, reader)
      if let first = splits.updateValue((split, record.line), forKey: id) {
        throw reader.fault(
          record.line, "every ID once", "\(id) again, which line \(first.line) has", "remove one of the two lines")
      }
      order.append(id)
    }
  }

  /// Clips of the test split that the label file leaves out, as challenges keep those labels secret.
  /// - Throws: `DatasetError` for such a clip of another split.
  func unlabelled(
    besides labelled: [String: Int], labelFile: String
  ) throws(DatasetError) -> [(id: String, line: Int)] {
    var clips: [(id: String, line: Int)] = []
    for id in order where labelled[id] == nil {
      guard let entry = splits[id] else { continue }
      guard entry.split == .test else {
        throw DatasetError(
          .invalid, path: path, place: "line \(entry.line)", expected: "a clip that \(labelFile) has labels for",
          found: "\(id), which it does not", advice: "add its labels or remove the line")
      }
      clips.append((id, entry.line))
    }
    return clips
  }
}

/// A clip's ID without brackets.
private func clipID(_ field: String, _ line: Int, _ reader: CSVReader) throws(DatasetError) -> String {
  var id = trimmed(field)
  if id.hasPrefix("["), id.hasSuffix("]") { id = String(id.dropFirst().dropLast()) }
  let isName = id.unicodeScalars.allSatisfy { $0 != "/" && $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
  guard !id.isEmpty, id.utf8.count <= Limits.clipNameBytes, isName, !id.hasPrefix(".") else {
    throw reader.fault(
      line, "a File_ID that is a file's name without folder and ending, of at most \(Limits.clipNameBytes) bytes",
      id.isEmpty ? "nothing" : "\"\(id.prefix(80))\"", "correct it")
  }
  return id
}

/// A word of the column of splits.
private func splitWord(_ field: String, _ line: Int, _ reader: CSVReader) throws(DatasetError) -> DatasetSplit {
  guard let split = DatasetSplit(word: trimmed(field)) else {
    throw reader.fault(line, "\(DatasetSplit.allWords) as the split", "\"\(field)\"", "correct it")
  }
  return split
}
