import ERIFormat

/// The preprocessing that decides what a prepared cache holds, as records of its index: a name, then its value, and so on.
///
/// How pixels and coefficients are normalised and how rows are chosen is not among it: that is applied when samples are read.
enum CacheSettings {
  static func record(_ video: VideoPreprocessing) -> [String] {
    [
      "steps", "\(video.steps)", "size", "\(video.height)", "crop", name(video.crop), "crop_scale",
      decimal(video.cropScale),
    ]
  }

  static func record(_ audio: AudioPreprocessing) -> [String] {
    [
      "sample_rate", "\(audio.sampleRate)", "fft_size", "\(audio.fftSize)", "hop_length", "\(audio.hopLength)",
      "mel_count", "\(audio.melCount)", "coefficients", "\(audio.coefficientCount)", "top_decibels",
      decimal(audio.topDecibels),
    ]
  }

  /// What differs between the contents of two caches, for a message; nil if nothing does.
  static func difference(_ wanted: Preprocessing, _ found: Preprocessing) -> (expected: String, found: String)? {
    let sides = [wanted, found].map { preprocessing in
      (preprocessing.video.map { ["video"] + record($0) } ?? ["no video"])
        + (preprocessing.audio.map { ["audio"] + record($0) } ?? ["no audio"])
    }
    if sides[0] == sides[1] { return nil }
    return (sides[0].joined(separator: " "), sides[1].joined(separator: " "))
  }

  private static func name(_ crop: VideoPreprocessing.Crop) -> String {
    switch crop {
    case .box: "box"
    }
  }

  static func video(_ record: CSVReader.Record, _ reader: CSVReader) throws(DatasetError) -> VideoPreprocessing {
    var settings = Settings(record: record, reader: reader)
    var video = VideoPreprocessing()
    video.steps = try settings.integer("steps", 1...Limits.steps)
    video.height = try settings.integer("size", 1...Limits.cropExtent)
    video.width = video.height
    let crop = try settings.text("crop")
    guard crop == name(.box) else { throw settings.fault("crop box", crop) }
    video.crop = .box
    video.cropScale = try settings.number("crop_scale", 0.01...Double(Limits.cropScale))
    try settings.expectEnd()
    return video
  }

  static func audio(_ record: CSVReader.Record, _ reader: CSVReader) throws(DatasetError) -> AudioPreprocessing {
    var settings = Settings(record: record, reader: reader)
    var audio = AudioPreprocessing()
    audio.sampleRate = try settings.integer("sample_rate", 1...Limits.sampleRate)
    audio.fftSize = try settings.integer("fft_size", 1...Limits.transformSize)
    audio.hopLength = try settings.integer("hop_length", 1...Limits.transformSize)
    audio.melCount = try settings.integer("mel_count", 1...Limits.bands)
    audio.coefficientCount = try settings.integer("coefficients", 1...Limits.bands)
    audio.topDecibels = try settings.number("top_decibels", 0...1000)
    audio.mean = [Float](repeating: 0, count: audio.coefficientCount)
    audio.deviation = [Float](repeating: 1, count: audio.coefficientCount)
    try settings.expectEnd()
    return audio
  }

  /// Takes a record's names and values in their order.
  private struct Settings {
    let record: CSVReader.Record
    let reader: CSVReader
    private var position = 1

    init(record: CSVReader.Record, reader: CSVReader) {
      self.record = record
      self.reader = reader
    }

    mutating func text(_ name: String) throws(DatasetError) -> String {
      guard position + 1 < record.fields.count, record.fields[position] == name else {
        throw fault(name, position < record.fields.count ? record.fields[position] : "the end of the line")
      }
      position += 2
      return record.fields[position - 1]
    }

    mutating func integer(_ name: String, _ range: ClosedRange<Int>) throws(DatasetError) -> Int {
      let text = try text(name)
      guard let value = Int(text), range.contains(value) else {
        throw fault("\(name) of \(range.lowerBound) to \(range.upperBound)", text)
      }
      return value
    }

    mutating func number(_ name: String, _ range: ClosedRange<Double>) throws(DatasetError) -> Float {
      let text = try text(name)
      guard let value = decimalNumber(text), range.contains(value) else {
        throw fault("\(name) of \(decimal(range.lowerBound)) to \(decimal(range.upperBound))", text)
      }
      return Float(value)
    }

    func expectEnd() throws(DatasetError) {
      if position != record.fields.count { throw fault("the end of the line", record.fields[position]) }
    }

    func fault(_ expected: String, _ found: String) -> DatasetError {
      reader.fault(record.line, expected, "\"\(found)\"", "delete the cache and prepare it again")
    }
  }
}
