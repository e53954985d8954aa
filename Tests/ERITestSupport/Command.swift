import Foundation

/// Runs other programs, as the tests of formats and tools need.
public enum Command {
  /// What a program printed and how it ended.
  public struct Result: Sendable {
    /// The exit code.
    public let status: Int32
    /// What it wrote to standard output.
    public let output: [UInt8]
    /// What it wrote to standard error.
    public let errors: String

    /// The output as text.
    public var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Why a program could not be run or did not end well.
  public struct Failure: Error, CustomStringConvertible {
    /// The command, its exit code and its errors.
    public let description: String
  }

  /// Runs a program found on PATH (or by its path) to its end.
  /// - Parameters:
  ///   - arguments: the program, then its arguments.
  ///   - input: bytes for its standard input.
  ///   - folder: its working folder; nil: this process's.
  ///   - environment: variables set in addition to this process's.
  public static func run(
    _ arguments: [String], input: [UInt8] = [], in folder: URL? = nil, environment: [String: String] = [:]
  ) throws -> Result {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let inputFile = temporary.url("stdin")
    let outputFile = temporary.url("stdout")
    let errorFile = temporary.url("stderr")
    // Files instead of pipes: no program can block on a full pipe, however much it prints.
    for (url, bytes) in [(inputFile, input), (outputFile, []), (errorFile, [])] { try Data(bytes).write(to: url) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: [UInt8](try Data(contentsOf: outputFile)),
      errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
  }

  /// Runs a program that must end with status 0; returns what it printed.
  public static func output(_ arguments: [String], input: [UInt8] = [], in folder: URL? = nil) throws -> [UInt8] {
    let result = try run(arguments, input: input, in: folder)
    guard result.status == 0 else {
      throw Failure(description: "\(arguments.joined(separator: " ")): status \(result.status): \(result.errors)")
    }
    return result.output
  }
}
