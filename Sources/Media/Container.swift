import CAVFormat
import Glibc

/// An open sound or video file: its demuxer and its streams. The file is recognised by its content, never by its name.
final class Container {
  /// The path as the caller gave it.
  let path: String
  /// Valid for the lifetime of this object.
  let context: UnsafeMutablePointer<AVFormatContext>
  private var input: UnsafeMutablePointer<AVIOContext>?
  /// Lives as long as the context that asks it.
  private let interruption: MediaInterruption?

  /// Demuxers that open further files or addresses named in the first: refused, a clip is one file.
  private static let playlists: Set<String> = ["hls", "dash", "concat", "imf", "rtsp", "sdp"]

  /// libav reports through return values here; its own log would mix with ours.
  private static let quietLog: Void = av_log_set_level(AV_LOG_QUIET)

  /// Opens a regular file and finds its streams.
  /// - Throws: `MediaError` of any kind but `.tooLong`; `.notMedia` too when there is neither a sound nor a video stream.
  convenience init(path: String) throws(MediaError) {
    try checkRegularFile(path)
    // The explicit protocol keeps a name such as "http:x.mp4" a file name.
    try self.init(address: "file:" + path, path: path, interruption: nil)
  }

  /// Opens what libavformat reads at an address and finds its streams.
  /// - Parameters: path: what messages call it · interruption: ends waiting for more bytes once it is asked to
  init(address: String, path: String, interruption: MediaInterruption?) throws(MediaError) {
    _ = Self.quietLog
    self.path = path
    self.interruption = interruption
    var opened: UnsafeMutablePointer<AVIOContext>?
    var callback = interruption?.callback ?? AVIOInterruptCB()
    let openStatus = avio_open2(&opened, address, AVIO_FLAG_READ, &callback, nil)
    guard openStatus >= 0, opened != nil else {
      throw MediaError(
        .unreadable, path: path, expected: "a readable file", found: avErrorText(openStatus),
        advice: "check its permissions")
    }
    var demuxer: UnsafePointer<AVInputFormat>?
    // An empty name: with the real one a text file called .txt would pass as terminal art.
    let probeStatus = av_probe_input_buffer2(opened, &demuxer, "", nil, 0, 0)
    guard probeStatus >= 0, let demuxer else {
      avio_closep(&opened)
      throw Self.notMedia(path)
    }
    let demuxerName = String(cString: demuxer.pointee.name)
    guard Self.playlists.isDisjoint(with: demuxerName.split(separator: ",").map(String.init)) else {
      avio_closep(&opened)
      throw MediaError(
        .unsupported, path: path, expected: "one file that holds sound or pictures itself",
        found: "a list of other files (\(demuxerName))", advice: "join them into one file, for example with ffmpeg")
    }
    guard let allocated = avformat_alloc_context() else {
      avio_closep(&opened)
      throw MediaError.outOfMemory(path)
    }
    allocated.pointee.pb = opened
    allocated.pointee.interrupt_callback = callback
    var pending: UnsafeMutablePointer<AVFormatContext>? = allocated
    // Failure frees the context, but not the input that it was given.
    let status = avformat_open_input(&pending, address, demuxer, nil)
    guard status >= 0, let pending else {
      avio_closep(&opened)
      throw Self.damaged(path, demuxerName, status)
    }
    context = pending
    input = opened
    try findStreams(demuxerName)
  }

  /// Opens a camera or a microphone.
  /// - Parameters: device: what libavdevice calls it, "/dev/video0" or "default" · kind: libavdevice's name of its system
  /// - Throws: `.unsupported` if libavdevice knows no such system, `.unreadable` if it cannot open the device.
  init(device: String, of kind: DeviceKind, interruption: MediaInterruption?) throws(MediaError) {
    _ = Self.quietLog
    avdevice_register_all()
    eri_alsa_quiet()
    path = device
    self.interruption = interruption
    guard let demuxer = av_find_input_format(kind.demuxer) else {
      throw MediaError(
        .unsupported, path: device, expected: "a libavdevice that reads \(kind.name)s through \(kind.demuxer)",
        found: "one without it", advice: "install a libavdevice that has it, or record to a file or pipe")
    }
    guard let allocated = avformat_alloc_context() else { throw MediaError.outOfMemory(device) }
    if let interruption { allocated.pointee.interrupt_callback = interruption.callback }
    var pending: UnsafeMutablePointer<AVFormatContext>? = allocated
    let status = avformat_open_input(&pending, device, demuxer, nil)
    guard status >= 0, let pending else {
      throw MediaError(
        .unreadable, path: device, expected: "a \(kind.name) that \(kind.demuxer) opens", found: avErrorText(status),
        advice: "check that it is plugged in, that no other program uses it, and its permissions")
    }
    context = pending
    try findStreams(kind.demuxer)
  }

  private func findStreams(_ demuxerName: String) throws(MediaError) {
    let streamStatus = avformat_find_stream_info(context, nil)
    guard streamStatus >= 0 else { throw Self.damaged(path, demuxerName, streamStatus) }
    guard bestStream(AVMEDIA_TYPE_AUDIO) != nil || bestStream(AVMEDIA_TYPE_VIDEO) != nil else {
      throw MediaError(
        .notMedia, path: path, expected: "a stream of sound or pictures", found: "none (\(demuxerName))",
        advice: "check that this is the clip you meant")
    }
  }

  deinit {
    var closing: UnsafeMutablePointer<AVFormatContext>? = context
    avformat_close_input(&closing)
    avio_closep(&input)
  }

  /// Short names of the container, as libavformat lists them ("mov,mp4,m4a,3gp,3g2,mj2").
  var formatName: String {
    guard let format = context.pointee.iformat else { return "unknown" }
    return String(cString: format.pointee.name)
  }

  /// The stream of a kind that libavformat prefers (default flag, size, position), or nil if there is none.
  func bestStream(_ type: AVMediaType) -> UnsafeMutablePointer<AVStream>? {
    let index = av_find_best_stream(context, type, -1, -1, nil, 0)
    guard index >= 0, index < context.pointee.nb_streams, let streams = context.pointee.streams else { return nil }
    return streams[Int(index)]
  }

  /// Lets the demuxer drop the packets of every stream but these.
  func keepOnly(_ kept: UnsafeMutablePointer<AVStream>...) {
    guard let streams = context.pointee.streams else { return }
    for index in 0..<Int(context.pointee.nb_streams) {
      guard let stream = streams[index] else { continue }
      stream.pointee.discard = kept.contains(stream) ? AVDISCARD_DEFAULT : AVDISCARD_ALL
    }
  }

  /// Opens a decoder for a stream; the caller frees it with `avcodec_free_context`.
  /// - Parameter threads: number of decoding threads, 0 for as many as there are processors.
  /// - Throws: `.unsupported` if no decoder is installed, `.damaged` if the stream's header is refused.
  func openDecoder(
    _ stream: UnsafeMutablePointer<AVStream>, threads: Int32 = 1
  ) throws(MediaError) -> UnsafeMutablePointer<AVCodecContext> {
    let place = "stream \(stream.pointee.index)"
    let parameters = stream.pointee.codecpar
    guard let parameters, let codec = avcodec_find_decoder(parameters.pointee.codec_id) else {
      let name = parameters.map { String(cString: avcodec_get_name($0.pointee.codec_id)) } ?? "unknown"
      throw MediaError(
        .unsupported, path: path, place: place, expected: "a codec that libavcodec decodes", found: "'\(name)'",
        advice: "convert the file, for example with ffmpeg")
    }
    guard let decoder = avcodec_alloc_context3(codec) else { throw MediaError.outOfMemory(path) }
    var status = avcodec_parameters_to_context(decoder, parameters)
    if status >= 0 {
      decoder.pointee.pkt_timebase = stream.pointee.time_base
      decoder.pointee.thread_count = threads
      status = avcodec_open2(decoder, codec, nil)
    }
    guard status >= 0 else {
      var failed: UnsafeMutablePointer<AVCodecContext>? = decoder
      avcodec_free_context(&failed)
      throw MediaError(
        .damaged, path: path, place: place,
        expected: "a header that the \(String(cString: codec.pointee.name)) decoder takes",
        found: "one that it refuses (\(avErrorText(status)))", advice: "copy the file again, or convert it with ffmpeg")
    }
    return decoder
  }

  static func notMedia(_ path: String) -> MediaError {
    MediaError(
      .notMedia, path: path, place: "first bytes", expected: "a sound or video file",
      found: "none of the known formats",
      advice: "convert it, for example with ffmpeg to .mp4 or .wav")
  }

  private static func damaged(_ path: String, _ demuxer: String, _ status: Int32) -> MediaError {
    if status == eri_av_error_memory() { return MediaError.outOfMemory(path) }
    return MediaError(
      .damaged, path: path, expected: "a whole file of the kind \(demuxer)",
      found: "a damaged or cut-off one (\(avErrorText(status)))", advice: "copy or record it again")
  }
}

/// Checks that a path leads to a regular file that has bytes.
/// - Throws: `.missing`, `.notAFile`, `.empty` or `.unreadable`.
func checkRegularFile(_ path: String) throws(MediaError) {
  let expected = "a sound or video file"
  var information = stat()
  guard stat(path, &information) == 0 else {
    let code = errno
    if code == ENOENT || code == ENOTDIR {
      throw MediaError(
        .missing, path: path, expected: expected, found: "nothing at this path", advice: "check the name")
    }
    throw MediaError(
      .unreadable, path: path, expected: expected, found: String(cString: strerror(code)),
      advice: "check its permissions")
  }
  switch information.st_mode & S_IFMT {
  case S_IFREG: break
  case S_IFDIR:
    throw MediaError(.notAFile, path: path, expected: expected, found: "a folder", advice: "name one of its files")
  default:
    throw MediaError(
      .notAFile, path: path, expected: expected, found: "a device or a pipe", advice: "save its content as a file first"
    )
  }
  guard information.st_size > 0 else {
    throw MediaError(.empty, path: path, expected: expected, found: "0 bytes", advice: "copy or record it again")
  }
}

extension MediaError {
  static func outOfMemory(_ path: String) -> MediaError {
    MediaError(
      .outOfMemory, path: path, expected: "memory for decoding", found: "none left",
      advice: "close other programs or take a shorter clip")
  }
}

/// libav's sentence for an error code ("Invalid data found when processing input").
func avErrorText(_ code: Int32) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
    guard let base = buffer.baseAddress, av_strerror(code, base, buffer.count) == 0 else { return "error \(code)" }
    return String(cString: base)
  }
}
