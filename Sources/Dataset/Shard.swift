import CERISystem
import ERIFormat

/// An open file of a cache: tensors of up to some dozens of clips, `NUMBER/mfcc` and `NUMBER/faces`.
struct Shard: Sendable {
  let path: String
  private let model: Model
  private let tensors: [String: Int]

  init(path: String) throws(DatasetError) {
    self.path = path
    do throws(FormatError) { model = try Model(reading: path) } catch {
      throw DatasetError(
        error.kind == .unsupported ? .unsupported : .unreadable,
        error.description + "; run eri prepare again to make its clips anew")
    }
    var tensors: [String: Int] = [:]
    for (index, tensor) in model.tensors.enumerated() { tensors[tensor.name] = index }
    self.tensors = tensors
  }

  /// Checks that a tensor is there with this type, shape and digest, without reading its values.
  func tensor(
    _ name: String, _ dtype: DType, _ shape: [Int], _ digest: SHA256Digest
  ) throws(DatasetError) -> Tensor {
    func fault(_ expected: String, _ found: String) -> DatasetError {
      DatasetError(
        .invalid, path: path, place: "tensor \"\(name)\"", expected: expected, found: found,
        advice: "run eri prepare again to make its clips anew")
    }
    guard let index = tensors[name] else { throw fault("it as the index has it", "none of that name") }
    let tensor = model.tensors[index]
    guard tensor.dtype == dtype, tensor.shape == shape else {
      throw fault(
        "\(dtype.name) \(shapeText(shape)) as the index has it", "\(tensor.dtype.name) \(shapeText(tensor.shape))")
    }
    let found: SHA256Digest
    do throws(FormatError) { found = try tensor.digest() } catch {
      throw DatasetError(.unreadable, error.inside(path).description)
    }
    guard found == digest else { throw fault("SHA-256 \(digest.text) as the index has it", found.text) }
    return tensor
  }

  /// Checks that a clip's tensors are there, without reading their values.
  func check(_ place: CacheIndex.Entry.Place, _ preprocessing: Preprocessing) throws(DatasetError) {
    if let digest = place.mfcc {
      let coefficients = preprocessing.audio?.coefficientCount ?? 0
      _ = try tensor("\(place.number)/mfcc", .f32, [place.frames, coefficients], digest)
    }
    if let digest = place.faces {
      let (steps, side) = (preprocessing.video?.steps ?? 0, preprocessing.video?.height ?? 0)
      _ = try tensor("\(place.number)/faces", .u8, [steps, side, side, 3], digest)
    }
  }

  /// Reads a tensor's values; `Element` has its type.
  func values<Element: BitwiseCopyable>(of tensor: Tensor, zero: Element) throws(DatasetError) -> [Element] {
    // An array that finds no memory ends the process, so ask first.
    guard let count = tensor.elementCount, let byteCount = tensor.byteCount,
      byteCount == count * MemoryLayout<Element>.stride, let probe = eri_memory_allocate(byteCount)
    else {
      throw DatasetError(
        .unreadable, path: path, place: "tensor \"\(tensor.name)\"", expected: "memory for its values",
        found: "none left",
        advice: "close other programs")
    }
    eri_memory_free(probe)
    do throws(FormatError) { return try tensor.elements(zero: zero) } catch {
      throw DatasetError(.unreadable, error.description + "; run eri prepare again to make its clips anew")
    }
  }
}

/// The shards of a cache that are open, so that a sample costs no opening; the longest unused is closed when there are many.
final class OpenShards {
  /// Open files at most: a process may usually have 1024.
  private static let most = 256

  private let folder: String
  private var shards: [Int: (shard: Shard, used: UInt64)] = [:]
  private var clock: UInt64 = 0

  init(folder: String) { self.folder = folder }

  func shard(_ number: Int) throws(DatasetError) -> Shard {
    clock += 1
    if let open = shards[number] {
      shards[number]?.used = clock
      return open.shard
    }
    if shards.count >= OpenShards.most, let oldest = shards.min(by: { $0.value.used < $1.value.used })?.key {
      shards[oldest] = nil
    }
    let shard = try Shard(path: "\(folder)/\(CacheIndex.shardName(number))")
    shards[number] = (shard, clock)
    return shard
  }
}
