import CAVFormat
import Glibc

/// Where pictures or sound come from while they are used.
package enum LiveSource: Equatable, Sendable {
  /// A file or a named pipe.
  case file(String)
  /// This process's standard input.
  case standardInput
  /// A V4L2 camera by its device file.
  case camera(String)
  /// An ALSA microphone by its name ("default", "hw:1,0").
  case microphone(String)

  /// What `--video` or the only source names: "-", a device file, or a file or pipe.
  package init(video name: String) {
    if name == "-" {
      self = .standardInput
    } else {
      self = LiveSource.mode(name) == S_IFCHR ? .camera(name) : .file(name)
    }
  }

  /// What `--audio` names: "-", a file or pipe where there is one, else an ALSA device.
  package init(audio name: String) {
    if name == "-" {
      self = .standardInput
    } else {
      let mode = LiveSource.mode(name)
      self = mode == S_IFREG || mode == S_IFIFO || name.contains("/") ? .file(name) : .microphone(name)
    }
  }

  /// Whether it goes on whether or not anyone keeps up with it.
  package var isDevice: Bool {
    switch self {
    case .file, .standardInput: false
    case .camera, .microphone: true
    }
  }

  /// What messages call it.
  package var name: String {
    switch self {
    case .standardInput: "standard input"
    case .file(let name), .camera(let name), .microphone(let name): name
    }
  }

  private static func mode(_ path: String) -> mode_t? {
    var information = stat()
    return stat(path, &information) == 0 ? information.st_mode & S_IFMT : nil
  }

  func open(_ interruption: MediaInterruption) throws(MediaError) -> Container {
    switch self {
    case .standardInput: return try Container(address: "pipe:0", path: name, interruption: interruption)
    case .camera(let path): return try Container(device: path, of: .camera, interruption: interruption)
    case .microphone(let path): return try Container(device: path, of: .microphone, interruption: interruption)
    case .file(let path):
      // A pipe has no size to check.
      if LiveSource.mode(path) != S_IFIFO { try checkRegularFile(path) }
      return try Container(address: "file:" + path, path: path, interruption: interruption)
    }
  }
}

/// A picture that came, ready to be searched for a face. Used by one thread at a time.
package struct LivePicture: @unchecked Sendable {
  let shown: ShownFrame
  /// Since the first picture.
  package let seconds: Double
}

/// The pictures and the sound of one source as they come.
package final class LiveInput {
  /// What a read gave.
  package enum Event {
    case picture(LivePicture)
    /// Mono, 22,050 samples per second.
    case sound([Float])
  }

  /// Whether there are pictures, and sound, that were asked for.
  package let hasPictures: Bool
  package let hasSound: Bool
  /// What was used although not as expected, a sentence each; complete at the end.
  package private(set) var warnings: [String] = []
  private let container: Container
  private let interruption: MediaInterruption
  private let pictures: VideoDecoder?
  private let pictureStream: Int32
  private var geometry = ClipGeometry()
  private var sound: SoundTrack.Decoding?
  private let soundStream: Int32
  private let packet: UnsafeMutablePointer<AVPacket>
  /// The latest picture's time, and what is taken off the source's times to get there.
  private var pictureTime: Double?
  private var timeShift = 0.0
  private var jumps = 0
  private var isEnded = false

  /// Opens a source.
  /// - Parameters: interruption: ends waiting and reading once it is asked to
  /// - Throws: what `Container` throws; `.notMedia` if it has nothing of what was asked for.
  package init(
    _ source: LiveSource, wantsPictures: Bool, wantsSound: Bool, interruption: MediaInterruption
  ) throws(MediaError) {
    let container = try source.open(interruption)
    let pictureStream = wantsPictures ? VideoDecoder.videoStream(of: container) : nil
    let soundStream = wantsSound ? container.bestStream(AVMEDIA_TYPE_AUDIO) : nil
    guard pictureStream != nil || soundStream != nil else {
      let wanted = wantsPictures && wantsSound ? "pictures or sound" : wantsPictures ? "pictures" : "sound"
      throw MediaError(
        .notMedia, path: source.name, expected: wanted, found: "a source without (\(container.formatName))",
        advice: "name another source, or a model that takes what this one has")
    }
    guard let packet = av_packet_alloc() else { throw MediaError.outOfMemory(source.name) }
    self.container = container
    self.interruption = interruption
    self.packet = packet
    hasPictures = pictureStream != nil
    hasSound = soundStream != nil
    self.pictureStream = pictureStream?.pointee.index ?? -1
    self.soundStream = soundStream?.pointee.index ?? -1
    pictures = if let pictureStream { try VideoDecoder(container, pictureStream, threads: 1) } else { nil }
    sound = if let soundStream { try SoundTrack.Decoding(container, soundStream, longestSeconds: .max) } else { nil }
    switch (pictureStream, soundStream) {
    case (let first?, let second?): container.keepOnly(first, second)
    case (let only?, nil), (nil, let only?): container.keepOnly(only)
    case (nil, nil): break
    }
  }

  deinit {
    var freed: UnsafeMutablePointer<AVPacket>? = packet
    av_packet_free(&freed)
  }

  /// Waits for the next packet.
  /// - Returns: what it gave, which may be nothing; nil after the end, or once the interruption is asked for.
  /// - Throws: `.outOfMemory`, and what cannot be decoded at all.
  package func next() throws(MediaError) -> [Event]? {
    guard !isEnded, !interruption.isAsked else { return nil }
    var events: [Event] = []
    let status = av_read_frame(container.context, packet)
    if status == eri_av_error_again() {
      // A device that has nothing yet.
      usleep(1000)
      return []
    }
    guard status >= 0 else {
      isEnded = true
      if interruption.isAsked { return nil }
      if status != eri_av_error_eof() {
        warnings.append("\(container.path): reading ended before the end (\(avErrorText(status)))")
      }
      try take(nil, into: &events)
      if let rest = try sound?.finish() {
        if !rest.samples.isEmpty { events.append(.sound(rest.samples)) }
        warnings += rest.warnings
      }
      if let refused = pictures?.refused, refused > 0 {
        warnings.append("\(container.path): \(refused) damaged video packets were skipped")
      }
      if jumps > 0 {
        warnings.append(
          "\(container.path): \(counted(jumps, "jump")) in the pictures' times; they were taken as following on")
      }
      warnings += geometry.warnings
      return events
    }
    defer { av_packet_unref(packet) }
    if packet.pointee.stream_index == pictureStream {
      try take(packet, into: &events)
    } else if packet.pointee.stream_index == soundStream {
      try sound?.decode(packet)
      if let samples = sound?.drain(), !samples.isEmpty { events.append(.sound(samples)) }
    }
    return events
  }

  private func take(_ packet: UnsafeMutablePointer<AVPacket>?, into events: inout [Event]) throws(MediaError) {
    guard let pictures else { return }
    var frames: [VideoFrame] = []
    try pictures.take(packet) { frames.append($0) }
    for frame in frames {
      let seconds = time(of: frame, pictures)
      pictureTime = seconds
      let shown = geometry.shown(frame, decoder: pictures)
      events.append(.picture(LivePicture(shown: shown, seconds: seconds)))
    }
  }

  /// Since the first picture; one without a time, or with one that runs back or far ahead, follows the one before at the announced
  /// rate, and so do the times after it.
  private func time(of frame: VideoFrame, _ pictures: VideoDecoder) -> Double {
    let given = pictures.seconds(of: frame)
    guard let before = pictureTime else {
      timeShift = given ?? 0
      return 0
    }
    let next = before + pictures.announcedFrameSeconds
    guard let given else { return next }
    let time = given - timeShift
    if time >= before, time <= before + LiveInput.longestGap { return time }
    jumps += 1
    timeShift = given - next
    return next
  }

  /// Seconds between two pictures above which the source's clock is taken to have been set.
  private static let longestGap = 10.0
}
