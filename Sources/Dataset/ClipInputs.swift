package import ERIFormat
import ERIMedia
import ERISignal

/// Turns a clip's MFCC and face crops into what a network takes, as its preprocessing says: the same for training, evaluating and
/// estimating, bit for bit.
package struct ClipInputs: Sendable {
  private let preprocessing: Preprocessing
  private let pixels: PixelNormalisation?
  private let coefficients: CoefficientStandardisation?

  /// - Parameters: model: its path, for messages · advice: what to do where this cannot be done
  /// - Throws: `DatasetError` `.unsupported` for preprocessing that is not done here: its result would be computed from other
  ///   features than the model's.
  package init(
    _ preprocessing: Preprocessing, of model: String, advice: String = "choose another model"
  ) throws(DatasetError) {
    func refusal(_ what: String, _ expected: String, _ found: String) -> DatasetError {
      DatasetError(.unsupported, "\(model): preprocessing: expected \(what) of \(expected), found \(found); \(advice)")
    }
    if let video = preprocessing.video, video.width != video.height {
      throw refusal("square face crops", "equal width and height", "\(video.width) x \(video.height)")
    }
    if let audio = preprocessing.audio {
      guard audio.sampleRate == Sound.sampleRate else {
        throw refusal("a sample rate", "\(Sound.sampleRate) Hz", "\(audio.sampleRate)")
      }
      guard audio.stack == AudioRows.framesPerRow else {
        throw refusal("rows", "\(AudioRows.framesPerRow) MFCC frames", "\(audio.stack)")
      }
    }
    self.preprocessing = preprocessing
    do throws(SignalError) {
      pixels = try preprocessing.video.map { video throws(SignalError) in
        try PixelNormalisation(mean: video.mean, deviation: video.deviation)
      }
      coefficients = try preprocessing.audio.map { audio throws(SignalError) in
        try CoefficientStandardisation(mean: audio.mean, deviation: audio.deviation)
      }
    } catch { throw DatasetError(.invalid, "\(model): \(error.sentence)") }
  }

  /// Rows of adjacent frames, standardised: [steps, stack · coefficients] row-major.
  /// - Parameters:
  ///   - mfcc: [F, coefficients], not standardised
  ///   - offset: frames to leave out at the start, below the stack's height, to vary how frames fall into rows; a clip too short
  ///     for it leaves out as many as it can and still fill a row
  package func rows(_ mfcc: [Float], offset: Int = 0) throws(DatasetError) -> [Float] {
    guard let coefficients, let audio = preprocessing.audio else { throw lacks("sound") }
    do throws(SignalError) {
      let width = audio.coefficientCount
      let spare = max(mfcc.count / max(width, 1) - audio.stack, 0)
      let skipped = min(max(offset, 0), spare)
      var rows = try AudioRows.make(
        mfcc: skipped > 0 ? Array(mfcc.dropFirst(skipped * width)) : mfcc, coefficients: width, steps: audio.steps,
        selection: audio.selection.rowSelection)
      try coefficients.apply(&rows)
      return rows
    } catch { throw DatasetError(.invalid, error.sentence) }
  }

  /// Face crops, normalised: [steps, 3, height, width] row-major.
  /// - Parameters: crops: RGB bytes [steps, height, width, 3] · flipped: whether left and right change places
  package func faces(_ crops: [UInt8], flipped: Bool = false) throws(DatasetError) -> [Float] {
    guard let pixels, let video = preprocessing.video else { throw lacks("faces") }
    do throws(SignalError) {
      return try pixels.apply(
        flipped ? ClipInputs.flipped(crops, width: video.width) : crops, count: video.steps, height: video.height,
        width: video.width)
    } catch { throw DatasetError(.invalid, error.sentence) }
  }

  /// One face crop, normalised: [3, height, width] row-major.
  /// - Parameters: crop: RGB bytes [height, width, 3]
  package func face(_ crop: [UInt8]) throws(DatasetError) -> [Float] {
    guard let pixels, let video = preprocessing.video else { throw lacks("faces") }
    do throws(SignalError) {
      return try pixels.apply(crop, count: 1, height: video.height, width: video.width)
    } catch { throw DatasetError(.invalid, error.sentence) }
  }

  /// RGB pictures with left and right exchanged.
  static func flipped(_ crops: [UInt8], width: Int) -> [UInt8] {
    var result = crops
    var line = 0
    while line + 3 * width <= crops.count {
      for x in 0..<width {
        for channel in 0..<3 { result[line + 3 * x + channel] = crops[line + 3 * (width - 1 - x) + channel] }
      }
      line += 3 * width
    }
    return result
  }

  private func lacks(_ what: String) -> DatasetError {
    DatasetError(.invalid, "expected preprocessing for \(what), found none; choose a model that takes \(what)")
  }
}

extension AudioPreprocessing.Selection {
  /// The signal library's name of the rule.
  var rowSelection: RowSelection {
    switch self {
    case .uniform: .uniform
    case .segmentMean: .segmentMean
    case .full: .full
    }
  }
}
