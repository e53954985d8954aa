package import ERIFormat

extension Checkpoint {
  /// The digest of every tensor's values, in order.
  package func tensorDigests() throws(FormatError) -> [SHA256Digest] {
    var digests: [SHA256Digest] = []
    digests.reserveCapacity(entries.count)
    for entry in entries {
      do throws(FormatError) { digests.append(try entry.tensor.digest()) } catch {
        throw error.place.hasPrefix(path) ? error : error.inside("tensor \"\(entry.tensor.name)\"").inside(path)
      }
    }
    return digests
  }

  /// The weights digest (FORMAT.md), given the tensors' own.
  package func weightsDigest(_ tensorDigests: [SHA256Digest]) -> SHA256Digest {
    WeightsDigest.of(entries.map { $0.tensor }, tensorDigests)
  }
}
