import ERIFormat

/// What `index.csv` in a prepared cache says: how clips were prepared, and where each one's tensors are.
///
/// Its first record is the version, then one per modality with the preprocessing, then the names of the columns and a record
/// per clip in the order of their IDs.
struct CacheIndex {
  /// One clip's record.
  struct Entry: Equatable {
    /// Where the tensors of a clip are.
    struct Place: Equatable {
      /// Number of the shard's file.
      var shard: Int
      /// Number of the clip in it: its tensors are `NUMBER/mfcc` and `NUMBER/faces`.
      var number: Int
      /// MFCC frames, 0 without sound.
      var frames: Int
      var mfcc: SHA256Digest?
      var faces: SHA256Digest?
    }

    var id: String
    var split: DatasetSplit
    var subject: String
    /// Not numbers for a clip of the test split that has none.
    var labels: [Float]
    /// Nil for a broken clip.
    var place: Place?
    /// The clip's files with their sizes and times, to see whether they changed.
    var media: String
    /// What is missing, was skipped, repaired or guessed.
    var notes: String
    /// Why the clip is broken; else empty.
    var error: String
  }

  static let fileName = "index.csv"
  private static let version = 1
  private static let columns = [
    "id", "split", "subject", "shard", "number", "mfcc_frames", "mfcc_sha256", "faces_sha256", "media", "notes",
    "error",
  ]

  var preprocessing: Preprocessing
  var labels: [String]
  var entries: [Entry]

  static func shardName(_ number: Int) -> String {
    let digits = "\(number)"
    return "shard-" + String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits + ".eri"
  }

  // MARK: Writing

  /// Replaces the cache's index as a whole.
  func write(to folder: String) throws(DatasetError) {
    let path = "\(folder)/\(CacheIndex.fileName)"
    do throws(FormatError) { try FileWriter.write(text, to: path) } catch {
      throw DatasetError(.notWritable, error.description)
    }
  }

  private var text: String {
    var records = [["eri-cache", "\(CacheIndex.version)"]]
    if let video = preprocessing.video { records.append(["video"] + CacheSettings.record(video)) }
    if let audio = preprocessing.audio { records.append(["audio"] + CacheSettings.record(audio)) }
    records.append(CacheIndex.columns + labels)
    for entry in entries {
      let place = entry.place
      records.append(
        [
          entry.id, entry.split.name, entry.subject, place.map { "\($0.shard)" } ?? "",
          place.map { "\($0.number)" } ?? "", place.map { "\($0.frames)" } ?? "", place?.mfcc?.text ?? "",
          place?.faces?.text ?? "", entry.media, entry.notes, entry.error,
        ] + entry.labels.map { $0.isNaN ? "" : decimal($0) })
    }
    return records.map { $0.map { csvField($0) }.joined(separator: ",") + "\n" }.joined()
  }

  // MARK: Reading

  init(preprocessing: Preprocessing, labels: [String], entries: [Entry] = []) {
    self.preprocessing = preprocessing
    self.labels = labels
    self.entries = entries
  }

  /// Reads the index of a cache and checks every field of it.
  init(folder: String) throws(DatasetError) {
    var reader = try CSVReader(path: "\(folder)/\(CacheIndex.fileName)")
    guard let first = try reader.next(), first.fields.count == 2, first.fields[0] == "eri-cache" else {
      throw reader.fault(
        1, "the record eri-cache,\(CacheIndex.version) of a prepared cache", "another",
        "name a cache that eri prepare made")
    }
    guard first.fields[1] == "\(CacheIndex.version)" else {
      throw DatasetError(
        .unsupported, path: reader.path, place: "line 1", expected: "version \(CacheIndex.version) of a prepared cache",
        found: "version \(first.fields[1])", advice: "prepare the dataset again with this release")
    }
    var preprocessing = Preprocessing()
    while let record = try reader.next() {
      switch record.fields[0] {
      case "video": preprocessing.video = try CacheSettings.video(record, reader)
      case "audio": preprocessing.audio = try CacheSettings.audio(record, reader)
      default:
        if let video = preprocessing.video { preprocessing.audio?.steps = video.steps }
        self.preprocessing = preprocessing
        guard record.fields.starts(with: CacheIndex.columns), record.fields.count > CacheIndex.columns.count else {
          throw reader.fault(
            record.line, "the columns \(CacheIndex.columns.joined(separator: ",")) and a label's", "others",
            "delete the cache and prepare it again")
        }
        labels = Array(record.fields.dropFirst(CacheIndex.columns.count))
        entries = try CacheIndex.readEntries(&reader, labels: labels.count)
        return
      }
    }
    throw reader.fault(
      first.line, "the names of its columns", "the end of the file", "delete the cache and prepare it again")
  }

  private static func readEntries(_ reader: inout CSVReader, labels: Int) throws(DatasetError) -> [Entry] {
    var entries: [Entry] = []
    var seen: Set<[UInt8]> = []
    while let record = try reader.next() {
      guard record.fields.count == columns.count + labels else {
        throw reader.fault(
          record.line, "\(columns.count + labels) fields", "\(record.fields.count)",
          "delete the cache and prepare it again")
      }
      guard entries.count < Limits.clips else {
        throw reader.fault(record.line, "at most \(Limits.clips) clips", "more", "split the dataset")
      }
      let entry = try Entry(record, reader)
      guard seen.insert(Array(entry.id.utf8)).inserted else {
        throw reader.fault(
          record.line, "every clip once", "\(entry.id) a second time", "delete the cache and prepare it again")
      }
      entries.append(entry)
    }
    return entries
  }
}

extension CacheIndex.Entry {
  fileprivate init(_ record: CSVReader.Record, _ reader: CSVReader) throws(DatasetError) {
    let fields = record.fields
    func fault(_ expected: String, _ found: String) -> DatasetError {
      reader.fault(record.line, expected, "\"\(found)\"", "delete the cache and prepare it again")
    }
    func natural(_ column: Int, _ what: String) throws(DatasetError) -> Int {
      guard let value = Int(fields[column]), value >= 0, value <= Limits.elements else {
        throw fault(what, fields[column])
      }
      return value
    }
    func digest(_ column: Int) throws(DatasetError) -> SHA256Digest? {
      if fields[column].isEmpty { return nil }
      guard let digest = SHA256Digest(hexadecimal: fields[column]) else {
        throw fault("64 hexadecimal digits", fields[column])
      }
      return digest
    }
    id = fields[0]
    guard let split = DatasetSplit.allCases.first(where: { $0.name == fields[1] }) else {
      throw fault("train, validation or test", fields[1])
    }
    self.split = split
    subject = fields[2]
    if fields[3].isEmpty {
      place = nil
    } else {
      place = Place(
        shard: try natural(3, "a shard's number"), number: try natural(4, "a number in the shard"),
        frames: try natural(5, "a number of frames"), mfcc: try digest(6), faces: try digest(7))
    }
    media = fields[8]
    notes = fields[9]
    error = fields[10]
    var labels: [Float] = []
    for field in fields.dropFirst(11) {
      if field.isEmpty {
        labels.append(.nan)
        continue
      }
      guard let value = decimalNumber(field), value >= 0, value <= 1 else { throw fault("a label from 0 to 1", field) }
      labels.append(Float(value))
    }
    self.labels = labels
    if let place, place.mfcc == nil && place.faces == nil || (place.mfcc == nil) != (place.frames == 0) {
      throw fault("a digest for each modality that the clip has", fields[3])
    }
  }
}

extension SHA256Digest {
  /// The digest of 64 hexadecimal digits; nil for anything else.
  fileprivate init?(hexadecimal text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 2 * SHA256Digest.byteCount else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in digits {
      let value: UInt8
      switch digit {
      case 0x30...0x39: value = digit - 0x30
      case 0x61...0x66: value = digit - 0x61 + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    self.init(bytes)
  }
}
