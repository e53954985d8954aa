import Foundation

extension TemporaryFolder {
  /// What a failing ffmpeg was asked.
  public struct FFmpegFailure: Error {
    /// The words of the command.
    public let command: String
  }

  /// Makes a file with ffmpeg; the arguments stand before its name. Returns its path.
  public func ffmpeg(_ name: String, _ arguments: String...) throws -> String {
    try ffmpeg(name, arguments: arguments)
  }

  /// The same with the arguments as an array.
  public func ffmpeg(_ name: String, arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-bitexact"] + arguments + [path(name)]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw FFmpegFailure(command: (process.arguments ?? []).joined(separator: " "))
    }
    return path(name)
  }
}
