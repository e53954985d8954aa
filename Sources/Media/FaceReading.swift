import ERISignal

/// The stages of reading one clip.
struct FaceReading {
  private let path: String
  private let options: FaceTrack.Options
  private var tracker: FaceTracker
  private var search = SparseSearch<ShownFrame>()
  private var keeper: FrameKeeper
  private var clip = ClipGeometry()
  private var decodeTime = Duration.zero
  private var detectTime = Duration.zero

  /// Bytes of decoded pictures held back at most while the face is missing.
  private static let pendingBytes = 64 << 20

  init(path: String, detector: FaceDetector, options: FaceTrack.Options) {
    self.path = path
    self.options = options
    tracker = FaceTracker(detector: detector)
    keeper = FrameKeeper(steps: options.steps, expected: nil, budget: options.keptBytes)
  }

  mutating func run(progress: ((Int, Int?) -> Void)?) throws(MediaError) -> VideoOutcome {
    let clock = ContinuousClock()
    guard let decoder = try VideoDecoder(path: path, threads: options.threads) else { return .noVideo }
    let expected = decoder.announcedFrames
    keeper = FrameKeeper(steps: options.steps, expected: expected, budget: options.keptBytes)

    var times = FrameTimes()
    while true {
      let start = clock.now
      guard let frame = try decoder.next() else {
        decodeTime += clock.now - start
        break
      }
      decodeTime += clock.now - start
      times.add(decoder.seconds(of: frame))
      let shown = clip.shown(frame, decoder: decoder)
      keeper.offer(shown)
      let patience = Self.pendingBytes / max(frame.byteCount, 1)
      let detectStart = clock.now
      try search.add(
        shown, patience: patience,
        find: { (picture, near) throws(MediaError) in
          try tracker.find(in: picture, near: near)
        })
      detectTime += clock.now - detectStart
      if times.count % 25 == 0 { progress?(times.count, expected) }
    }
    let detectStart = clock.now
    try search.finish(find: { (picture, near) throws(MediaError) in try tracker.find(in: picture, near: near) })
    detectTime += clock.now - detectStart
    let sightings = search.sightings
    guard !sightings.isEmpty else { throw noPicture(decoder) }
    if let reason = decoder.cutOff, decoder.listsItsPictures, let expected, sightings.count < expected {
      // The sampled pictures would be others than those of the whole clip.
      throw MediaError(
        .damaged, path: path, place: "video stream", expected: "the \(expected) pictures that the file lists",
        found: "\(sightings.count) before it ends (\(reason))", advice: "copy it again")
    }
    progress?(sightings.count, sightings.count)

    let frameSeconds = decoder.announcedFrameSeconds
    let warnings = clip.warnings + decoderWarnings(decoder, end: times.end(frameSeconds: frameSeconds))
    var video = VideoSummary(
      frames: sightings.count, framesWithFace: sightings.count { $0 != .absent },
      seconds: times.seconds(frameSeconds: frameSeconds), width: clip.width, height: clip.height,
      codec: decoder.codecName, warnings: warnings,
      decodeMilliseconds: decodeTime.milliseconds, detectMilliseconds: detectTime.milliseconds, cropMilliseconds: 0)
    guard let boxes = Sighting.boxes(sightings) else { return .noFace(video) }

    let indices = try sampled(sightings.count)
    video.warnings += gapWarning(sightings, indices, secondsPerFrame: video.seconds / Double(sightings.count))
    let cutter = try cropped(at: indices, boxes: boxes)
    guard let crops = cutter.joined(indices) else {
      throw MediaError(
        .damaged, path: path, place: "video stream", expected: "the same \(boxes.count) pictures when decoded again",
        found: "fewer", advice: "do not change the file while it is read")
    }
    video.decodeMilliseconds = decodeTime.milliseconds
    video.cropMilliseconds = cutter.time.milliseconds
    return .face(
      FaceTrack(video: video, boxes: boxes, sampledIndices: indices, crops: crops, size: options.size))
  }

  private func sampled(_ count: Int) throws(MediaError) -> [Int] {
    do {
      return try FrameSampling.indices(count: count, steps: options.steps)
    } catch {
      throw MediaError(
        .tooLong, path: path, place: "video stream", expected: "pictures that can be sampled",
        found: "\(count) pictures for \(options.steps) steps (\(error.sentence))", advice: "take a shorter clip")
    }
  }

  /// Cuts the sampled pictures, from those kept or from a second decoding.
  private mutating func cropped(at indices: [Int], boxes: [FaceBox]) throws(MediaError) -> CropCutter {
    var cutter = CropCutter(boxes: boxes, margin: options.margin, size: options.size)
    let wanted = Set(indices)
    if keeper.holds(wanted) {
      for index in wanted.sorted() {
        if let picture = keeper.frames[index] { try cutter.cut(picture, index: index) }
      }
      return cutter
    }
    keeper = FrameKeeper(steps: 0, expected: nil, budget: 0)
    let clock = ContinuousClock()
    guard let last = wanted.max(), let decoder = try VideoDecoder(path: path, threads: options.threads) else {
      return cutter
    }
    var again = ClipGeometry()
    for index in 0...last {
      let start = clock.now
      let next = try decoder.next()
      decodeTime += clock.now - start
      guard let next else { break }
      let shown = again.shown(next, decoder: decoder)
      if wanted.contains(index) { try cutter.cut(shown, index: index) }
    }
    return cutter
  }

  private func noPicture(_ decoder: VideoDecoder) -> MediaError {
    let reason = decoder.cutOff.map { " (\($0))" } ?? ""
    return MediaError(
      .damaged, path: path, place: "video stream", expected: "at least one picture",
      found: "none that the \(decoder.codecName) decoder can read\(reason)", advice: "copy or record it again")
  }

  private func decoderWarnings(_ decoder: VideoDecoder, end: Double?) -> [String] {
    var warnings: [String] = []
    if let reason = decoder.cutOff {
      warnings.append("the file ends before its video stream does (\(reason))")
    } else if let end, let announced = decoder.announcedEnd, announced - end > max(0.5, 0.05 * announced) {
      // Several containers just stop where they are cut.
      warnings.append("the pictures end at \(end.inTenths) s, but the file announces \(announced.inTenths) s")
    }
    if decoder.refused > 0 { warnings.append("\(decoder.refused) damaged video packets were skipped") }
    if decoder.repaired > 0 { warnings.append("\(decoder.repaired) damaged pictures were repaired by the decoder") }
    return warnings
  }

  private func gapWarning(_ sightings: [Sighting], _ indices: [Int], secondsPerFrame: Double) -> [String] {
    let gaps = Sighting.gapLengths(sightings)
    let guessed = indices.count { Double(gaps[$0]) * secondsPerFrame > 1 }
    if guessed == 0 { return [] }
    return [
      "\(guessed) of \(indices.count) sampled pictures lie in a gap of over a second without a face; "
        + "their crops are guessed"
    ]
  }
}

/// The crops of sampled pictures.
private struct CropCutter {
  let boxes: [FaceBox]
  let margin: Double
  let size: Int
  private var crops: [Int: [UInt8]] = [:]
  private(set) var time = Duration.zero

  init(boxes: [FaceBox], margin: Double, size: Int) {
    self.boxes = boxes
    self.margin = margin
    self.size = size
  }

  mutating func cut(_ picture: ShownFrame, index: Int) throws(MediaError) {
    let clock = ContinuousClock()
    let start = clock.now
    crops[index] = try picture.rgb(boxes[index].square(margin), side: size)
    time += clock.now - start
  }

  /// The crops one after another, or nil if one was never cut.
  func joined(_ indices: [Int]) -> [UInt8]? {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(indices.count * size * size * 3)
    for index in indices {
      guard let crop = crops[index] else { return nil }
      pixels += crop
    }
    return pixels
  }
}

/// Keeps the pictures that will probably be sampled, so that most clips are decoded once.
private struct FrameKeeper {
  private(set) var frames: [Int: ShownFrame] = [:]
  private let likely: Set<Int>
  private let budget: Int
  private var bytes = 0
  private var count = 0
  /// Whether every picture is kept so far, which makes the guess unnecessary.
  private var keepsAll = true

  init(steps: Int, expected: Int?, budget: Int) {
    // A header may announce anything; without a usable number the clip is decoded twice.
    likely = Set((try? FrameSampling.indices(count: expected ?? 0, steps: steps)) ?? [])
    self.budget = budget
  }

  mutating func offer(_ frame: ShownFrame) {
    let index = count
    count += 1
    let size = frame.frame.byteCount
    if keepsAll, bytes + size > budget {
      keepsAll = false
      frames = frames.filter { likely.contains($0.key) }
      bytes = frames.values.reduce(0) { $0 + $1.frame.byteCount }
    }
    guard keepsAll || likely.contains(index), bytes + size <= budget else { return }
    frames[index] = frame
    bytes += size
  }

  func holds(_ wanted: Set<Int>) -> Bool { wanted.allSatisfy { frames[$0] != nil } }
}

/// Collects the times of pictures.
private struct FrameTimes {
  private(set) var count = 0
  private var first: Double?
  private var last: Double?

  mutating func add(_ seconds: Double?) {
    count += 1
    guard let seconds else { return }
    if first == nil { first = seconds }
    last = seconds
  }

  /// The time at which the last picture ends.
  func end(frameSeconds: Double) -> Double? { last.map { $0 + frameSeconds } }

  /// Length of the clip; the last picture lasts as long as the mean one, or as the header says for a single one.
  func seconds(frameSeconds: Double) -> Double {
    guard count > 1, let first, let last, last > first else { return Double(count) * frameSeconds }
    return (last - first) * Double(count) / Double(count - 1)
  }
}

extension Double {
  /// Rounded to one decimal.
  fileprivate var inTenths: Double { (self * 10).rounded() / 10 }
}

extension Duration {
  fileprivate var milliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
  }
}
