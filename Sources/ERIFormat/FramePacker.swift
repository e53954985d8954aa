import CERISystem

/// Packs frames on several threads, beside them digesting the tensors' bytes; what it makes does not depend on their number.
///
/// One caller at a time.
final class FramePacker {
  /// One frame before packing.
  struct Source {
    let bytes: UnsafeRawBufferPointer
    /// The byte planes' element size, or 0 for none.
    let planeBytes: Int
  }

  /// A frame as packed; its bytes are valid until the next batch.
  struct Packed {
    let bytes: UnsafeRawBufferPointer
    let checksum: UInt32
  }

  /// The SHA-256 of a tensor whose bytes come in pieces.
  final class Digester {
    private var state = SHA256()

    func update(_ bytes: UnsafeRawBufferPointer) { state.update(bytes) }
    var finished: SHA256Digest { state.finished() }
  }

  /// Frames that one batch may have.
  let batchFrames: Int
  private let pool: OpaquePointer
  private let compressors: [FrameCompressor]
  private let outputs: UnsafeMutableRawBufferPointer
  private let outputBytes: Int

  // The batch that the threads work on.
  private var sources: [Source] = []
  private var pieces: [(digester: Digester, bytes: UnsafeRawBufferPointer)] = []
  private var samples: [(bytes: UnsafeRawBufferPointer, elementBytes: Int)] = []
  private let results: UnsafeMutablePointer<Result<Packed, FormatError>?>
  private let filters: UnsafeMutablePointer<Result<Int, FormatError>?>

  /// - Parameters:
  ///   - level: zstd's, from 1 to 22.
  ///   - threads: from 1 to 1024.
  init(level: Int, threads: Int) throws(FormatError) {
    guard (1...1024).contains(threads) else {
      throw FormatError(.invalid, at: "", "expected 1 to 1024 threads, found \(threads)")
    }
    var compressors: [FrameCompressor] = []
    for _ in 0..<threads { compressors.append(try FrameCompressor(level: level)) }
    outputBytes = Frame.largestStored(Limits.frameBytes)
    // Enough that the threads seldom wait for the last frame of a batch; little beside a large tensor.
    batchFrames = 4 * max(2, threads)
    guard let memory = eri_memory_allocate(batchFrames * outputBytes) else { throw noMemory("packed frames") }
    guard let pool = eri_pool_create(threads) else {
      eri_memory_free(memory)
      throw FormatError(.inputOutput, at: "", "expected \(threads) threads, found that the system makes fewer")
    }
    self.compressors = compressors
    self.pool = pool
    outputs = UnsafeMutableRawBufferPointer(start: memory, count: batchFrames * outputBytes)
    results = .allocate(capacity: batchFrames)
    results.initialize(repeating: nil, count: batchFrames)
    filters = .allocate(capacity: batchFrames)
    filters.initialize(repeating: nil, count: batchFrames)
  }

  deinit {
    eri_pool_free(pool)
    eri_memory_free(outputs.baseAddress)
    results.deinitialize(count: batchFrames)
    results.deallocate()
    filters.deinitialize(count: batchFrames)
    filters.deallocate()
  }

  /// The element size of the byte planes for each sample, at most `batchFrames` of them, or 0 where no planes are better.
  ///
  /// Planes must save at least a hundredth: they cost time when the file is read.
  func planeBytes(
    for samples: [(bytes: UnsafeRawBufferPointer, elementBytes: Int)]
  ) throws(FormatError) -> [Int] {
    self.samples = samples
    defer { self.samples = [] }
    eri_pool_run(
      pool, samples.count,
      { context, index, thread in
        guard let context else { return }
        Unmanaged<FramePacker>.fromOpaque(context).takeUnretainedValue().choose(index, thread)
      }, Unmanaged.passUnretained(self).toOpaque())
    var chosen: [Int] = []
    for index in samples.indices {
      guard let result = filters[index] else { continue }
      chosen.append(try result.get())
    }
    return chosen
  }

  /// Packs at most `batchFrames` frames and feeds the pieces to their digesters, each of which occurs once.
  func pack(
    _ sources: [Source], digesting pieces: [(digester: Digester, bytes: UnsafeRawBufferPointer)]
  ) throws(FormatError) -> [Packed] {
    self.sources = sources
    self.pieces = pieces
    defer {
      self.sources = []
      self.pieces = []
    }
    // Digests first: one may take as long as many frames.
    eri_pool_run(
      pool, pieces.count + sources.count,
      { context, index, thread in
        guard let context else { return }
        Unmanaged<FramePacker>.fromOpaque(context).takeUnretainedValue().work(index, thread)
      }, Unmanaged.passUnretained(self).toOpaque())
    var packed: [Packed] = []
    for index in sources.indices {
      guard let result = results[index] else { continue }
      packed.append(try result.get())
    }
    return packed
  }

  private func choose(_ index: Int, _ thread: Int) {
    let sample = samples[index]
    let compressor = compressors[thread]
    do throws(FormatError) {
      var planes = 0
      if sample.elementBytes > 1 {
        let plain = try compressor.pack(sample.bytes, planeBytes: 0).count
        let split = try compressor.pack(sample.bytes, planeBytes: sample.elementBytes).count
        if split < plain - plain / 100 { planes = sample.elementBytes }
      }
      filters[index] = .success(planes)
    } catch {
      filters[index] = .failure(error)
    }
  }

  private func work(_ index: Int, _ thread: Int) {
    if index < pieces.count {
      pieces[index].digester.update(pieces[index].bytes)
      return
    }
    let frame = index - pieces.count
    let target = UnsafeMutableRawBufferPointer(
      rebasing: outputs[(frame * outputBytes)..<((frame + 1) * outputBytes)])
    do throws(FormatError) {
      let packed = try compressors[thread].pack(
        sources[frame].bytes, planeBytes: sources[frame].planeBytes, into: target)
      results[frame] = .success(Packed(bytes: packed, checksum: crc32c(packed)))
    } catch {
      results[frame] = .failure(error)
    }
  }
}
