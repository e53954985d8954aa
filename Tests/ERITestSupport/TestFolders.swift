import Foundation

/// Where tests find files that do not come from their own code.
package enum TestFolders {
  /// Tests/Golden of this checkout.
  package static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Golden")

  /// Real media and checkpoints that are not part of the tree: ERI_SHARED_DATA, or shared/data beside the checkout.
  /// Nil where there are none; tests that need them are then skipped.
  package static let sharedData: URL? = {
    let folder =
      ProcessInfo.processInfo.environment["ERI_SHARED_DATA"].map { URL(fileURLWithPath: $0) }
      ?? golden.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared/data")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()
}
