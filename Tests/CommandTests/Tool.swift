import ERITestSupport
import Foundation

/// A tool of this package, as it was built beside the tests.
enum Tool: String, CaseIterable, Sendable {
  case eri
  case device = "eri-run"

  private static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  /// The program.
  var path: String { Tool.folder.appendingPathComponent(rawValue).path }

  /// What the tool printed and its exit code.
  struct Outcome: Equatable {
    var output: String
    var errors: String
    var status: Int32

    init(_ output: String = "", errors: String = "", status: Int32 = 0) {
      self.output = output
      self.errors = errors
      self.status = status
    }
  }

  /// Runs the tool in a folder, so that the paths it prints are the ones that were given.
  func run(_ arguments: [String], in folder: TemporaryFolder) throws -> Outcome {
    let result = try Command.run([path] + arguments, in: folder.url)
    return Outcome(result.text, errors: result.errors, status: result.status)
  }

  /// Runs the tool with words separated by spaces.
  func run(_ words: String, in folder: TemporaryFolder) throws -> Outcome {
    try run(words.split(separator: " ").map { String($0) }, in: folder)
  }
}

/// What a line of JSON holds.
func object(_ line: some StringProtocol) throws -> [String: Any] {
  guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
    throw NotAnObject()
  }
  return object
}

/// A line that is no JSON object.
struct NotAnObject: Error {}
