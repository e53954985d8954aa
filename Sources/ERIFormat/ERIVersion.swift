/// The release of this library, as the files that it writes record it.
public let ERIVersion = "0.1.0"

/// A version of the file format.
package struct FormatVersion: Equatable, Sendable {
  package let major: UInt16
  package let minor: UInt16

  package init(_ major: UInt16, _ minor: UInt16) {
    self.major = major
    self.minor = minor
  }

  /// The newest version this reader knows whole, and the lowest that can express every model it writes.
  package static let current = FormatVersion(1, 0)

  /// "1.0".
  package var text: String { "\(major).\(minor)" }
}
