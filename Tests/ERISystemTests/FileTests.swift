import CERISystem
import Foundation
import Testing

@Suite("Reading files")
struct FileTests {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  /// Opens a file of the folder, which must succeed.
  func open(_ name: String) throws -> Int32 {
    let fd = eri_file_open_read(folder.file(name))
    try #require(fd >= 0)
    return fd
  }

  @Test("A folder is refused with EISDIR")
  func folderRefused() {
    #expect(eri_file_open_read(folder.path) == -EISDIR)
  }

  @Test("A device is refused with ENOTSUP")
  func deviceRefused() {
    #expect(eri_file_open_read("/dev/null") == -ENOTSUP)
  }

  @Test("A FIFO without a writer is refused at once with ENOTSUP")
  func pipeRefused() throws {
    try #require(mkfifo(folder.file("pipe"), 0o600) == 0)
    #expect(eri_file_open_read(folder.file("pipe")) == -ENOTSUP)
  }

  @Test("A missing file gives ENOENT")
  func missing() {
    #expect(eri_file_open_read(folder.file("none")) == -ENOENT)
  }

  @Test("A descriptor is not inherited by a started program")
  func closedOnExec() throws {
    try folder.write("x", to: "a")
    let fd = try open("a")
    defer { eri_file_close(fd) }
    #expect(fcntl(fd, F_GETFD) & FD_CLOEXEC != 0)
  }

  @Test("The size is the file's length in bytes")
  func size() throws {
    try folder.write("12345", to: "a")
    let fd = try open("a")
    defer { eri_file_close(fd) }
    #expect(eri_file_size(fd) == 5)
  }

  @Test("The size of a closed descriptor is EBADF")
  func sizeOfNothing() {
    #expect(eri_file_size(-1) == Int64(-EBADF))
  }

  @Test("A read at an offset gives those bytes")
  func readAt() throws {
    try folder.write("0123456789", to: "a")
    let fd = try open("a")
    defer { eri_file_close(fd) }
    var bytes = [UInt8](repeating: 0, count: 4)
    #expect(eri_file_read_at(fd, &bytes, 4, 6) == 0)
    #expect(bytes == Array("6789".utf8))
  }

  @Test("A read past the end gives ENODATA", arguments: [7, 10, 11, UInt64(Int64.max), UInt64.max - 1, .max])
  func readPastEnd(offset: UInt64) throws {
    try folder.write("0123456789", to: "a")
    let fd = try open("a")
    defer { eri_file_close(fd) }
    var bytes = [UInt8](repeating: 0, count: 4)
    #expect(eri_file_read_at(fd, &bytes, 4, offset) == -ENODATA)
  }

  @Test("A map shows the file's bytes, and shows them again after a discard")
  func map() throws {
    let text = String(repeating: "0123456789abcdef", count: 1024)
    try folder.write(text, to: "a")
    let fd = try open("a")
    var error: Int32 = -1
    let address = try #require(eri_file_map(fd, text.utf8.count, &error))
    eri_file_close(fd)
    defer { eri_file_unmap(address, text.utf8.count) }
    let bytes = UnsafeRawBufferPointer(start: address, count: text.utf8.count)
    #expect(error == 0)
    #expect(bytes.elementsEqual(text.utf8))
    eri_file_discard(address + 5000, 7000)
    #expect(bytes.elementsEqual(text.utf8))
  }

  @Test("A map longer than its file is refused with ENODATA")
  func mapTooLong() throws {
    try folder.write("12345", to: "a")
    let fd = try open("a")
    defer { eri_file_close(fd) }
    var error: Int32 = 0
    #expect(eri_file_map(fd, 6, &error) == nil)
    #expect(error == ENODATA)
  }

  @Test("A map of no bytes is refused with EINVAL")
  func mapOfNothing() throws {
    try folder.write("", to: "a")
    let fd = try open("a")
    defer { eri_file_close(fd) }
    var error: Int32 = 0
    #expect(eri_file_map(fd, 0, &error) == nil)
    #expect(error == EINVAL)
  }

  @Test("A folder is made with its missing parents, and again without complaint", arguments: ["a/b/c", "a//b/", "a"])
  func folders(path: String) throws {
    #expect(eri_folder_create(folder.file(path)) == 0)
    #expect(eri_folder_create(folder.file(path)) == 0)
    var isFolder: ObjCBool = false
    #expect(FileManager.default.fileExists(atPath: folder.file(path), isDirectory: &isFolder) && isFolder.boolValue)
  }

  @Test("A folder under a file is refused with ENOTDIR", arguments: ["file", "file/b"])
  func folderUnderFile(path: String) throws {
    try folder.write("x", to: "file")
    #expect(eri_folder_create(folder.file(path)) == -ENOTDIR)
  }

  @Test("Writing to a descriptor delivers every byte through a full pipe, blocking or not", arguments: [false, true])
  func writeDescriptor(nonBlocking: Bool) throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    if nonBlocking { try #require(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0) }
    let count = 1_000_000
    let sent = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let output = ends[1]
    let writer = Thread {
      _ = eri_write_descriptor(output, sent, count)
      close(output)
    }
    writer.start()
    let received = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true).readDataToEndOfFile()
    #expect(received.elementsEqual(sent))
  }

  @Test("An errno has its message, whichever its sign")
  func messages() {
    #expect(String(cString: eri_error_message(ENOENT)) == "No such file or directory")
    #expect(String(cString: eri_error_message(-ENOENT)) == "No such file or directory")
    #expect(String(cString: eri_error_message(100_000)) == "Unknown error")
  }

  @Test("An environment variable is read, and an unset one is nothing")
  func environment() throws {
    let path = try #require(eri_environment("PATH"))
    #expect(String(cString: path) == ProcessInfo.processInfo.environment["PATH"])
    #expect(eri_environment("ERI_NO_SUCH_VARIABLE") == nil)
  }
}
