import ERICommands
import Foundation

/// The clips that arguments name: files as they are, folders by the files in them.
struct ClipPaths {
  struct Clip {
    let path: String
    /// Found in a folder, not named: passed over if it is no clip.
    let isFromFolder: Bool
  }

  let clips: [Clip]

  /// - Throws: `CommandFailure` if a folder cannot be listed or holds no file.
  init(_ arguments: [String]) throws(CommandFailure) {
    var clips: [Clip] = []
    for argument in arguments {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder), isFolder.boolValue else {
        clips.append(Clip(path: argument, isFromFolder: false))
        continue
      }
      guard let names = try? FileManager.default.contentsOfDirectory(atPath: argument) else {
        throw CommandFailure(
          .invalid, "\(argument): expected a folder that can be listed, found one that cannot; check its permissions")
      }
      let files = names.sorted().filter { !$0.hasPrefix(".") }.map {
        argument + (argument.hasSuffix("/") ? "" : "/") + $0
      }
      .filter { FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder.boolValue }
      guard !files.isEmpty else {
        throw CommandFailure(.invalid, "\(argument): expected clips in the folder, found no file")
      }
      clips += files.map { Clip(path: $0, isFromFolder: true) }
    }
    self.clips = clips
  }
}
