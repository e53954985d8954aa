import Glibc

/// Finds clips' files in a dataset's folder, by their IDs.
///
/// The folders {split}/mp4, {split}/wav, mp4, wav, video, audio and the dataset's own are looked at, each listed once.
package struct MediaFiles {
  /// Endings of files that hold pictures and usually sound, in small letters.
  package static let videoExtensions = [
    "mp4", "webm", "mkv", "mov", "avi", "m4v", "mpg", "mpeg", "ogv", "wmv", "flv", "ts", "3gp",
  ]
  /// Endings of files that hold sound, in small letters.
  package static let soundExtensions = [
    "wav", "ogg", "oga", "opus", "flac", "mp3", "m4a", "aac", "aif", "aiff", "au", "wma",
  ]

  private let folder: String
  /// Of each folder listed so far, the files by their names without endings.
  private var listings: [String: [String: [File]]] = [:]

  private struct File {
    let path: String
    let isVideo: Bool
  }

  package init(folder: String) { self.folder = folder }

  /// The files of a clip, video and sound of one ID being allowed to lie in two files.
  /// - Throws: `DatasetError` if there is none, or several of a kind.
  package mutating func media(of id: String, _ split: DatasetSplit) throws(DatasetError) -> ClipMedia {
    var hits: [File] = []
    for place in MediaFiles.places(split) { hits += files(place)[id] ?? [] }
    let videos = hits.filter { $0.isVideo }
    let sounds = hits.filter { !$0.isVideo }
    switch (videos.count, sounds.count) {
    case (0, 0):
      throw DatasetError(
        .unreadable, path: folder, place: "clip \(id)",
        expected:
          "a file \(id).mp4, .wav or the like in \(split.words[0])/mp4, \(split.words[0])/wav, mp4, wav, video, audio "
          + "or the folder itself",
        found: "none", advice: "add the file or remove the line")
    case (1, 0): return ClipMedia(path: videos[0].path)
    case (0, 1): return ClipMedia(path: sounds[0].path)
    case (1, 1): return ClipMedia(video: videos[0].path, sound: sounds[0].path)
    default:
      throw DatasetError(
        .invalid, path: folder, place: "clip \(id)", expected: "one video file, one sound file or one of each",
        found: hits.map { $0.path }.joined(separator: ", "), advice: "move all but one of a kind elsewhere")
    }
  }

  private static func places(_ split: DatasetSplit) -> [String] {
    split.words.flatMap { ["\($0)/mp4", "\($0)/wav"] } + ["mp4", "wav", "video", "audio", ""]
  }

  private mutating func files(_ place: String) -> [String: [File]] {
    if let listing = listings[place] { return listing }
    var listing: [String: [File]] = [:]
    let path = place.isEmpty ? folder : "\(folder)/\(place)"
    for name in fileNames(in: path) ?? [] {
      guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { continue }
      let ending = name[name.index(after: dot)...].lowercased()
      let isVideo = MediaFiles.videoExtensions.contains(ending)
      guard isVideo || MediaFiles.soundExtensions.contains(ending) else { continue }
      listing[String(name[..<dot]), default: []].append(File(path: "\(path)/\(name)", isVideo: isVideo))
    }
    listings[place] = listing
    return listing
  }
}

/// Sorted names in a folder, without those that begin with a dot; nil if it cannot be listed.
func fileNames(in folder: String, hidden: Bool = false) -> [String]? {
  guard let stream = opendir(folder) else { return nil }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
      tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: entry.pointee.d_name)) {
        String(cString: $0)
      }
    }
    if name.hasPrefix(".") != hidden || name == "." || name == ".." { continue }
    names.append(name)
  }
  return names.sorted()
}

/// A file's name below `folder`, size and time of change, to see whether it changed; empty if it cannot be seen.
func fileStamp(_ path: String, below folder: String) -> String {
  var information = stat()
  guard stat(path, &information) == 0 else { return "" }
  let name = path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.utf8.count + 1)) : path
  return "\(name) \(information.st_size) \(information.st_mtim.tv_sec).\(information.st_mtim.tv_nsec)"
}
