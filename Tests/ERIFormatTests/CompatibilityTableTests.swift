import ERITestSupport
import Foundation
import Testing

@testable import ERIFormat

/// The table of releases that `eri compat` reads, written anew from the frozen files and from what the code says of itself.
@Suite struct CompatibilityTableTests {
  private static let path = Checkout.path("Sources/Convert/Verify/CompatibilityTable.swift")

  /// Paths of the frozen files below Tests/Golden, in order.
  private static func frozen() throws -> [String] {
    let root = Checkout.path("Tests/Golden")
    return try FileManager.default.contentsOfDirectory(atPath: root).filter { $0.hasPrefix("v") }.sorted().flatMap {
      version in
      try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(version)").filter { $0.hasSuffix(".eri") }.sorted()
        .map { "\(version)/\($0)" }
    }
  }

  private static func version(_ version: FormatVersion) -> String {
    "FormatVersion(\(version.major), \(version.minor))"
  }

  private struct Release {
    let version: String
    let format: FormatVersion
    var frozen: [String]
  }

  /// Each release that froze a file, and this one.
  private static func releases() throws -> [Release] {
    var releases: [Release] = []
    for path in try frozen() {
      let model = try Model(reading: Checkout.path("Tests/Golden/\(path)"))
      let file = try #require(model.file)
      let version = model.producer.split(separator: " ").last.map { String($0) } ?? ""
      if let index = releases.firstIndex(where: { $0.version == version }) {
        releases[index].frozen.append(path)
      } else {
        releases.append(Release(version: version, format: file.version, frozen: [path]))
      }
    }
    if !releases.contains(where: { $0.version == ERIVersion }) {
      releases.append(Release(version: ERIVersion, format: .current, frozen: []))
    }
    return releases
  }

  private static func text() throws -> String {
    var text = """
      import ERIFormat

      // Written by scripts/compatibility-table from the frozen files and the versions that operators, features and types carry; a
      // test fails while it is out of step.
      // swift-format-ignore
      extension Compatibility {
        /// Releases of the runtime, oldest first.
        static let releases: [Release] = [

      """
    for release in try releases() {
      let files = release.frozen.map { "\"\($0)\"" }.joined(separator: ", ")
      text +=
        "    Release(version: \"\(release.version)\", format: \(version(release.format)), frozen: [\(files)]),\n"
    }
    text += """
        ]

        /// What files may need, and the format that brought it.
        static let parts: [Part] = [

      """
    for op in `Table of operators`.operators.map({ $0.identity }) {
      text += part("op", op.name, op.version, op.since)
    }
    for feature in Feature.allCases { text += part("feature", feature.name, 1, feature.since) }
    for dtype in DType.allCases { text += part("dtype", dtype.name, 1, dtype.since) }
    return text + "  ]\n}\n"
  }

  private static func part(_ kind: String, _ name: String, _ version: UInt32, _ since: FormatVersion) -> String {
    "    Part(kind: .\(kind), name: \"\(name)\", version: \(version), since: \(Self.version(since))),\n"
  }

  @Test func `the committed table is what the frozen files and the code say`() throws {
    let text = try Self.text()
    if ProcessInfo.processInfo.environment["ERI_WRITE_COMPATIBILITY"] != nil {
      try text.write(toFile: Self.path, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOfFile: Self.path, encoding: .utf8) == text, "run scripts/compatibility-table")
  }

  @Test func `a frozen file needs nothing that its own format did not have`() throws {
    for path in try Self.frozen() {
      let model = try Model(reading: Checkout.path("Tests/Golden/\(path)"))
      let format = try #require(model.file).version
      for node in model.graph?.nodes ?? [] {
        let since = node.op.identity.since
        #expect((since.major, since.minor) <= (format.major, format.minor), "\(path): \(node.op.identity.name)")
      }
    }
  }
}
