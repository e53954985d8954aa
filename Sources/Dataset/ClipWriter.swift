import CAVFormat
import CERISystem

/// Writes a clip as mp4: MPEG-4 video at quantiser 5 and AAC sound at 64 kbit/s, one channel.
///
/// The file is made in memory and takes its name only when it is whole. The same clip gives the same bytes with the
/// same libav.
package final class ClipWriter {
  private let path: String
  private let format: ClipFormat
  private var container: UnsafeMutablePointer<AVFormatContext>?
  private let video: EncodedTrack
  private let sound: EncodedTrack
  private var frameCount = 0

  /// libav reports through return values here; its own log would mix with ours.
  private static let quietLog: Void = av_log_set_level(AV_LOG_QUIET)

  /// Opens both encoders; throws if one is missing.
  package init(path: String, format: ClipFormat) throws(SynthesisError) {
    _ = Self.quietLog
    try format.check()
    self.path = path
    self.format = format
    var created: UnsafeMutablePointer<AVFormatContext>?
    let status = avformat_alloc_output_context2(&created, nil, "mp4", nil)
    guard let container = created else {
      throw .encodingFailed(path: path, step: "making an mp4 container", reason: Libav.message(status))
    }
    do throws(SynthesisError) {
      container.pointee.flags |= AVFMT_FLAG_BITEXACT
      video = try Self.videoTrack(path, container, format)
      sound = try Self.soundTrack(path, container, format)
      var failure = avio_open_dyn_buf(&container.pointee.pb)
      if failure >= 0 { failure = avformat_write_header(container, nil) }
      guard failure >= 0 else {
        throw SynthesisError.encodingFailed(path: path, step: "beginning the file", reason: Libav.message(failure))
      }
    } catch {
      Self.free(container)
      throw error
    }
    self.container = container
  }

  deinit {
    if let container { Self.free(container) }
  }

  /// Draws, encodes and writes a whole clip.
  package static func write(_ clip: SyntheticClip, to path: String) throws(SynthesisError) {
    let writer = try ClipWriter(path: path, format: clip.format)
    let renderer = clip.renderer()
    var frame = DrawnFrame(width: clip.format.width, height: clip.format.height)
    let samples = clip.samples()
    var written = 0
    for index in 0..<clip.format.frameCount {
      // The two tracks advance together, so that the container never holds back more than a frame.
      let due = index * clip.format.sampleRate / clip.format.framesPerSecond
      while written < min(due, samples.count) {
        written += try writer.append(samples: samples, from: written)
      }
      clip.draw(index, with: renderer, into: &frame)
      try writer.append(frame)
    }
    while written < samples.count {
      written += try writer.append(samples: samples, from: written)
    }
    try writer.finish()
  }

  /// Encodes the next picture.
  package func append(_ picture: DrawnFrame) throws(SynthesisError) {
    guard picture.width == format.width, picture.height == format.height else {
      throw .badFormat(
        "a frame of \(picture.width) × \(picture.height) pixels does not fit "
          + "a clip of \(format.width) × \(format.height)"
      )
    }
    let format = self.format
    try video.encode(
      time: Int64(frameCount),
      measures: { frame in
        frame.width = Int32(format.width)
        frame.height = Int32(format.height)
        frame.format = AV_PIX_FMT_YUV420P.rawValue
        // Every frame at the quantiser that the encoder was opened with.
        frame.quality = FF_QP2LAMBDA * Self.quantiser
      },
      fill: { frame in
        guard let luma = frame.data.0, let blue = frame.data.1, let red = frame.data.2 else { return }
        PictureConversion.fill(
          PictureConversion.Planes(
            luma: luma, blue: blue, red: red, lumaStride: Int(frame.linesize.0), blueStride: Int(frame.linesize.1),
            redStride: Int(frame.linesize.2)),
          from: picture)
      })
    frameCount += 1
  }

  /// Encodes as many samples from `start` on as the encoder takes at a time and returns their number.
  private func append(samples: [Float], from start: Int) throws(SynthesisError) -> Int {
    let count = min(sound.samplesPerFrame, samples.count - start)
    let rate = Int32(format.sampleRate)
    try sound.encode(
      time: Int64(start),
      measures: { frame in
        frame.nb_samples = Int32(count)
        frame.format = AV_SAMPLE_FMT_FLTP.rawValue
        frame.sample_rate = rate
        av_channel_layout_default(&frame.ch_layout, 1)
      },
      fill: { frame in
        guard let bytes = frame.data.0 else { return }
        bytes.withMemoryRebound(to: Float.self, capacity: count) { target in
          for i in 0..<count { target[i] = samples[start + i] }
        }
      })
    return count
  }

  /// Ends both tracks and gives the file its name.
  package func finish() throws(SynthesisError) {
    guard let container else { return }
    try video.drain()
    try sound.drain()
    let status = av_write_trailer(container)
    guard status >= 0 else {
      throw .encodingFailed(path: path, step: "ending the file", reason: Libav.message(status))
    }
    var bytes: UnsafeMutablePointer<UInt8>?
    let count = avio_close_dyn_buf(container.pointee.pb, &bytes)
    container.pointee.pb = nil
    defer { av_free(bytes) }
    guard let bytes, count > 0 else {
      throw .encodingFailed(path: path, step: "ending the file", reason: "no memory")
    }
    try save(bytes, Int(count))
  }

  private func save(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws(SynthesisError) {
    var error: Int32 = 0
    guard let file = eri_writer_create(path, &error) else {
      throw .notWritable(path: path, reason: String(cString: eri_error_message(abs(error))))
    }
    var status = eri_writer_append(file, bytes, count)
    if status < 0 {
      eri_writer_abandon(file)
    } else {
      status = eri_writer_commit(file)
    }
    guard status >= 0 else {
      throw .notWritable(path: path, reason: String(cString: eri_error_message(abs(status))))
    }
  }

  private static let quantiser: Int32 = 5

  private static func videoTrack(
    _ path: String, _ container: UnsafeMutablePointer<AVFormatContext>, _ format: ClipFormat
  ) throws(SynthesisError) -> EncodedTrack {
    try EncodedTrack(path: path, encoder: "mpeg4", container: container) { context in
      context.width = Int32(format.width)
      context.height = Int32(format.height)
      context.pix_fmt = AV_PIX_FMT_YUV420P
      context.time_base = AVRational(num: 1, den: Int32(format.framesPerSecond))
      context.framerate = AVRational(num: Int32(format.framesPerSecond), den: 1)
      context.sample_aspect_ratio = AVRational(num: 1, den: 1)
      context.gop_size = 50
      context.max_b_frames = 0
      context.flags |= AV_CODEC_FLAG_QSCALE
      context.global_quality = FF_QP2LAMBDA * quantiser
    }
  }

  private static func soundTrack(
    _ path: String, _ container: UnsafeMutablePointer<AVFormatContext>, _ format: ClipFormat
  ) throws(SynthesisError) -> EncodedTrack {
    try EncodedTrack(path: path, encoder: "aac", container: container) { context in
      context.sample_rate = Int32(format.sampleRate)
      context.sample_fmt = AV_SAMPLE_FMT_FLTP
      context.time_base = AVRational(num: 1, den: Int32(format.sampleRate))
      context.bit_rate = 64_000
      av_channel_layout_default(&context.ch_layout, 1)
    }
  }

  private static func free(_ container: UnsafeMutablePointer<AVFormatContext>) {
    if container.pointee.pb != nil {
      var bytes: UnsafeMutablePointer<UInt8>?
      avio_close_dyn_buf(container.pointee.pb, &bytes)
      av_free(bytes)
      container.pointee.pb = nil
    }
    avformat_free_context(container)
  }
}
