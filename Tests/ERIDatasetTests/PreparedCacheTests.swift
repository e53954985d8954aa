import ERIFormat
import ERIMedia
import ERISignal
import ERITestSupport
import Foundation
import Testing

@testable import ERIDataset

/// A dataset of short WAV files, each with noise of its own.
private struct Sounds {
  let folder: TemporaryFolder
  let path: String
  let count: Int

  init(_ count: Int) throws {
    self.count = count
    folder = try TemporaryFolder()
    path = folder.path("data")
    try FileManager.default.createDirectory(at: folder.url("data/wav"), withIntermediateDirectories: true)
    for index in 0..<count { try write(index, seed: UInt64(index)) }
    try label { index in Float(index) / Float(count) }
  }

  func write(_ index: Int, seed: UInt64) throws {
    var random = SeededRandom(seed: seed, stream: "wave")
    let samples = (0..<(6000 + 512 * index)).map { _ in Int16(random.uniform(in: -9000...9000)) }
    _ = try folder.write("data/wav/\(index).wav", waveFile(samples: samples))
  }

  func label(_ value: (Int) -> Float) throws {
    let lines = (0..<count).map { "[\($0)],\($0 % 3 == 2 ? "val" : "train"),\(value($0)),S\($0 % 2)\n" }
    _ = try folder.write("data/labels.csv", Array(("File_ID,Split,A,Subject\n" + lines.joined()).utf8))
  }

  static let settings = Preprocessing(audio: AudioPreprocessing())

  /// Prepares into a cache; returns it, how many clips it made now, and the notes without the folder's path.
  func prepare(
    _ cache: String = "cache", _ settings: Preprocessing = settings, threads: Int = 1, shardClips: Int = 2
  ) throws -> (cache: PreparedCache, prepared: Int, notes: [String]) {
    let preparation = Preparation(
      try DatasetManifest(folder: path), to: folder.path(cache), preprocessing: settings, shardClips: shardClips)
    var notes: [String] = []
    let outcome = try preparation.run(threads: threads) { event in
      if case .note(let sentence) = event { notes.append(sentence.replacing(folder.path(""), with: "DIR")) }
    }
    return (outcome.cache, outcome.prepared, notes)
  }

  /// The sentence of a preparation that fails.
  func refusal(_ settings: Preprocessing = settings) -> String? {
    let error = #expect(throws: DatasetError.self) { _ = try prepare("cache", settings) }
    return error?.sentence.replacing(folder.path(""), with: "DIR")
  }

  func mfcc(_ index: Int) throws -> [Float] {
    let sound = try #require(try Sound.read(path: "\(path)/wav/\(index).wav"))
    return try MFCC().compute(sound.samples)
  }

  /// Cuts bytes off a file's end.
  func shorten(_ name: String) throws {
    let bytes = try folder.bytes(name)
    _ = try folder.write(name, Array(bytes.dropLast(40)))
  }
}

@Suite struct PreparedCacheTests {
  @Test func `a cache gives every clip's labels and the MFCC of its sound`() throws {
    let sounds = try Sounds(5)
    let cache = try sounds.prepare().cache
    #expect(cache.labels == ["A"])
    #expect(cache.clips.map { $0.id } == ["0", "1", "2", "3", "4"])
    #expect(cache.clips.map { $0.split } == [.train, .train, .validation, .train, .train])
    #expect(cache.clips.map { $0.labels } == [[0], [0.2], [0.4], [0.6], [0.8]])
    #expect(cache.clips.map { $0.subject } == ["S0", "S1", "S0", "S1", "S0"])
    #expect(cache.clips.allSatisfy { $0.hasSound && !$0.hasFaces && $0.isLabelled })
    for (index, clip) in cache.clips.enumerated() {
      let expected = try sounds.mfcc(index)
      #expect(clip.frames == expected.count / 128)
      #expect(try cache.mfcc(of: clip) == expected)
    }
    let faces = #expect(throws: DatasetError.self) { try cache.faces(of: cache.clips[0]) }
    #expect(
      faces?.sentence
        == "\(cache.path), clip 0: expected a face, found none of it in the cache; leave the clip out or prepare the dataset "
        + "with that modality")
    let empty = #expect(throws: DatasetError.self) { try cache.clips(in: .test) }
    #expect(
      empty?.sentence
        == "\(cache.path): expected clips of the split test, found none; mark some as test in the label file and prepare it "
        + "again")
  }

  @Test func `threads and shards change neither the digest nor a value`() throws {
    let sounds = try Sounds(7)
    let one = try sounds.prepare("one", threads: 1, shardClips: 3).cache
    let many = try sounds.prepare("many", threads: 4, shardClips: 2).cache
    #expect(one.digest == many.digest)
    #expect(one.digest.count == 64)
    for (first, second) in zip(one.clips, many.clips) {
      #expect(try one.mfcc(of: first) == many.mfcc(of: second))
    }
  }

  @Test func `the digest changes with a label, a split, a name and a value`() throws {
    let sounds = try Sounds(3)
    var digests = [try sounds.prepare().cache.digest]
    try sounds.label { $0 == 1 ? 0.5 : Float($0) / 3 }
    digests.append(try sounds.prepare().cache.digest)
    let text = String(decoding: try sounds.folder.bytes("data/labels.csv"), as: UTF8.self)
    for (from, to) in [("[1],train", "[1],val"), (",A,", ",B,")] {
      _ = try sounds.folder.write("data/labels.csv", Array(text.replacing(from, with: to).utf8))
      digests.append(try sounds.prepare().cache.digest)
    }
    _ = try sounds.folder.write("data/labels.csv", Array(text.utf8))
    try sounds.write(1, seed: 99)
    digests.append(try sounds.prepare().cache.digest)
    #expect(Set(digests).count == digests.count)
  }

  @Test func `a second run prepares nothing, new labels nothing, and a changed file its clip alone`() throws {
    let sounds = try Sounds(4)
    #expect(try sounds.prepare().prepared == 4)
    let again = try sounds.prepare()
    #expect(again.prepared == 0)
    #expect(again.notes == ["DIR/cache: 4 clips were prepared before, 0 are to be prepared"])
    try sounds.label { _ in 0.25 }
    let relabelled = try sounds.prepare()
    #expect(relabelled.prepared == 0)
    #expect(relabelled.cache.clips.map { $0.labels } == [[0.25], [0.25], [0.25], [0.25]])
    try sounds.write(2, seed: 50)
    let changed = try sounds.prepare()
    #expect(changed.prepared == 1)
    #expect(changed.notes.first == "DIR/cache: 1 clips' files have changed and are prepared again")
    #expect(try changed.cache.mfcc(of: changed.cache.clips[2]) == sounds.mfcc(2))
  }

  @Test func `clips that leave the label file leave the cache, and their shards with them`() throws {
    let sounds = try Sounds(4)
    _ = try sounds.prepare()
    _ = try sounds.folder.write("data/labels.csv", Array("File_ID,Split,A\n0,train,0\n1,train,1\n".utf8))
    let fewer = try sounds.prepare()
    #expect(
      fewer.notes == [
        "DIR/cache: 2 clips are no longer in DIR/data/labels.csv and leave the cache",
        "DIR/cache: 2 clips were prepared before, 0 are to be prepared",
      ])
    #expect(try FileManager.default.contentsOfDirectory(atPath: fewer.cache.path).count == 2)
  }

  @Test func `broken and missing clips are reported, recorded and tried again, the others are prepared`() throws {
    let sounds = try Sounds(4)
    _ = try sounds.folder.write("data/wav/1.wav", Array("no sound".utf8))
    try FileManager.default.removeItem(at: sounds.folder.url("data/wav/3.wav"))
    let first = try sounds.prepare()
    let faults = [
      "DIR/data, clip 3: expected a file 3.mp4, .wav or the like in train/mp4, train/wav, mp4, wav, video, audio or the folder "
        + "itself, found none; add the file or remove the line",
      "DIR/data/wav/1.wav, first bytes: expected a sound or video file, found none of the known formats; convert it, for "
        + "example with ffmpeg to .mp4 or .wav",
    ]
    #expect(first.notes == faults)
    #expect(first.cache.clips.map { $0.id } == ["0", "2"])
    #expect(
      first.cache.broken.map { "\($0.id) \($0.error.replacing(sounds.folder.path(""), with: "DIR"))" }
        == ["1 " + faults[1], "3 " + faults[0]])
    for index in [1, 3] { try sounds.write(index, seed: UInt64(index)) }
    let second = try sounds.prepare()
    #expect(second.prepared == 2)
    #expect(second.cache.digest == (try sounds.prepare("fresh").cache.digest))
  }

  @Test func `other preprocessing, and a folder with something else in it, are refused`() throws {
    let sounds = try Sounds(2)
    _ = try sounds.prepare()
    var audio = AudioPreprocessing()
    audio.coefficientCount = 20
    #expect(
      sounds.refusal(Preprocessing(audio: audio))
        == "DIR/cache: expected a cache made with no video audio sample_rate 22050 fft_size 2048 hop_length 512 mel_count 128 "
        + "coefficients 20 top_decibels 80.0, found no video audio sample_rate 22050 fft_size 2048 hop_length 512 mel_count 128 "
        + "coefficients 128 top_decibels 80.0; give the options it was made with or choose another folder")
    try FileManager.default.removeItem(at: sounds.folder.url("cache"))
    try FileManager.default.createDirectory(at: sounds.folder.url("cache"), withIntermediateDirectories: false)
    _ = try sounds.folder.write("cache/thesis.txt", [1])
    #expect(
      sounds.refusal()
        == "DIR/cache: expected an empty folder or a prepared cache, found a folder with thesis.txt; choose another")
  }

  // MARK: Damage

  @Test func `a damaged shard is an error where it is read, and prepare makes its clips anew`() throws {
    let sounds = try Sounds(4)
    let digest = try sounds.prepare().cache.digest
    try sounds.shorten("cache/shard-00001.eri")
    let cache = try PreparedCache(path: sounds.folder.path("cache"))
    #expect(try cache.mfcc(of: cache.clips[1]) == sounds.mfcc(1))
    let error = #expect(throws: DatasetError.self) { try cache.mfcc(of: cache.clips[2]) }
    #expect(error?.sentence.hasPrefix(sounds.folder.path("cache/shard-00001.eri") + ": ") == true)
    #expect(error?.sentence.hasSuffix("; run eri prepare again to make its clips anew") == true)
    let repaired = try sounds.prepare()
    #expect(repaired.prepared == 2)
    #expect(repaired.notes.first?.hasPrefix("DIR/cache/shard-00001.eri: ") == true)
    #expect(repaired.notes.first?.hasSuffix("; its 2 clips are prepared again") == true)
    #expect(repaired.cache.digest == digest)
  }

  @Test func `a shard of another cache is recognised by its tensors' digests`() throws {
    let (sounds, others) = (try Sounds(2), try Sounds(2))
    for index in 0..<2 { try others.write(index, seed: UInt64(index) + 70) }
    _ = try (sounds.prepare(), others.prepare())
    _ = try sounds.folder.write("cache/shard-00000.eri", others.folder.bytes("cache/shard-00000.eri"))
    let cache = try PreparedCache(path: sounds.folder.path("cache"))
    let error = #expect(throws: DatasetError.self) { try cache.mfcc(of: cache.clips[0]) }
    #expect(error?.sentence.contains("shard-00000.eri, tensor \"0/mfcc\": expected SHA-256 ") == true)
  }

  /// What to replace in an index, and what the error says.
  static let damages: [(from: String, to: String, sentence: String)] = [
    (
      "eri-cache,1", "eri-cache,2",
      "line 1: expected version 1 of a prepared cache, found version 2; prepare the dataset again with this release"
    ),
    (
      "eri-cache,1", "File_ID,A",
      "line 1: expected the record eri-cache,1 of a prepared cache, found another; name a cache that eri prepare made"
    ),
    (
      "fft_size,2048", "fft_size,-1",
      "line 2: expected fft_size of 1 to 65536, found \"-1\"; delete the cache and prepare it again"
    ),
    (
      "top_decibels,80.0", "top_decibels",
      "line 2: expected top_decibels, found \"top_decibels\"; delete the cache and prepare it again"
    ),
    (
      "audio,sample_rate", "audio,rate",
      "line 2: expected sample_rate, found \"rate\"; delete the cache and prepare it again"
    ),
    (
      "id,split", "name,split",
      "line 3: expected the columns id,split,subject,shard,number,mfcc_frames,mfcc_sha256,faces_sha256,media,notes,error and a label's, found others; delete the cache and prepare it again"
    ),
    (
      "0,train,S0,0,", "0,train,S0,99999999999999999999,",
      "line 4: expected a shard's number, found \"99999999999999999999\"; delete the cache and prepare it again"
    ),
    (
      "0,train,S0,0,0,", "0,train,S0,0,-1,",
      "line 4: expected a number in the shard, found \"-1\"; delete the cache and prepare it again"
    ),
    (
      "0,train,S0", "0,Train,S0",
      "line 4: expected train, validation or test, found \"Train\"; delete the cache and prepare it again"
    ),
    (",,,0.0\n", ",,,7\n", "line 4: expected a label from 0 to 1, found \"7\"; delete the cache and prepare it again"),
    (",,,0.0\n", ",,,0.0,1\n", "line 4: expected 12 fields, found 13; delete the cache and prepare it again"),
    (
      "\n1,train", "\n0,train",
      "line 5: expected every clip once, found 0 a second time; delete the cache and prepare it again"
    ),
  ]

  @Test func `each fault of an index is told with its line`() throws {
    let sounds = try Sounds(2)
    let path = try sounds.prepare().cache.path
    let text = String(decoding: try sounds.folder.bytes("cache/index.csv"), as: UTF8.self)
    for (from, to, sentence) in Self.damages {
      let changed = text.replacing(from, with: to, maxReplacements: 1)
      #expect(changed != text, "\(from) is not in the index")
      _ = try sounds.folder.write("cache/index.csv", Array(changed.utf8))
      let error = #expect(throws: DatasetError.self) { try PreparedCache(path: path) }
      #expect(error?.sentence == "\(path)/index.csv, \(sentence)")
    }
  }

  @Test func `no byte of an index can crash its reader`() throws {
    let sounds = try Sounds(2)
    let path = try sounds.prepare().cache.path
    let bytes = try sounds.folder.bytes("cache/index.csv")
    var refused = 0
    for position in stride(from: 0, to: bytes.count, by: 3) {
      var damaged = bytes
      damaged[position] = damaged[position] == 0x2C ? 0x39 : 0x2C
      _ = try sounds.folder.write("cache/index.csv", damaged)
      if (try? PreparedCache(path: path)) == nil { refused += 1 }
    }
    #expect(refused > bytes.count / 6)
  }

  @Test func `two preparations cannot write to one cache at a time`() throws {
    let sounds = try Sounds(2)
    let writer = try CacheWriter(
      folder: sounds.folder.path("cache"), preprocessing: Sounds.settings, labels: ["A"], size: .init())
    #expect(
      sounds.refusal()
        == "DIR/cache: expected a cache that nobody else is writing to, found one that another eri prepare has open; wait for "
        + "it to end")
    withExtendedLifetime(writer) {}
  }
}

@Suite struct PreparedFacesTests {
  @Test func `a clip of two files has the faces of its video and the sound of its sound file`() throws {
    let folder = try TemporaryFolder()
    for name in ["mp4", "wav"] {
      try FileManager.default.createDirectory(at: folder.url("data/\(name)"), withIntermediateDirectories: true)
    }
    let clip = try Synthesizer(seed: 3, format: ClipFormat(duration: 0.4)).clip(0)
    try ClipWriter.write(clip, to: folder.path("data/mp4/a.mp4"))
    _ = try folder.write("data/wav/a.wav", waveFile(samples: [Int16](repeating: 300, count: 9000)))
    _ = try folder.write("data/labels.csv", Array("File_ID,Split,A\na,train,0.5\n".utf8))
    var video = VideoPreprocessing()
    (video.steps, video.height, video.width) = (4, 32, 32)
    var audio = AudioPreprocessing()
    audio.steps = 4
    let settings = Preprocessing(video: video, audio: audio)
    let manifest = try DatasetManifest(folder: folder.path("data"))
    let cache = try Preparation(manifest, to: folder.path("cache"), preprocessing: settings).run(threads: 1) { _ in }
      .cache
    #expect(cache.preprocessing == settings)
    let prepared = try #require(cache.clips.first)
    #expect(prepared.frames == 1 + 9000 / 512)
    let detector = try FaceDetector()
    let features = try ClipFeatures(
      ClipMedia(path: folder.path("data/mp4/a.mp4")), preprocessing: Preprocessing(video: video), detector: detector)
    #expect(try cache.faces(of: prepared) == features.faces)
    #expect(try cache.faces(of: prepared).count == 4 * 32 * 32 * 3)
  }
}
