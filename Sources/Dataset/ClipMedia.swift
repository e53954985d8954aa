/// The files of one clip: where its pictures and its sound are. A file that holds both is both.
package struct ClipMedia: Equatable, Sendable {
  package let video: String
  package let sound: String

  /// A clip in one file.
  package init(path: String) { (video, sound) = (path, path) }

  /// A clip whose pictures and sound lie in two files.
  package init(video: String, sound: String) { (self.video, self.sound) = (video, sound) }

  /// The paths, for messages.
  package var name: String { video == sound ? video : "\(video) and \(sound)" }
}
