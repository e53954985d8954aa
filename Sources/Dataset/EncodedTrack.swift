import CAVFormat

/// One encoder and its stream in a container.
final class EncodedTrack {
  private let path: String
  private let container: UnsafeMutablePointer<AVFormatContext>
  private var context: UnsafeMutablePointer<AVCodecContext>?
  private var packet: UnsafeMutablePointer<AVPacket>?
  private var frame: UnsafeMutablePointer<AVFrame>?
  private let streamIndex: Int32

  /// Opens the encoder and adds its stream; `configure` sets the measures.
  ///
  /// Bit-exact flags and a single thread make the same input give the same bytes.
  init(
    path: String, encoder name: String, container: UnsafeMutablePointer<AVFormatContext>,
    configure: (inout AVCodecContext) -> Void
  ) throws(SynthesisError) {
    self.path = path
    self.container = container
    guard let codec = avcodec_find_encoder_by_name(name) else { throw .missingEncoder(name: name) }
    guard let context = avcodec_alloc_context3(codec), let stream = avformat_new_stream(container, nil) else {
      throw .encodingFailed(path: path, step: "making the \(name) track", reason: "no memory")
    }
    self.context = context
    streamIndex = stream.pointee.index
    packet = av_packet_alloc()
    frame = av_frame_alloc()
    configure(&context.pointee)
    context.pointee.flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER
    context.pointee.thread_count = 1
    try check(avcodec_open2(context, codec, nil), "opening the \(name) encoder")
    stream.pointee.time_base = context.pointee.time_base
    try check(
      avcodec_parameters_from_context(stream.pointee.codecpar, context), "describing the \(name) track")
  }

  deinit {
    avcodec_free_context(&context)
    av_packet_free(&packet)
    av_frame_free(&frame)
  }

  /// The number of samples that the encoder takes at a time; 0 for pictures.
  var samplesPerFrame: Int { Int(context?.pointee.frame_size ?? 0) }

  /// Encodes one frame: `fill` gets it with the given measures and its own buffers.
  func encode(
    time: Int64, measures: (inout AVFrame) -> Void, fill: (inout AVFrame) -> Void
  ) throws(SynthesisError) {
    guard let frame else { throw .encodingFailed(path: path, step: "making a frame", reason: "no memory") }
    av_frame_unref(frame)
    measures(&frame.pointee)
    try check(av_frame_get_buffer(frame, 0), "making a frame")
    fill(&frame.pointee)
    frame.pointee.pts = time
    try check(avcodec_send_frame(context, frame), "encoding a frame")
    try writePackets()
  }

  /// Writes what the encoder still holds.
  func drain() throws(SynthesisError) {
    try check(avcodec_send_frame(context, nil), "ending a track")
    try writePackets()
  }

  private func writePackets() throws(SynthesisError) {
    guard let context, let packet else {
      throw .encodingFailed(path: path, step: "making a packet", reason: "no memory")
    }
    while true {
      let status = avcodec_receive_packet(context, packet)
      if status == Libav.tryAgain || status == Libav.endOfFile { return }
      try check(status, "encoding")
      packet.pointee.stream_index = streamIndex
      // A picture lasts one tick; the encoder leaves this open, and the container would end before the last picture.
      if packet.pointee.duration == 0 { packet.pointee.duration = 1 }
      // The muxer may have chosen another time base than the encoder's.
      if let streams = container.pointee.streams, let stream = streams[Int(streamIndex)] {
        av_packet_rescale_ts(packet, context.pointee.time_base, stream.pointee.time_base)
      }
      try check(av_interleaved_write_frame(container, packet), "writing to the container")
    }
  }

  private func check(_ status: Int32, _ step: String) throws(SynthesisError) {
    guard status < 0 else { return }
    throw .encodingFailed(path: path, step: step, reason: Libav.message(status))
  }
}

/// What libav's headers define by macros that Swift does not import.
enum Libav {
  /// AVERROR(EAGAIN) on Linux.
  static let tryAgain: Int32 = -11
  /// AVERROR_EOF: the letters "EOF " as a negative number.
  static let endOfFile: Int32 = -0x2046_4f45

  /// libav's words for an error.
  static func message(_ status: Int32) -> String {
    var text = [CChar](repeating: 0, count: 128)
    av_strerror(status, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
