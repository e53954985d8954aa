import ERIFormat
import Testing

@testable import ERIConvert

@Suite struct NamePatternTests {
  /// What a pattern and a template make of a name; nil if the pattern does not fit.
  private func renamed(_ name: String, _ left: String, _ right: String) throws -> String? {
    let pattern = try NamePattern(left)
    guard let captures = pattern.match(Array(name.utf8)) else { return nil }
    return try NameTemplate(right, capturedBy: pattern).filled(captures).map { String(decoding: $0, as: UTF8.self) }
  }

  static let fitting: [(name: String, left: String, right: String, result: String?)] = [
    ("conv1.weight", "conv1.weight", "stem.w", "stem.w"),
    ("conv1.weight2", "conv1.weight", "stem.w", nil),
    ("a.conv1.weight", "conv1.weight", "stem.w", nil),
    ("features.10.bias", "features.{i}.bias", "layer{i}.bias", "layer10.bias"),
    ("stages.0.layers.1", "stages.{s}.layers.{b}", "layer{s+1}.{b}", "layer1.1"),
    ("norm2.x", "norm{k}.x", "norm{k-1}.x", "norm1.x"),
    ("norm0.x", "norm{k}.x", "norm{k-1}.x", nil),
    // A number has one way to be written.
    ("features.01.bias", "features.{i}.bias", "x{i}", nil),
    ("features.1234567890.bias", "features.{i}.bias", "x{i}", nil),
    ("features.x.bias", "features.{i}.bias", "x{i}", nil),
    // A part ends at a dot or a slash.
    ("bn1.running_mean", "bn1.{r*}", "n.{r}", "n.running_mean"),
    ("bn1.a.b", "bn1.{r*}", "n.{r}", nil),
    ("bn1/a/b", "bn1/{r*}/b", "n.{r}", "n.a"),
    ("bn1.", "bn1.{r*}", "n.{r}", nil),
    // Any text is at least one byte, and as long as what follows allows.
    ("a.b.weight.weight", "{p**}.weight", "{p}.w", "a.b.weight.w"),
    (".weight", "{p**}.weight", "{p}.w", nil),
    ("x.down.0.gamma", "{p**}.down.{i}.gamma", "{p}/{i}", "x/0"),
    ("größe.weight", "{p**}.weight", "{p}", "größe"),
  ]

  @Test(arguments: fitting.indices) func `a pattern captures and a template inserts`(_ index: Int) throws {
    let fitting = Self.fitting[index]
    #expect(try renamed(fitting.name, fitting.left, fitting.right) == fitting.result)
  }

  static let refused: [(left: String, right: String, message: String)] = [
    ("a.{i", "x", "expected braces in pairs, found a.{i"),
    ("a.{{i}}", "x", "expected braces in pairs, found a.{{i}}"),
    ("a}", "x", "expected braces in pairs, found a}"),
    ("a.{I}", "x", "expected {i}, {name*} or {name**}, found {I}"),
    ("a.{i***}", "x", "expected {i}, {name*} or {name**}, found {i***}"),
    ("a.{}", "x", "expected {i}, {name*} or {name**}, found {}"),
    ("{i}.{i}", "x", "expected each capture once in a pattern, found {i} twice"),
    ("{i}{j}", "x", "expected text between two captures, found none after {i}"),
    ("{i}0", "x", "expected no digit after the number {i}, found one"),
    ("{p*}x", "x", "expected . or / after {p*}, found other text"),
    ("{p**}.{q**}", "x", "expected one {name**} in a pattern, found two"),
    ("a.{i}", "x{j}", "expected what the pattern captures, found {j}"),
    ("a.{p*}", "x{p+1}", "expected a number to add to a captured number, found {p+1}"),
    ("a.{i}", "x{i+}", "expected a number to add to a captured number, found {i+}"),
    ("a.{i}", "x{i+70000}", "expected a number to add to a captured number, found {i+70000}"),
  ]

  @Test(arguments: refused.indices) func `what can be read in two ways, or in none, is refused`(_ index: Int) throws {
    let refused = Self.refused[index]
    #expect(throws: FormatError(.invalid, at: "", refused.message)) {
      try NameTemplate(refused.right, capturedBy: NamePattern(refused.left))
    }
  }

  @Test func `a hostile name takes time in proportion to its length`() throws {
    let pattern = try NamePattern("{p**}.a.{i}.b.{q*}.c")
    let name = Array(String(repeating: ".a.1.b.x", count: 10_000).utf8)
    #expect(pattern.match(name) == nil)
  }
}
