import CERISystem
import Foundation
import Testing

@Suite("Replacing files")
struct WriterTests {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  /// Starts to replace a file of the folder, which must succeed.
  func start(_ name: String) throws -> OpaquePointer {
    var error: Int32 = -1
    let writer = try #require(eri_writer_create(folder.file(name), &error))
    #expect(error == 0)
    return writer
  }

  func append(_ text: String, to writer: OpaquePointer) {
    #expect(eri_writer_append(writer, Array(text.utf8), text.utf8.count) == 0)
  }

  /// The errno with which a path is refused.
  func refusal(_ path: String) -> Int32 {
    var error: Int32 = 0
    let writer = eri_writer_create(path, &error)
    #expect(writer == nil)
    eri_writer_abandon(writer)
    return error
  }

  func mode(_ name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.file(name))
    return try #require(attributes[.posixPermissions] as? Int)
  }

  @Test("A committed file holds what was appended and overwritten, and nothing else is left")
  func commit() throws {
    let writer = try start("a")
    append("hello ", to: writer)
    append("world", to: writer)
    #expect(eri_writer_overwrite(writer, Array("J".utf8), 1, 0) == 0)
    append("!", to: writer)
    #expect(eri_writer_commit(writer) == 0)
    #expect(try folder.read("a") == "Jello world!")
    #expect(try folder.names() == ["a"])
  }

  @Test("Until the commit the old content stands, and the temporary file is .NAME.XXXXXX beside it")
  func oldUntilCommit() throws {
    try folder.write("old", to: "a")
    let writer = try start("a")
    append("new", to: writer)
    #expect(try folder.read("a") == "old")
    let names = try folder.names()
    #expect(names.count == 2)
    #expect(names.contains { $0.hasPrefix(".a.") && $0.utf8.count == 9 })
    #expect(eri_writer_commit(writer) == 0)
    #expect(try folder.read("a") == "new")
  }

  @Test("Abandoning leaves the old content and no temporary file")
  func abandon() throws {
    try folder.write("old", to: "a")
    let writer = try start("a")
    append("new", to: writer)
    eri_writer_abandon(writer)
    #expect(try folder.read("a") == "old")
    #expect(try folder.names() == ["a"])
  }

  @Test("A commit whose rename fails reports it and leaves the old content")
  func failingRename() throws {
    try folder.write("old", to: "a")
    let writer = try start("a")
    append("new", to: writer)
    for name in try folder.names() where name != "a" { try FileManager.default.removeItem(atPath: folder.file(name)) }
    #expect(eri_writer_commit(writer) == -ENOENT)
    #expect(try folder.read("a") == "old")
  }

  @Test("A commit onto a path that became a folder removes the temporary file")
  func failingOntoFolder() throws {
    let writer = try start("a")
    append("new", to: writer)
    try FileManager.default.createDirectory(atPath: folder.file("a"), withIntermediateDirectories: false)
    #expect(eri_writer_commit(writer) == -EISDIR)
    #expect(try folder.names() == ["a"])
  }

  @Test("After a refused overwrite the commit fails with the same errno and leaves the old content")
  func failedWriteSticks() throws {
    try folder.write("old", to: "a")
    let writer = try start("a")
    append("new", to: writer)
    #expect(eri_writer_overwrite(writer, Array("xx".utf8), 2, 2) == -EINVAL)
    #expect(eri_writer_append(writer, Array("x".utf8), 1) == -EINVAL)
    #expect(eri_writer_commit(writer) == -EINVAL)
    #expect(try folder.read("a") == "old")
    #expect(try folder.names() == ["a"])
  }

  @Test("An overwrite whose range would wrap around is refused with EINVAL")
  func overwriteWraps() throws {
    let writer = try start("a")
    append("new", to: writer)
    #expect(eri_writer_overwrite(writer, Array("x".utf8), 1, .max) == -EINVAL)
    eri_writer_abandon(writer)
  }

  @Test("A folder, and a path that names one, are refused with EISDIR", arguments: ["", "/", "/.", "/.."])
  func folderRefused(suffix: String) {
    #expect(refusal(folder.path + suffix) == EISDIR)
  }

  @Test("An empty path is refused with ENOENT")
  func emptyRefused() {
    #expect(refusal("") == ENOENT)
  }

  @Test("A FIFO is refused with ENOTSUP and stays one")
  func pipeRefused() throws {
    try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
    #expect(refusal(folder.file("pipe")) == ENOTSUP)
    #expect(try folder.names() == ["pipe"])
  }

  @Test("A path in a missing folder is refused with ENOENT")
  func missingFolder() {
    #expect(refusal(folder.file("none/a")) == ENOENT)
  }

  @Test("A replaced file keeps its permissions", arguments: [0o600, 0o640, 0o755])
  func keepsMode(permissions: Int) throws {
    try folder.write("old", to: "a")
    try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: folder.file("a"))
    let writer = try start("a")
    #expect(eri_writer_commit(writer) == 0)
    #expect(try mode("a") == permissions)
  }

  @Test("A new file has the permissions that the umask leaves of 666")
  func newMode() throws {
    let plain = creat(folder.file("plain"), 0o666)
    try #require(plain >= 0)
    eri_file_close(plain)
    #expect(eri_writer_commit(try start("a")) == 0)
    #expect(try mode("a") == mode("plain"))
  }

  @Test("A symbolic link stays one, and what it points to is replaced")
  func link() throws {
    try folder.write("old", to: "target")
    try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "target")
    let writer = try start("link")
    append("new", to: writer)
    #expect(eri_writer_commit(writer) == 0)
    #expect(try folder.read("target") == "new")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link")) == "target")
  }

  @Test("A name of 255 bytes leaves room for the temporary file's")
  func longName() throws {
    let name = String(repeating: "n", count: 255)
    let writer = try start(name)
    append("new", to: writer)
    #expect(eri_writer_commit(writer) == 0)
    #expect(try folder.read(name) == "new")
  }

  @Test("Two writers of one file do not meet; the later commit wins")
  func twoWriters() throws {
    let first = try start("a")
    let second = try start("a")
    append("first", to: first)
    append("second", to: second)
    #expect(eri_writer_commit(second) == 0)
    #expect(eri_writer_commit(first) == 0)
    #expect(try folder.read("a") == "first")
    #expect(try folder.names() == ["a"])
  }
}
