import CERISystem
import ERITestSupport
import Foundation
import Testing

@Suite struct InsideFolderTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(at: folder.url("a/b"), withIntermediateDirectories: true)
    _ = try folder.write("a/b/file", [7])
    try FileManager.default.createSymbolicLink(at: folder.url("a/link"), withDestinationURL: folder.url("a/b/file"))
    try FileManager.default.createSymbolicLink(at: folder.url("a/to"), withDestinationURL: folder.url("a/b"))
  }

  private func open(_ path: String) -> Int32 {
    let descriptor = eri_file_open_read_inside(folder.path("a"), path)
    if descriptor >= 0 { eri_file_close(descriptor) }
    return min(descriptor, 0)
  }

  @Test func `A file below the folder is opened`() {
    #expect(open("b/file") == 0)
    #expect(eri_file_open_read_inside(folder.path("none"), "file") == -ENOENT)
  }

  @Test(arguments: [
    ("../a/b/file", EPERM), ("b/../b/file", EPERM), ("/etc/hostname", EPERM), ("b//file", EPERM), ("./b/file", EPERM),
    ("", EPERM), ("b/", EPERM), ("link", ELOOP), ("to/file", ELOOP), ("b/none", ENOENT), ("b", EISDIR),
    ("b/file/x", ENOTDIR),
  ])
  func `What leads out of the folder, or is no file, is refused`(_ path: String, _ error: Int32) {
    #expect(open(path) == -error)
  }
}
