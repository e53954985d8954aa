import CERISystem
import ERIFormat
import Glibc

/// Fills a cache's folder: shards as clips come in, and an index that names only shards that are whole.
///
/// Not for several threads at once.
final class CacheWriter {
  /// When a shard is full.
  struct ShardSize {
    var clips = 32
    var bytes = 32 << 20
  }

  /// zstd's level: higher ones save little on MFCC and pictures.
  private static let level = 2

  private let folder: String
  private let size: ShardSize
  private(set) var index: CacheIndex
  private var entries: [String: CacheIndex.Entry]
  private var nextShard: Int
  private var tensors: [Tensor] = []
  private var waiting: [CacheIndex.Entry] = []
  private var waitingBytes = 0
  /// Broken clips that the index does not have yet.
  private var unwritten = false
  /// Held open for its lock, which ends with the process however that ends.
  private let lock: Int32

  /// Opens a cache or makes an empty one, and keeps other processes from writing to it.
  /// - Throws: `DatasetError` if the folder holds something else, or was made with other preprocessing.
  init(
    folder: String, preprocessing: Preprocessing, labels: [String], size: ShardSize
  ) throws(DatasetError) {
    self.folder = folder
    self.size = size
    let status = eri_folder_create(folder)
    guard status >= 0 else {
      throw DatasetError(
        .notWritable, path: folder, expected: "a folder that exists or can be made",
        found: "\"\(String(cString: eri_error_message(status)))\"", advice: "choose another")
    }
    let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0, let names = fileNames(in: folder) else {
      throw DatasetError(
        .notWritable, path: folder, expected: "a folder that can be read", found: "another",
        advice: "check its permissions")
    }
    lock = descriptor
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw DatasetError(
        .notWritable, path: folder, expected: "a cache that nobody else is writing to",
        found: "one that another eri prepare has open", advice: "wait for it to end")
    }
    do throws(DatasetError) {
      index = try CacheWriter.opened(folder, names, preprocessing, labels)
      if names.isEmpty { try index.write(to: folder) }
    } catch {
      close(descriptor)
      throw error
    }
    entries = [:]
    nextShard = (names.compactMap { CacheWriter.shardNumber($0) }.max() ?? -1) + 1
    // Files that a killed process was writing.
    for name in fileNames(in: folder, hidden: true) ?? [] where CacheWriter.isTemporary(name) {
      unlink("\(folder)/\(name)")
    }
  }

  deinit { close(lock) }

  /// The index that is there, or an empty one for an empty folder.
  private static func opened(
    _ folder: String, _ names: [String], _ preprocessing: Preprocessing, _ labels: [String]
  ) throws(DatasetError) -> CacheIndex {
    guard names.contains(CacheIndex.fileName) else {
      guard names.isEmpty else {
        throw DatasetError(
          .notWritable, path: folder, expected: "an empty folder or a prepared cache",
          found: "a folder with \(names[0])",
          advice: "choose another")
      }
      return CacheIndex(preprocessing: preprocessing, labels: labels)
    }
    let index = try CacheIndex(folder: folder)
    if let difference = CacheSettings.difference(preprocessing, index.preprocessing) {
      throw DatasetError(
        .invalid, path: folder, expected: "a cache made with \(difference.expected)", found: difference.found,
        advice: "give the options it was made with or choose another folder")
    }
    return index
  }

  private static func shardNumber(_ name: String) -> Int? {
    guard name.hasPrefix("shard-"), name.hasSuffix(".eri") else { return nil }
    return Int(name.dropFirst(6).dropLast(4))
  }

  private static func isTemporary(_ name: String) -> Bool {
    name.hasPrefix(".shard-") || name.hasPrefix(".\(CacheIndex.fileName).")
  }

  // MARK: What is there

  /// Clips of the index whose tensors are in their shards, by ID; `report` is told of shards that are damaged.
  func soundEntries(report: (String) -> Void) -> [String: CacheIndex.Entry] {
    var sound: [String: CacheIndex.Entry] = [:]
    var byShard: [Int: [CacheIndex.Entry]] = [:]
    for entry in index.entries {
      if let place = entry.place { byShard[place.shard, default: []].append(entry) }
    }
    for (number, entries) in byShard.sorted(by: { $0.key < $1.key }) {
      do throws(DatasetError) {
        let shard = try Shard(path: "\(folder)/\(CacheIndex.shardName(number))")
        for entry in entries {
          if let place = entry.place { try shard.check(place, index.preprocessing) }
        }
        for entry in entries { sound[entry.id] = entry }
      } catch {
        report("\(error.sentence.withoutAdvice()); its \(entries.count) clips are prepared again")
      }
    }
    return sound
  }

  /// Starts the index anew with clips that are kept and clips that are broken before they are read.
  func begin(labels: [String], with kept: [CacheIndex.Entry]) throws(DatasetError) {
    let before = index
    index.labels = labels
    for entry in kept { entries[entry.id] = entry }
    collectEntries()
    if index.labels != before.labels || index.entries != before.entries { try index.write(to: folder) }
  }

  // MARK: What comes in

  /// Takes in a clip's tensors; writes a shard if that makes it full.
  func add(
    _ entry: CacheIndex.Entry, mfcc: [Float]?, faces: [UInt8]?, digests: (mfcc: SHA256Digest?, faces: SHA256Digest?)
  ) throws(DatasetError) {
    var entry = entry
    let number = waiting.count
    var place = CacheIndex.Entry.Place(
      shard: nextShard, number: number, frames: 0, mfcc: digests.mfcc, faces: digests.faces)
    if let mfcc, let audio = index.preprocessing.audio {
      place.frames = mfcc.count / audio.coefficientCount
      tensors.append(
        Tensor("\(number)/mfcc", [place.frames, audio.coefficientCount], role: .constant, floats: mfcc))
      waitingBytes += 4 * mfcc.count
    }
    if let faces, let video = index.preprocessing.video {
      tensors.append(
        Tensor(
          "\(number)/faces", .u8, [video.steps, video.height, video.width, 3], role: .constant, values: .bytes(faces)))
      waitingBytes += faces.count
    }
    entry.place = place
    waiting.append(entry)
    if waiting.count >= size.clips || waitingBytes >= size.bytes { try flush() }
  }

  /// Takes in a clip that cannot be used.
  func addBroken(_ entry: CacheIndex.Entry) {
    entries[entry.id] = entry
    unwritten = true
  }

  /// Writes what is waiting.
  func flush() throws(DatasetError) {
    if !waiting.isEmpty {
      let path = "\(folder)/\(CacheIndex.shardName(nextShard))"
      var shard = Model()
      shard.producer = "eri prepare \(ERIVersion)"
      shard.tensors = tensors
      do throws(FormatError) { try shard.write(to: path, level: CacheWriter.level) } catch {
        throw DatasetError(
          .notWritable, error.place.hasPrefix(path) ? error.description : error.inside(path).description)
      }
      nextShard += 1
      for entry in waiting { entries[entry.id] = entry }
    } else if !unwritten {
      return
    }
    (tensors, waiting, waitingBytes, unwritten) = ([], [], 0, false)
    collectEntries()
    try index.write(to: folder)
  }

  /// Removes shards that no clip lies in any more.
  func removeUnusedShards() {
    let used = Set(index.entries.compactMap { $0.place?.shard })
    for name in fileNames(in: folder) ?? [] {
      if let number = CacheWriter.shardNumber(name), !used.contains(number) { unlink("\(folder)/\(name)") }
    }
  }

  private func collectEntries() {
    index.entries = entries.values.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
  }
}

extension String {
  /// A sentence without what to do, which the caller does itself.
  fileprivate func withoutAdvice() -> String {
    guard let end = lastIndex(of: ";") else { return self }
    return String(self[..<end])
  }
}
