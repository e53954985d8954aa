import CAVFormat

/// The sound track of any container that libavformat reads.
enum SoundTrack {
  /// - Returns: nil if the file has pictures but no sound track.
  /// - Throws: `MediaError` of any kind.
  static func read(_ path: String, longestSeconds: Int) throws(MediaError) -> Sound? {
    let container = try Container(path: path)
    guard let stream = container.bestStream(AVMEDIA_TYPE_AUDIO) else { return nil }
    container.keepOnly(stream)
    var decoding = try Decoding(container, stream, longestSeconds: longestSeconds)
    try decoding.run()
    return try decoding.sound()
  }

  /// One pass over a track, from its first packet to the last sample: by `run`, or packet by packet.
  struct Decoding: ~Copyable {
    private let container: Container
    private let stream: UnsafeMutablePointer<AVStream>
    private var decoder: UnsafeMutablePointer<AVCodecContext>?
    private var packet: UnsafeMutablePointer<AVPacket>?
    private var frame: UnsafeMutablePointer<AVFrame>?
    private var mono: [Float] = []
    private var assembly: SoundAssembly
    /// Packets or frames that the decoder refused, and the first reason.
    private var refused = 0
    private var refusal: Int32 = 0
    /// Why reading ended, if not at the end of the file.
    private var readError: Int32 = 0
    /// Time of the first sample in units of the stream.
    private var firstTime: Int64?

    init(
      _ container: Container, _ stream: UnsafeMutablePointer<AVStream>, longestSeconds: Int
    ) throws(MediaError) {
      self.container = container
      self.stream = stream
      assembly = SoundAssembly(path: container.path, longestSeconds: longestSeconds)
      packet = av_packet_alloc()
      frame = av_frame_alloc()
      decoder = try container.openDecoder(stream)
      guard packet != nil, frame != nil else { throw MediaError.outOfMemory(container.path) }
    }

    deinit {
      var (packet, frame, decoder) = (packet, frame, decoder)
      av_packet_free(&packet)
      av_frame_free(&frame)
      avcodec_free_context(&decoder)
    }

    mutating func run() throws(MediaError) {
      while true {
        let status = av_read_frame(container.context, packet)
        guard status >= 0 else {
          if status != eri_av_error_eof() { readError = status }
          break
        }
        defer { av_packet_unref(packet) }
        guard packet?.pointee.stream_index == stream.pointee.index else { continue }
        try decode(packet)
      }
      // Nil asks for what the decoder still holds.
      try decode(nil)
    }

    /// What came of the packets since the last call.
    mutating func drain() -> [Float] { assembly.drain() }

    /// Gives away the rest, and what was used although not as expected, a sentence each.
    mutating func finish() throws(MediaError) -> (samples: [Float], warnings: [String]) {
      try decode(nil)
      let warnings = try assembly.finish()
      return (assembly.drain(), warnings)
    }

    /// Takes a packet of this track, or with nil what the decoder still holds.
    mutating func decode(_ packet: UnsafeMutablePointer<AVPacket>?) throws(MediaError) {
      var status = avcodec_send_packet(decoder, packet)
      if status == eri_av_error_again() {
        try receive()
        status = avcodec_send_packet(decoder, packet)
      }
      if status < 0, status != eri_av_error_eof() { note(refusal: status) }
      try receive()
    }

    private mutating func receive() throws(MediaError) {
      while true {
        let status = avcodec_receive_frame(decoder, frame)
        if status == eri_av_error_again() || status == eri_av_error_eof() { return }
        guard status >= 0, let frame else {
          note(refusal: status)
          return
        }
        defer { av_frame_unref(frame) }
        try take(frame)
      }
    }

    private mutating func note(refusal status: Int32) {
      if refused == 0 { refusal = status }
      refused += 1
    }

    /// Converts a frame to mono in single precision and hands it on.
    private mutating func take(_ frame: UnsafeMutablePointer<AVFrame>) throws(MediaError) {
      let count = Int(frame.pointee.nb_samples)
      let channels = Int(frame.pointee.ch_layout.nb_channels)
      guard count > 0, channels > 0, let planes = frame.pointee.extended_data else {
        note(refusal: eri_av_error_invalid_data())
        return
      }
      if firstTime == nil { firstTime = frame.pointee.best_effort_timestamp }
      if mono.count < count { mono = [Float](repeating: 0, count: count) }
      let format = AVSampleFormat(rawValue: frame.pointee.format)
      let rate = Int(frame.pointee.sample_rate)
      try mono.withUnsafeMutableBufferPointer { [path = container.path] (mono) throws(MediaError) in
        let piece = UnsafeMutableBufferPointer(rebasing: mono[0..<count])
        guard SoundTrack.mix(planes, format, channels: channels, into: piece) else {
          throw MediaError(
            .unsupported, path: path, place: "sound track", expected: "integer or floating-point samples",
            found: "format \(format.rawValue)", advice: "convert it, for example with ffmpeg")
        }
        try assembly.append(piece, rate: rate, channels: channels)
      }
    }

    mutating func sound() throws(MediaError) -> Sound {
      let path = container.path
      let place = "sound track"
      var warnings = try assembly.finish()
      guard let first = assembly.first, !assembly.samples.isEmpty else {
        let code = refused > 0 ? refusal : readError
        let reason = code == 0 ? "the file ends" : avErrorText(code)
        throw MediaError(
          .damaged, path: path, place: place, expected: "at least one sample of sound", found: "none (\(reason))",
          advice: "copy or record it again")
      }
      if refused > 0 {
        warnings.append(
          "\(path), \(place): expected packets that decode, found \(refused) that do not (\(avErrorText(refusal))); "
            + "they were skipped")
      }
      if let expected = expectedSeconds, assembly.sourceSeconds < expected - max(0.25, expected / 100) {
        let reason = readError == 0 ? "the file ends" : avErrorText(readError)
        warnings.append(
          "\(path), \(place): expected \(secondsText(expected)) seconds, found \(secondsText(assembly.sourceSeconds)) "
            + "(\(reason)); what is there was used")
      } else if readError != 0 {
        warnings.append(
          "\(path), \(place): expected a readable file up to its end, found an error after "
            + "\(secondsText(assembly.sourceSeconds)) seconds (\(avErrorText(readError))); what is there was used")
      }
      if let late = secondsAfterPictures, abs(late) > 0.1 {
        warnings.append(
          "\(path), \(place): expected sound and pictures to start together, found the sound "
            + "\(secondsText(abs(late))) seconds \(late > 0 ? "late" : "early"); it was used as it is")
      }
      return Sound(
        samples: assembly.samples, sourceRate: first.rate, channels: first.channels,
        codec: String(cString: avcodec_get_name(stream.pointee.codecpar.pointee.codec_id)),
        decoder: SoundTrack.decoderName, warnings: warnings)
    }

    /// Length that the container states for the track. Its length as a whole counts only where there are no pictures,
    /// which may last longer than the sound.
    private var expectedSeconds: Double? {
      if stream.pointee.duration > 0 { return seconds(stream.pointee.duration, of: stream) }
      guard container.bestStream(AVMEDIA_TYPE_VIDEO) == nil else { return nil }
      let whole = container.context.pointee.duration
      return whole > 0 ? Double(whole) / Double(AV_TIME_BASE) : nil
    }

    /// How much later than the pictures the sound starts, or nil where there is no such time.
    private var secondsAfterPictures: Double? {
      let unknown = eri_av_no_timestamp()
      guard let firstTime, firstTime != unknown, let pictures = container.bestStream(AVMEDIA_TYPE_VIDEO),
        pictures.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0, pictures.pointee.start_time != unknown
      else { return nil }
      return seconds(firstTime, of: stream) - seconds(pictures.pointee.start_time, of: pictures)
    }

    private func seconds(_ time: Int64, of stream: UnsafeMutablePointer<AVStream>) -> Double {
      Double(time) * Double(stream.pointee.time_base.num) / Double(max(stream.pointee.time_base.den, 1))
    }
  }

  private static var decoderName: String {
    let version = avcodec_version()
    return "libavcodec \(version >> 16).\(version >> 8 & 255).\(version & 255)"
  }

  /// Mixes a frame of any sample format down to mono, full scale ±1.
  /// - Returns: false if the format is unknown.
  private static func mix(
    _ planes: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, _ format: AVSampleFormat, channels: Int,
    into target: UnsafeMutableBufferPointer<Float>
  ) -> Bool {
    // Integers are scaled by powers of two, which rounds at most once, as libsndfile does.
    switch format {
    case AV_SAMPLE_FMT_U8: packed(planes, channels, target) { (x: UInt8) in (Float(x) - 128) / 128 }
    case AV_SAMPLE_FMT_S16: packed(planes, channels, target) { (x: Int16) in Float(x) * 0x1p-15 }
    case AV_SAMPLE_FMT_S32: packed(planes, channels, target) { (x: Int32) in Float(x) * 0x1p-31 }
    case AV_SAMPLE_FMT_S64: packed(planes, channels, target) { (x: Int64) in Float(x) * 0x1p-63 }
    case AV_SAMPLE_FMT_FLT: packed(planes, channels, target) { (x: Float) in x }
    case AV_SAMPLE_FMT_DBL: packed(planes, channels, target) { (x: Double) in Float(x) }
    case AV_SAMPLE_FMT_U8P: planar(planes, channels, target) { (x: UInt8) in (Float(x) - 128) / 128 }
    case AV_SAMPLE_FMT_S16P: planar(planes, channels, target) { (x: Int16) in Float(x) * 0x1p-15 }
    case AV_SAMPLE_FMT_S32P: planar(planes, channels, target) { (x: Int32) in Float(x) * 0x1p-31 }
    case AV_SAMPLE_FMT_S64P: planar(planes, channels, target) { (x: Int64) in Float(x) * 0x1p-63 }
    case AV_SAMPLE_FMT_FLTP: planar(planes, channels, target) { (x: Float) in x }
    case AV_SAMPLE_FMT_DBLP: planar(planes, channels, target) { (x: Double) in Float(x) }
    default: false
    }
  }

  /// Channels one after another within each sample, all in the first plane.
  @inline(__always)
  private static func packed<Value>(
    _ planes: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, _ channels: Int,
    _ target: UnsafeMutableBufferPointer<Float>, _ value: (Value) -> Float
  ) -> Bool {
    guard let plane = planes[0] else { return false }
    let samples = UnsafeRawPointer(plane).assumingMemoryBound(to: Value.self)
    mixDown(channels: channels, into: target) { value(samples[$1 &* channels &+ $0]) }
    return true
  }

  /// A plane per channel.
  @inline(__always)
  private static func planar<Value>(
    _ planes: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, _ channels: Int,
    _ target: UnsafeMutableBufferPointer<Float>, _ value: (Value) -> Float
  ) -> Bool {
    for channel in 0..<channels where planes[channel] == nil { return false }
    mixDown(channels: channels, into: target) { channel, position in
      guard let plane = planes[channel] else { return 0 }
      return value(UnsafeRawPointer(plane).assumingMemoryBound(to: Value.self)[position])
    }
    return true
  }
}
