import CAVFormat

/// Decodes the pictures of a clip's video stream in presentation order, one after another.
///
/// Damaged packets are skipped and counted. The number of pictures is known only at the end: what headers announce is
/// often wrong.
final class VideoDecoder {
  let path: String
  private let container: Container
  private let stream: UnsafeMutablePointer<AVStream>
  private let decoder: UnsafeMutablePointer<AVCodecContext>
  private let packet: UnsafeMutablePointer<AVPacket>
  private var draining = false
  private var failuresInARow = 0

  /// Packets and pictures that the decoder refused.
  private(set) var refused = 0
  /// Pictures that the decoder marked as repaired.
  private(set) var repaired = 0
  /// Why reading stopped before the end of the file, if it did.
  private(set) var cutOff: String?

  /// Whether the file lists every picture before or after them, so that one which is missing was lost with a part of the file.
  var listsItsPictures: Bool { container.formatName.contains("mp4") && stream.pointee.nb_frames > 0 }

  /// The largest picture taken: 8192 x 8192 pixels, 400 MB as RGB floats and more than any camera here makes.
  static let pixelLimit: Int64 = 8192 * 8192

  /// Opens the clip's video stream, or returns nil if it has none (a cover picture inside a sound file is none).
  /// - Parameter threads: number of decoding threads, 0 for as many as there are processors.
  convenience init?(path: String, threads: Int) throws(MediaError) {
    let container = try Container(path: path)
    guard let stream = Self.videoStream(of: container) else { return nil }
    container.keepOnly(stream)
    try self.init(container, stream, threads: threads)
  }

  /// Opens a video stream of a container, whose packets `next` reads, or whoever calls `take`.
  init(_ container: Container, _ stream: UnsafeMutablePointer<AVStream>, threads: Int) throws(MediaError) {
    let decoder = try container.openDecoder(stream, threads: Int32(clamping: threads))
    guard let packet = av_packet_alloc() else {
      var freed: UnsafeMutablePointer<AVCodecContext>? = decoder
      avcodec_free_context(&freed)
      throw MediaError.outOfMemory(container.path)
    }
    decoder.pointee.max_pixels = Self.pixelLimit
    path = container.path
    self.container = container
    self.stream = stream
    self.decoder = decoder
    self.packet = packet
  }

  deinit {
    var freedPacket: UnsafeMutablePointer<AVPacket>? = packet
    av_packet_free(&freedPacket)
    var freedDecoder: UnsafeMutablePointer<AVCodecContext>? = decoder
    avcodec_free_context(&freedDecoder)
  }

  /// Short name of the codec ("h264").
  var codecName: String { String(cString: avcodec_get_name(decoder.pointee.codec_id)) }

  /// How many pictures the header suggests; a hint only.
  var announcedFrames: Int? {
    if stream.pointee.nb_frames > 0 { return Int(exactly: stream.pointee.nb_frames) }
    let rate = stream.pointee.avg_frame_rate
    let duration = container.context.pointee.duration
    guard rate.num > 0, rate.den > 0, duration > 0 else { return nil }
    let estimate = Double(duration) / Double(AV_TIME_BASE) * Double(rate.num) / Double(rate.den)
    return estimate < 1e9 ? Int(estimate.rounded()) : nil
  }

  /// The time at which the video should end according to the header, in seconds from the container's origin.
  var announcedEnd: Double? {
    let unknown = eri_av_no_timestamp()
    let base = stream.pointee.time_base
    if stream.pointee.duration > 0, base.den > 0 {
      let start = stream.pointee.start_time == unknown ? 0 : stream.pointee.start_time
      return (Double(start) + Double(stream.pointee.duration)) * Double(base.num) / Double(base.den)
    }
    let context = container.context.pointee
    guard context.duration > 0 else { return nil }
    let start = context.start_time == unknown ? 0 : context.start_time
    return (Double(start) + Double(context.duration)) / Double(AV_TIME_BASE)
  }

  /// Seconds between pictures according to the header, or a 25th where it says nothing.
  var announcedFrameSeconds: Double {
    let rate = stream.pointee.avg_frame_rate
    guard rate.num > 0, rate.den > 0 else { return 1 / 25 }
    return Double(rate.den) / Double(rate.num)
  }

  /// The time at which a picture is shown, in seconds from the container's origin, if it is known.
  func seconds(of frame: VideoFrame) -> Double? {
    let timestamp = frame.av.pointee.best_effort_timestamp
    let base = stream.pointee.time_base
    guard timestamp != eri_av_no_timestamp(), base.den > 0 else { return nil }
    return Double(timestamp) * Double(base.num) / Double(base.den)
  }

  /// How a picture is to be shown: its own matrix if it carries one, else the stream's.
  func orientation(of frame: VideoFrame) -> Orientation {
    if let side = av_frame_get_side_data(frame.av, AV_FRAME_DATA_DISPLAYMATRIX), side.pointee.size >= 36,
      let data = side.pointee.data
    {
      return Orientation(matrix: data)
    }
    if let data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, nil) { return Orientation(matrix: data) }
    return .upright
  }

  /// Width of a pixel divided by its height; 1 where nothing is said.
  func pixelAspect(of frame: VideoFrame) -> Double {
    let ratio = av_guess_sample_aspect_ratio(container.context, stream, frame.av)
    guard ratio.num > 0, ratio.den > 0 else { return 1 }
    return Double(ratio.num) / Double(ratio.den)
  }

  /// The next picture, or nil after the last.
  func next() throws(MediaError) -> VideoFrame? {
    guard let frame = av_frame_alloc() else { throw MediaError.outOfMemory(path) }
    while true {
      let status = avcodec_receive_frame(decoder, frame)
      if status >= 0 {
        failuresInARow = 0
        if frame.pointee.decode_error_flags != 0 { repaired += 1 }
        return VideoFrame(owning: frame)
      }
      if status == eri_av_error_memory() {
        Self.free(frame)
        throw MediaError.outOfMemory(path)
      }
      if status == eri_av_error_again() {
        feed()
        continue
      }
      if status != eri_av_error_eof() {
        refused += 1
        failuresInARow += 1
        // A decoder that only fails while it is being emptied would do so for ever.
        if !draining || failuresInARow < 256 { continue }
      }
      Self.free(frame)
      return nil
    }
  }

  /// Decodes a packet of this stream that was read elsewhere, or with nil what the decoder still holds.
  func take(_ packet: UnsafeMutablePointer<AVPacket>?, each: (VideoFrame) -> Void) throws(MediaError) {
    // A decoder whose pictures are taken after each packet takes the next one.
    if avcodec_send_packet(decoder, packet) < 0, packet != nil { refused += 1 }
    while true {
      guard let frame = av_frame_alloc() else { throw MediaError.outOfMemory(path) }
      let status = avcodec_receive_frame(decoder, frame)
      guard status >= 0 else {
        Self.free(frame)
        if status == eri_av_error_memory() { throw MediaError.outOfMemory(path) }
        if status != eri_av_error_again(), status != eri_av_error_eof() { refused += 1 }
        return
      }
      if frame.pointee.decode_error_flags != 0 { repaired += 1 }
      each(VideoFrame(owning: frame))
    }
  }

  /// Gives the decoder the next packet it takes, or tells it that there are no more.
  private func feed() {
    while true {
      let status = av_read_frame(container.context, packet)
      guard status >= 0 else {
        if status != eri_av_error_eof() { cutOff = avErrorText(status) }
        draining = true
        _ = avcodec_send_packet(decoder, nil)
        return
      }
      let ours = packet.pointee.stream_index == stream.pointee.index
      if ours, packet.pointee.flags & AV_PKT_FLAG_CORRUPT != 0 { cutOff = "a packet is incomplete" }
      let sent = ours ? avcodec_send_packet(decoder, packet) : 0
      av_packet_unref(packet)
      if ours {
        if sent >= 0 { return }
        refused += 1
      }
    }
  }

  private static func free(_ frame: UnsafeMutablePointer<AVFrame>) {
    var freed: UnsafeMutablePointer<AVFrame>? = frame
    av_frame_free(&freed)
  }

  static func videoStream(of container: Container) -> UnsafeMutablePointer<AVStream>? {
    guard let best = container.bestStream(AVMEDIA_TYPE_VIDEO) else { return nil }
    if best.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0 { return best }
    guard let streams = container.context.pointee.streams else { return nil }
    for index in 0..<Int(container.context.pointee.nb_streams) {
      guard let stream = streams[index], let parameters = stream.pointee.codecpar else { continue }
      if parameters.pointee.codec_type == AVMEDIA_TYPE_VIDEO,
        stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0
      {
        return stream
      }
    }
    return nil
  }
}
