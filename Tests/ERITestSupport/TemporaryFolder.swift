import Foundation

/// An empty folder of its own, removed with all it holds when the last reference goes.
public final class TemporaryFolder: Sendable {
  /// Where it is.
  public let url: URL

  /// Makes the folder.
  public init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("eri-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of that name in the folder.
  public func path(_ name: String) -> String { url(name).path }

  /// The place of that name in the folder.
  public func url(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// Writes a file; returns its path.
  public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: url(name))
    return path(name)
  }

  /// The bytes of a file.
  public static func read(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// The bytes of a file in the folder.
  public func bytes(_ name: String) throws -> [UInt8] { try TemporaryFolder.read(path(name)) }

  /// Names of all it holds, sorted.
  public func entries() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
}
