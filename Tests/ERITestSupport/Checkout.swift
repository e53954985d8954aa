import Foundation

/// The source tree that the tests were built from.
public enum Checkout {
  /// Its root.
  public static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A path in it.
  public static func path(_ relative: String) -> String { root.appendingPathComponent(relative).path }
}
