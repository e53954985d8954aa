/// What a file may need of its reader beyond the format's version; the raw value is the bit in the prologue's required features.
package enum Feature: UInt8, Sendable, CaseIterable {
  /// Tensors stand in skippable frames as they are, aligned for a map.
  case unpackedPayload = 0

  /// The name by which a reader that lacks it refuses the file.
  package var name: String {
    switch self {
    case .unpackedPayload: "unpacked payload"
    }
  }

  /// The format version that brought it.
  package var since: FormatVersion {
    switch self {
    case .unpackedPayload: FormatVersion(1, 0)
    }
  }

  /// The bit alone.
  var mask: UInt64 { 1 << UInt64(rawValue) }
}
