import ERIConvert
import ERIFormat
import ERITestSupport

/// Reads all that a file of these bytes holds; the error without the folder's path, or nil if nothing was refused.
func refusal(_ bytes: [UInt8], in folder: TemporaryFolder, name: String = "file") throws -> FormatError? {
  let path = try folder.write(name, bytes)
  do throws(FormatError) {
    let checkpoint = try Checkpoint(reading: path)
    for entry in checkpoint.entries { _ = try entry.tensor.bytes() }
    return nil
  } catch {
    let place = error.place == path ? "" : String(error.place.dropFirst(path.count + 2))
    guard error.place.hasPrefix(path) else { throw error }
    return FormatError(error.kind, at: place, error.message)
  }
}
