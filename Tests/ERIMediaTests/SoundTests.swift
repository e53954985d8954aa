import ERITestSupport
import Foundation
import Testing

@testable import ERIMedia

@Suite struct SoundTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ path: String) throws -> Sound { try #require(try Sound.read(path: path)) }

  // Exact paths

  @Test func `22050 samples per second in one channel pass untouched`() throws {
    let values: [Int16] = (0..<10_000).map { Int16(truncatingIfNeeded: $0 * 12_345) }
    let sound = try read(folder.write("a.wav", waveFile(bytes(values))))
    #expect(sound.samples == values.map { Float($0) / 32768 })
    #expect(sound.warnings == [])
    #expect(sound.sourceRate == 22050)
    #expect(sound.channels == 1)
    #expect(sound.codec == "WAV (Microsoft), Signed 16 bit PCM")
    #expect(sound.decoder.hasPrefix("libsndfile-1."))
    #expect(sound.seconds == 10_000.0 / 22050)
  }

  @Test func `channels become their mean in single precision`() throws {
    let frames: [[Int16]] = [[32767, -32768, 1], [100, 200, 301], [-32768, -32768, -32768], [0, 0, 1]]
    let sound = try read(folder.write("a.wav", waveFile(bytes(frames.flatMap { $0 }), channels: 3)))
    #expect(sound.channels == 3)
    #expect(sound.samples == frames.map { $0.map { Float($0) / 32768 }.reduce(0, +) / 3 })
  }

  @Test func `8-bit samples are unsigned around 128`() throws {
    let sound = try read(folder.write("a.wav", waveFile([0, 64, 128, 192, 255, 128], bits: 8)))
    #expect(sound.samples == [-1, -0.5, 0, 0.5, 127.0 / 128, 0])
  }

  @Test func `24-bit samples keep every bit`() throws {
    let data: [UInt8] = [1, 0, 0, 0xFF, 0xFF, 0x7F, 0, 0, 0x80, 0xFF, 0xFF, 0xFF]
    let sound = try read(folder.write("a.wav", waveFile(data, bits: 24)))
    #expect(sound.samples == [0x1p-23, 1 - 0x1p-23, -1, -0x1p-23])
  }

  @Test func `floating-point samples may exceed full scale`() throws {
    let sound = try read(folder.write("a.wav", waveFile(bytes([1.5, -2, 0.25] as [Float]), format: 3, bits: 32)))
    #expect(sound.samples == [1.5, -2, 0.25])
  }

  @Test func `samples that are not finite count as silence and are reported`() throws {
    let values: [Float] = [0.5, .nan, .infinity, -0.5]
    let path = try folder.write("a.wav", waveFile(bytes(values), format: 3, bits: 32))
    let sound = try read(path)
    #expect(sound.samples == [0.5, 0, 0, -0.5])
    #expect(
      sound.warnings == [
        "\(path), sound track: expected finite samples, found 2 that are infinite or undefined; they count as silence"
      ])
  }

  /// Uncompressed or lossless sound in containers that only libavformat reads, in every sample format of its decoders.
  @Test(arguments: [
    ("mkv", "pcm_u8"), ("mkv", "pcm_s16le"), ("mkv", "pcm_s24le"), ("mkv", "pcm_s32le"), ("mkv", "pcm_f32le"),
    ("mkv", "pcm_f64le"), ("nut", "pcm_s16le_planar"), ("nut", "pcm_s64le"), ("m4a", "alac"), ("mkv", "wavpack"),
    ("mkv", "flac"), ("mov", "pcm_s16be"),
  ])
  func `libavcodec's sample formats give the same samples as libsndfile's`(container: String, codec: String) throws {
    // The low byte is zero and the values even, so that 8 bits hold them exactly and the mean of two is exact.
    let values: [Int16] = (0..<6000).map { Int16(($0 * 37 % 256) - 128) * 256 }
    let wave = try folder.write("a.wav", waveFile(bytes(values), channels: 2))
    let expected = try read(wave)
    let sound = try read(folder.ffmpeg("b.\(container)", "-i", wave, "-c:a", codec))
    #expect(sound.decoder.hasPrefix("libavcodec "))
    #expect(sound.codec == codec)
    #expect(sound.channels == 2)
    #expect(sound.samples == expected.samples)
    #expect(sound.warnings == [])
  }

  // Compressed sound and resampling

  @Test(arguments: [
    ("wav", "pcm_s16le", "libsndfile"), ("flac", "flac", "libsndfile"), ("ogg", "libvorbis", "libsndfile"),
    ("mp3", "libmp3lame", "libsndfile"), ("opus", "libopus", "libsndfile"), ("m4a", "aac", "libavcodec"),
    ("mp4", "aac", "libavcodec"), ("mkv", "libvorbis", "libavcodec"), ("webm", "libopus", "libavcodec"),
    ("avi", "libmp3lame", "libavcodec"), ("mpg", "mp2", "libavcodec"), ("aac", "aac", "libavcodec"),
  ])
  func `a tone keeps its frequency and length`(container: String, codec: String, decoder: String) throws {
    // 48 kHz is the one rate that all of these take.
    let path = try folder.ffmpeg(
      "tone.\(container)", "-f", "lavfi", "-i", "sine=frequency=441:sample_rate=48000:duration=2", "-ac", "2", "-c:a",
      codec, "-b:a", "128k")
    let sound = try read(path)
    #expect(sound.decoder.hasPrefix(decoder))
    #expect(sound.sourceRate == 48000)
    #expect(sound.channels == 2)
    #expect(sound.warnings == [])
    // Raw AAC has no place for its encoder's delay, and frames are up to 1152 samples.
    #expect(abs(sound.seconds - 2) < 0.1)
    #expect(toneToRest(sound.samples[11_025..<33_075], hertz: 441) > 30)
  }

  @Test func `resampling from 48000 adds less than a hundred-thousandth`() throws {
    let tone = (0..<96_000).map { Float(0.5 * sin(2 * Double.pi * 1000 * Double($0) / 48_000)) }
    let sound = try read(folder.write("a.wav", waveFile(bytes(tone), format: 3, rate: 48_000, bits: 32)))
    #expect(sound.samples.count == 44_100)
    // soxr's 20 bits are 120 dB; single precision rounds a little above.
    #expect(toneToRest(sound.samples[4410..<39_690], hertz: 1000) > 100)
  }

  @Test func `tones above half the new rate vanish`() throws {
    let tone = (0..<96_000).map { Float(0.5 * sin(2 * Double.pi * 15_000 * Double($0) / 48_000)) }
    let sound = try read(folder.write("a.wav", waveFile(bytes(tone), format: 3, rate: 48_000, bits: 32)))
    #expect(sound.samples[4410..<39_690].allSatisfy { abs($0) < 1e-5 })
  }

  @Test(arguments: [
    (8000, 1000, 2757), (16_000, 31_580, 43_522), (44_100, 3, 2), (48_000, 1, 1), (96_000, 96_000, 22_050),
  ])
  func `lengths are rounded up as librosa does`(rate: Int, count: Int, expected: Int) throws {
    let silence = [Int16](repeating: 0, count: count)
    let sound = try read(folder.write("a.wav", waveFile(bytes(silence), rate: UInt32(rate))))
    #expect(sound.samples.count == expected)
  }

  // Nothing to hear

  @Test func `a film without sound has none`() throws {
    let path = try folder.ffmpeg("a.mp4", "-f", "lavfi", "-i", "color=size=64x64:duration=0.2")
    #expect(try Sound.read(path: path) == nil)
  }

  // Files that are not as they should be

  @Test func `a late sound track is used as it is and reported`() throws {
    let path = try folder.ffmpeg(
      "a.mkv", "-f", "lavfi", "-i", "color=size=64x64:duration=2", "-itsoffset", "0.5", "-f", "lavfi", "-i",
      "sine=sample_rate=22050:duration=1", "-c:a", "pcm_s16le")
    let sound = try read(path)
    #expect(sound.samples.count == 22050)
    #expect(
      sound.warnings == [
        "\(path), sound track: expected sound and pictures to start together, found the sound 0.50 seconds late; "
          + "it was used as it is"
      ])
  }

  @Test func `a cut-off WAV gives what is there`() throws {
    let whole = waveFile(bytes([Int16](repeating: 1000, count: 22050)))
    let path = try folder.write("a.wav", Array(whole.prefix(44 + 2 * 9000)))
    let sound = try read(path)
    #expect(sound.samples == [Float](repeating: 1000.0 / 32768, count: 9000))
    #expect(
      sound.warnings == [
        "\(path): expected 44100 bytes of samples, found fewer (the file ends); what is there was used"
      ])
  }

  @Test(arguments: [("flac", "flac"), ("mp3", "libmp3lame")])
  func `a cut-off sound file gives what is there`(container: String, codec: String) throws {
    _ = try folder.ffmpeg(
      "whole.\(container)", "-f", "lavfi", "-i", "anoisesrc=sample_rate=44100:duration=2:seed=1", "-c:a", codec)
    let bytes = try folder.bytes("whole.\(container)")
    let path = try folder.write("a.\(container)", Array(bytes.prefix(bytes.count / 2)))
    let sound = try read(path)
    #expect(sound.seconds > 0.8 && sound.seconds < 1.2)
    #expect(sound.warnings.count == 1)
    #expect(sound.warnings.first?.hasPrefix("\(path): expected 88200 samples per channel, found ") == true)
    #expect(sound.warnings.first?.hasSuffix("; what is there was used") == true)
  }

  @Test func `a cut-off film with its index in front gives what is there`() throws {
    _ = try folder.ffmpeg(
      "whole.mp4", "-f", "lavfi", "-i", "testsrc=size=64x64:duration=4", "-f", "lavfi", "-i",
      "sine=sample_rate=22050:duration=4", "-c:a", "aac", "-movflags", "+faststart")
    let bytes = try folder.bytes("whole.mp4")
    let path = try folder.write("a.mp4", Array(bytes.prefix(bytes.count * 2 / 3)))
    let sound = try read(path)
    #expect(sound.seconds > 0.5 && sound.seconds < 3.5)
    #expect(
      sound.warnings.last
        == "\(path), sound track: expected 4.00 seconds, found \(secondsText(sound.seconds)) (the file ends); "
        + "what is there was used")
  }

  @Test func `a cut-off film with its index at the end is refused`() throws {
    _ = try folder.ffmpeg("whole.mp4", "-f", "lavfi", "-i", "sine=sample_rate=22050:duration=2", "-c:a", "aac")
    let bytes = try folder.bytes("whole.mp4")
    let path = try folder.write("a.mp4", Array(bytes.prefix(bytes.count / 2)))
    expectError(
      path, .damaged,
      "\(path): expected a whole file of the kind mov,mp4,m4a,3gp,3g2,mj2, found a damaged or cut-off one "
        + "(Invalid data found when processing input); copy or record it again")
  }

  @Test func `damaged packets are skipped and counted`() throws {
    _ = try folder.ffmpeg(
      "whole.mp4", "-f", "lavfi", "-i", "anoisesrc=sample_rate=22050:duration=4:seed=1", "-c:a", "aac", "-movflags",
      "+faststart")
    var bytes = try folder.bytes("whole.mp4")
    for index in (bytes.count / 2)..<(bytes.count * 5 / 8) { bytes[index] = 0xFF }
    let path = try folder.write("a.mp4", bytes)
    let sound = try read(path)
    #expect(sound.seconds > 2)
    let skipped = sound.warnings.filter { $0.hasSuffix("they were skipped") }
    #expect(skipped.count == 1)
    #expect(skipped.first?.hasPrefix("\(path), sound track: expected packets that decode, found ") == true)
  }

  @Test func `a rate that changes midway is followed`() throws {
    _ = try folder.ffmpeg("1.aac", "-f", "lavfi", "-i", "sine=frequency=441:sample_rate=44100:duration=1")
    _ = try folder.ffmpeg("2.aac", "-f", "lavfi", "-i", "sine=frequency=441:sample_rate=16000:duration=1", "-ac", "2")
    let path = try folder.write("a.aac", folder.bytes("1.aac") + folder.bytes("2.aac"))
    let sound = try read(path)
    #expect(abs(sound.seconds - 2) < 0.25)
    #expect(sound.sourceRate == 44100)
    #expect(sound.channels == 1)
    #expect(toneToRest(sound.samples[5000..<18_000], hertz: 441) > 30)
    #expect(toneToRest(sound.samples[27_000..<40_000], hertz: 441) > 30)
    #expect(
      sound.warnings.contains(
        "\(path), sound track: expected one sample rate and channel count, found 1 change; "
          + "each part was converted by itself"))
  }

  @Test func `a name that looks like an address is a file`() throws {
    let wave = try folder.write("a.wav", waveFile(bytes([1, 2, 3] as [Int16])))
    _ = try folder.ffmpeg("b.mkv", "-i", wave, "-c:a", "pcm_s16le")
    let path = try folder.write("http:x.mkv", folder.bytes("b.mkv"))
    #expect(try read(path).samples.count == 3)
  }

  // Refusals, word for word

  private func expectError(
    _ path: String, _ kind: MediaError.Kind, _ sentence: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: MediaError.self, sourceLocation: sourceLocation) { try Sound.read(path: path) }
    #expect(error?.kind == kind, sourceLocation: sourceLocation)
    #expect(error?.path == path, sourceLocation: sourceLocation)
    #expect(error?.sentence == sentence, sourceLocation: sourceLocation)
  }

  @Test func `a missing file is refused`() {
    let path = folder.path("no.wav")
    expectError(
      path, .missing, "\(path): expected a sound or video file, found nothing at this path; check the name")
  }

  @Test func `a folder is refused`() {
    let path = folder.path("")
    expectError(
      path, .notAFile, "\(path): expected a sound or video file, found a folder; name one of its files")
  }

  @Test func `a device is refused`() {
    expectError(
      "/dev/null", .notAFile,
      "/dev/null: expected a sound or video file, found a device or a pipe; save its content as a file first")
  }

  @Test func `an empty file is refused`() throws {
    let path = try folder.write("a.wav", [])
    expectError(
      path, .empty, "\(path): expected a sound or video file, found 0 bytes; copy or record it again")
  }

  @Test(arguments: ["a.txt", "a.wav", "a.mp4", "a.vox", "a.raw"])
  func `a text is refused whatever its name`(name: String) throws {
    let path = try folder.write(name, Array(String(repeating: "This is no sound.\n", count: 200).utf8))
    expectError(
      path, .notMedia,
      "\(path), first bytes: expected a sound or video file, found none of the known formats; "
        + "convert it, for example with ffmpeg to .mp4 or .wav")
  }

  @Test func `subtitles are refused`() throws {
    let path = try folder.write("a.srt", Array("1\n00:00:01,000 --> 00:00:02,000\nHello\n\n".utf8))
    expectError(
      path, .notMedia,
      "\(path): expected a stream of sound or pictures, found none (srt); check that this is the clip you meant")
  }

  @Test func `a playlist is refused before it opens other files`() throws {
    let path = try folder.write(
      "a.m3u8", Array("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.ts\n".utf8))
    expectError(
      path, .unsupported,
      "\(path): expected one file that holds sound or pictures itself, found a list of other files (hls); "
        + "join them into one file, for example with ffmpeg")
  }

  @Test func `a WAV without samples is refused`() throws {
    let path = try folder.write("a.wav", waveFile([]))
    expectError(
      path, .damaged,
      "\(path): expected at least one sample of sound, found none (the file ends); copy or record it again")
  }

  @Test func `a rate that no microphone has is refused`() throws {
    let path = try folder.write("a.wav", waveFile(bytes([1, 2, 3] as [Int16]), rate: 999))
    expectError(
      path, .damaged,
      "\(path), sound track: expected 1000 to 768000 samples per second, found 999; "
        + "convert it, for example with ffmpeg")
  }

  @Test(arguments: ["wav", "m4a"])
  func `a sound longer than the limit is refused`(container: String) throws {
    let path = try folder.ffmpeg("a.\(container)", "-f", "lavfi", "-i", "sine=sample_rate=22050:duration=2.5")
    let error = #expect(throws: MediaError.self) { try Sound.read(path: path, longestSeconds: 2) }
    #expect(error?.kind == .tooLong)
    #expect(error?.sentence == "\(path), sound track: expected at most 2 seconds, found more; cut it into clips")
    #expect(try Sound.read(path: path, longestSeconds: 3) != nil)
  }

  @Test func `noise after any known signature is an error or a sound, never a crash`() throws {
    var state: UInt32 = 1
    let signatures = [
      "RIFF\0\0\0\0WAVEfmt ", "fLaC\0\0\0\u{22}", "OggS", "ID3\u{3}", "\0\0\0 ftypisom", "\u{1A}E\u{DF}\u{A3}",
      "FORM\0\0\0\0AIFF",
      ".snd", "caff\0\u{1}", "RIFF\0\0\0\0AVI LIST", "\0\0\u{1}\u{BA}", "FLV\u{1}",
    ]
    for signature in signatures {
      for _ in 0..<20 {
        let noise = (0..<3000).map { _ -> UInt8 in
          state = state &* 1_664_525 &+ 1_013_904_223
          return UInt8(state >> 24)
        }
        let path = try folder.write("a.bin", signature.unicodeScalars.map { UInt8($0.value) } + noise)
        do throws(MediaError) {
          let sound = try Sound.read(path: path)
          #expect(sound?.samples.isEmpty != true)
        } catch {
          #expect(error.sentence.hasPrefix(path))
        }
      }
    }
  }
}
