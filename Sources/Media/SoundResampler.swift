import CAVFormat

/// Resamples one run of mono samples of a constant rate to 22,050 per second.
final class SoundResampler {
  /// The algorithm inside libswresample.
  enum Engine: Equatable {
    /// soxr at 20 bits, "HQ": bit for bit what `librosa.load` uses.
    case soxr
    /// libswresample's own polyphase filter, 128 taps, Kaiser 12: where it was built without soxr. Its result lies
    /// 44 to 84 dB below the signal away from soxr's, most near the upper band edge.
    case polyphase
  }

  let rate: Int
  let engine: Engine
  /// Nil where the rate is already right: samples pass untouched.
  private var context: OpaquePointer?
  private var received: Int64 = 0
  private var produced = 0
  private var buffer: [Float]

  private static let bufferCount = 16_384

  /// Takes soxr, and the polyphase filter if libswresample lacks it.
  /// - Returns: nil if memory ran out or the rate is refused.
  init?(rate: Int, preferring preferred: Engine = .soxr) {
    self.rate = rate
    guard rate != Sound.sampleRate else {
      engine = preferred
      buffer = []
      return
    }
    var opened: OpaquePointer?
    var used = preferred
    if preferred == .soxr { opened = Self.open(rate: rate, .soxr) }
    if opened == nil {
      used = .polyphase
      opened = Self.open(rate: rate, .polyphase)
    }
    guard let opened else { return nil }
    engine = used
    context = opened
    buffer = [Float](repeating: 0, count: Self.bufferCount)
  }

  deinit { swr_free(&context) }

  private static func open(rate: Int, _ engine: Engine) -> OpaquePointer? {
    guard let rate = Int32(exactly: rate) else { return nil }
    var (mono, sourceMono) = (AVChannelLayout(), AVChannelLayout())
    av_channel_layout_default(&mono, 1)
    av_channel_layout_default(&sourceMono, 1)
    var context: OpaquePointer?
    let status = swr_alloc_set_opts2(
      &context, &mono, AV_SAMPLE_FMT_FLT, Int32(Sound.sampleRate), &sourceMono, AV_SAMPLE_FMT_FLT, rate, 0, nil)
    guard status >= 0, let opened = context else { return nil }
    let options = UnsafeMutableRawPointer(opened)
    var statuses: [Int32]
    switch engine {
    case .soxr:
      statuses = [
        av_opt_set_int(options, "resampler", Int64(SWR_ENGINE_SOXR.rawValue), 0),
        av_opt_set_double(options, "precision", 20, 0),
      ]
    case .polyphase:
      statuses = [
        av_opt_set_int(options, "filter_size", 128, 0),
        av_opt_set_int(options, "exact_rational", 1, 0),
        av_opt_set_int(options, "filter_type", Int64(SWR_FILTER_TYPE_KAISER.rawValue), 0),
        av_opt_set_double(options, "kaiser_beta", 12, 0),
        av_opt_set_double(options, "cutoff", 0.956, 0),
      ]
    }
    statuses.append(swr_init(opened))
    guard statuses.allSatisfy({ $0 >= 0 }) else {
      swr_free(&context)
      return nil
    }
    return opened
  }

  /// Resamples further input and appends what is ready.
  /// - Returns: false if libswresample refused it.
  func push(_ input: UnsafeBufferPointer<Float>, into output: inout [Float]) -> Bool {
    received += Int64(input.count)
    guard let context else {
      output.append(contentsOf: input)
      produced += input.count
      return true
    }
    // Pieces of which half a buffer comes out: libswresample takes each as a whole (it crashes on what it would have to
    // keep), and what the filter gives late finds room in the other half.
    let pieceCount = min(max(Self.bufferCount * rate / (2 * Sound.sampleRate), 1), Self.bufferCount)
    var start = 0
    while start < input.count {
      let piece = UnsafeBufferPointer(rebasing: input[start..<min(start + pieceCount, input.count)])
      guard convert(context, piece, into: &output) >= 0 else { return false }
      start += piece.count
    }
    return true
  }

  /// Appends what the filter still holds, to ⌈input · 22,050 / rate⌉ samples in all, as librosa counts them.
  /// - Returns: false if libswresample refused it.
  func finish(into output: inout [Float]) -> Bool {
    if let context {
      while true {
        let count = convert(context, nil, into: &output)
        guard count >= 0 else { return false }
        if count == 0 { break }
      }
    }
    let (numerator, denominator) = (received * Int64(Sound.sampleRate), Int64(rate))
    let wanted = Int((numerator + denominator - 1) / denominator)
    // Of sound that is given away while it comes less may be left than came too much.
    if produced > wanted { output.removeLast(min(produced - wanted, output.count)) }
    if produced < wanted { output.append(contentsOf: repeatElement(0, count: wanted - produced)) }
    produced = wanted
    return true
  }

  /// One call of libswresample; nil input flushes. Returns the number of samples appended, or a negative error.
  private func convert(
    _ context: OpaquePointer, _ input: UnsafeBufferPointer<Float>?, into output: inout [Float]
  ) -> Int {
    let count = buffer.withUnsafeMutableBytes { raw -> Int in
      var target = raw.baseAddress?.assumingMemoryBound(to: UInt8.self)
      guard let input else { return Int(swr_convert(context, &target, Int32(Self.bufferCount), nil, 0)) }
      var source = UnsafeRawPointer(input.baseAddress)?.assumingMemoryBound(to: UInt8.self)
      return Int(swr_convert(context, &target, Int32(Self.bufferCount), &source, Int32(input.count)))
    }
    guard count > 0 else { return count }
    output.append(contentsOf: buffer.prefix(count))
    produced += count
    return count
  }
}
