import ERIFormat
import ERITestSupport
import Foundation
import Testing

@testable import ERIConvert

@Suite struct NameMapTests {
  static let refused: [(text: String, place: String, message: String)] = [
    ("", "m", "expected a map with rules, found none"),
    ("map x\n# keep a\n", "m", "expected a map with rules, found none"),
    (
      "keep a\nmove a -> b", "m: line 2",
      "expected map, under, note, strip, keep, rename, transpose, split, merge, alias, drop or fill, found move"
    ),
    ("map two words", "m: line 1", "expected a map's name, found 2 words"),
    ("strip", "m: line 1", "expected a prefix, found 0 words"),
    ("keep a b", "m: line 1", "expected a pattern, found 2 words"),
    ("drop a.{i", "m: line 1", "expected braces in pairs, found a.{i"),
    ("rename a b", "m: line 1", "expected rename PATTERN -> NAME, found rename a b"),
    ("rename a ->", "m: line 1", "expected rename PATTERN -> NAME, found rename a ->"),
    ("rename a -> b, c", "m: line 1", "expected rename PATTERN -> NAME, found rename a -> b, c"),
    ("rename a -> b -> c", "m: line 1", "expected rename PATTERN -> NAME, found rename a -> b -> c"),
    ("split a -> b", "m: line 1", "expected split PATTERN -> NAME, found split a -> b"),
    ("merge a -> b", "m: line 1", "expected merge PATTERN -> NAME, found merge a -> b"),
    ("transpose 0,2 a -> b", "m: line 1", "expected every axis once, as in 3,2,0,1, found 0,2"),
    (
      "transpose 0,1,2,3,4,5,6,7,8 a -> b", "m: line 1",
      "expected every axis once, as in 3,2,0,1, found 0,1,2,3,4,5,6,7,8"
    ),
    ("fill one a", "m: line 1", "expected fill VALUE PATTERN, found fill one a"),
    ("fill inf a", "m: line 1", "expected fill VALUE PATTERN, found fill inf a"),
  ]

  @Test(arguments: refused.indices) func `a map that cannot be read names the line`(_ index: Int) throws {
    let refused = Self.refused[index]
    #expect(throws: FormatError(.invalid, at: refused.place, refused.message)) {
      try NameMap(Array(refused.text.utf8), at: "m")
    }
  }

  @Test func `a map that is no text or too long is refused`() throws {
    #expect(throws: FormatError(.invalid, at: "m", "expected a map in UTF-8, found other bytes")) {
      try NameMap([0xFF], at: "m")
    }
    let folder = try TemporaryFolder()
    let path = try folder.write("m", [UInt8](repeating: 0x0A, count: 1 << 20 + 1))
    #expect(
      throws: FormatError(.limitExceeded, at: path, "expected a map of at most 1048576 bytes, found 1048577")
    ) { try NameMap(reading: path) }
  }

  @Test func `comments, empty lines and carriage returns mean nothing`() throws {
    let map = try NameMap(Array("# one\r\n\n  keep a \r\n\tmap  x\n".utf8), at: "m")
    #expect(map.name == "x")
    #expect(map.rules.map(\.text) == ["keep a"])
  }

  @Test func `the build embeds the maps of the tree, each under its own name`() throws {
    let folder = URL(fileURLWithPath: Checkout.path("Sources/Convert/Maps"))
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(NameMap.embedded.map { "\($0.file).map" }.sorted() == files)
    for (file, bytes) in NameMap.embedded {
      #expect(try [UInt8](Data(contentsOf: folder.appendingPathComponent("\(file).map"))) == bytes)
    }
    #expect(try NameMap.builtIn().map(\.name) == NameMap.embedded.map(\.file))
  }
}
