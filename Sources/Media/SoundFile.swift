import CSndFile
import Glibc

/// Sound files by libsndfile: WAV, FLAC, Ogg, MP3, AIFF and the like.
enum SoundFile {
  /// Frames decoded at a time.
  private static let chunkFrames = 4096
  /// More channels than any microphone array has; libsndfile itself takes 1024.
  private static let mostChannels = 256

  /// - Parameters: path: a regular file that has bytes
  /// - Returns: nil if libsndfile does not know the content.
  /// - Throws: `.unreadable`, `.damaged` if nothing can be decoded, `.unsupported`, `.tooLong`, `.outOfMemory`.
  static func read(_ path: String, longestSeconds: Int) throws(MediaError) -> Sound? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw MediaError(
        .unreadable, path: path, expected: "a readable file", found: String(cString: strerror(errno)),
        advice: "check its permissions")
    }
    defer { close(descriptor) }
    var information = SF_INFO()
    // Given a name, libsndfile takes files of some extensions for headerless sound; given a descriptor, it closes that even where
    // it was told not to, and perhaps by then it is another thread's.
    var access = descriptorAccess
    guard
      let file = sf_open_virtual(
        &access, Int32(SFM_READ), &information, UnsafeMutableRawPointer(bitPattern: Int(descriptor) + 1))
    else { return nil }
    defer { sf_close(file) }
    let channels = Int(information.channels)
    guard (1...mostChannels).contains(channels) else {
      throw MediaError(
        .unsupported, path: path, expected: "1 to \(mostChannels) channels", found: "\(channels)",
        advice: "mix them down before")
    }

    var assembly = SoundAssembly(path: path, longestSeconds: longestSeconds)
    var frames: Int64 = 0
    var interleaved = [Float](repeating: 0, count: chunkFrames * channels)
    var mono = [Float](repeating: 0, count: chunkFrames)
    while true {
      let count = Int(sf_readf_float(file, &interleaved, Int64(chunkFrames)))
      guard count > 0 else { break }
      frames += Int64(count)
      try mono.withUnsafeMutableBufferPointer { (mono) throws(MediaError) in
        let piece = UnsafeMutableBufferPointer(rebasing: mono[0..<min(count, chunkFrames)])
        interleaved.withUnsafeBufferPointer { source in
          mixDown(channels: channels, into: piece) { source[$1 &* channels &+ $0] }
        }
        try assembly.append(piece, rate: Int(information.samplerate), channels: channels)
      }
    }
    var warnings = try assembly.finish()
    let reason = sf_error(file) == SF_ERR_NO_ERROR ? "the file ends" : String(cString: sf_strerror(file))
    guard !assembly.samples.isEmpty else {
      throw MediaError(
        .damaged, path: path, expected: "at least one sample of sound", found: "none (\(reason))",
        advice: "copy or record it again")
    }
    if let missing = truncation(of: file, declared: information.frames, found: frames) {
      warnings.append(
        "\(path): expected \(missing.expected), found \(missing.found) (\(reason)); what is there was used")
    }
    return Sound(
      samples: assembly.samples, sourceRate: Int(information.samplerate), channels: channels,
      codec: codecName(information.format), decoder: String(cString: sf_version_string()), warnings: warnings)
  }

  /// What the file promises and does not hold, or nil.
  private static func truncation(
    of file: OpaquePointer, declared: Int64, found: Int64
  ) -> (expected: String, found: String)? {
    // An unknown length is declared as the largest number.
    if found < declared, declared < Int64.max { return ("\(declared) samples per channel", "\(found)") }
    // A chunk longer than the file is cut to what is there while opening; only the log tells.
    let log = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer -> String in
      guard let base = buffer.baseAddress else { return "" }
      base[0] = 0
      sf_command(file, Int32(SFC_GET_LOG_INFO), base, Int32(buffer.count))
      buffer[buffer.count - 1] = 0
      return String(cString: base)
    }
    for line in log.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.first == "data", words.contains("(should"), let size = words.dropFirst(2).first else { continue }
      return ("\(size) bytes of samples", "fewer")
    }
    return nil
  }

  /// "WAV (Microsoft), Signed 16 bit PCM".
  private static func codecName(_ format: Int32) -> String {
    [Int(format) & Int(SF_FORMAT_TYPEMASK), Int(format) & Int(SF_FORMAT_SUBMASK)].map { part in
      var information = SF_FORMAT_INFO()
      information.format = Int32(truncatingIfNeeded: part)
      let size = Int32(MemoryLayout<SF_FORMAT_INFO>.size)
      guard sf_command(nil, Int32(SFC_GET_FORMAT_INFO), &information, size) == 0, let name = information.name else {
        return "format \(part)"
      }
      return String(cString: name)
    }.joined(separator: ", ")
  }
}

/// How libsndfile reads an open file: what it hands back is the descriptor plus 1, as 0 would be no pointer.
private let descriptorAccess = SF_VIRTUAL_IO(
  get_filelen: { user in
    var information = stat()
    return fstat(descriptor(user), &information) == 0 ? sf_count_t(information.st_size) : -1
  },
  seek: { offset, whence, user in sf_count_t(lseek(descriptor(user), off_t(offset), whence)) },
  read: { target, count, user in
    guard let target, count > 0 else { return 0 }
    var done = 0
    while done < Int(count) {
      let step = Glibc.read(descriptor(user), target + done, Int(count) - done)
      if step < 0, errno == EINTR { continue }
      guard step > 0 else { break }
      done += step
    }
    return sf_count_t(done)
  },
  write: { _, _, _ in 0 },
  tell: { user in sf_count_t(lseek(descriptor(user), 0, SEEK_CUR)) })

private func descriptor(_ user: UnsafeMutableRawPointer?) -> Int32 {
  Int32(truncatingIfNeeded: Int(bitPattern: user) - 1)
}
