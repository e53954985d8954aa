/// A sound or video file that cannot be used, told in one sentence: file, place, expected, found, what to do.
package struct MediaError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What went wrong, for callers that act on it.
  package enum Kind: Equatable, Sendable {
    /// Nothing is at the path.
    case missing
    /// The path leads to a folder or a device.
    case notAFile
    /// The file has no bytes.
    case empty
    /// The system refuses to open or read the file.
    case unreadable
    /// The content is no sound or video container that is known here.
    case notMedia
    /// The container is known, but its content is damaged, cut off or contradictory.
    case damaged
    /// The file is sound, but needs a decoder that is not installed, or is a playlist of other files.
    case unsupported
    /// The file exceeds a limit of this module.
    case tooLong
    /// Memory ran out.
    case outOfMemory
  }

  /// The path as the caller gave it.
  package let path: String
  package let kind: Kind
  /// The whole message, without a trailing newline.
  package let sentence: String

  package var description: String { sentence }

  /// Joins the parts of a sentence; `place` is left out when the whole file is meant.
  init(
    _ kind: Kind, path: String, place: String? = nil, expected: String, found: String, advice: String
  ) {
    self.path = path
    self.kind = kind
    let location = place.map { "\(path), \($0)" } ?? path
    sentence = "\(location): expected \(expected), found \(found); \(advice)"
  }
}
