import CERISchema
import Testing

@testable import ERIFormat

@Suite struct `Forged preprocessing` {
  private static func range(_ place: String, _ what: String, _ maximum: Int, _ found: Int) -> String {
    "directory: preprocessing: \(place): expected \(what) from 1 to \(maximum), found \(found)"
  }

  static let ranges: [Forgery] = [
    Forgery(.limitExceeded, range("video", "steps", 65_536, 0)) { try $0.video { $0.steps = 0 } },
    Forgery(.limitExceeded, range("video", "steps", 65_536, 65_537)) { try $0.video { $0.steps = 65_537 } },
    Forgery(.limitExceeded, range("video", "a height", 4_096, 0)) { try $0.video { $0.height = 0 } },
    Forgery(.limitExceeded, range("video", "a height", 4_096, 4_097)) { try $0.video { $0.height = 4_097 } },
    Forgery(.limitExceeded, range("video", "a width", 4_096, 0)) { try $0.video { $0.width = 0 } },
    Forgery(.limitExceeded, range("video", "a width", 4_096, 4_097)) { try $0.video { $0.width = 4_097 } },
    Forgery(.limitExceeded, range("audio", "a sample rate", 768_000, 0)) { try $0.audio { $0.sample_rate = 0 } },
    Forgery(.limitExceeded, range("audio", "a sample rate", 768_000, 768_001)) {
      try $0.audio { $0.sample_rate = 768_001 }
    },
    Forgery(.limitExceeded, range("audio", "an FFT size", 65_536, 0)) { try $0.audio { $0.fft_size = 0 } },
    Forgery(.limitExceeded, range("audio", "an FFT size", 65_536, 65_537)) { try $0.audio { $0.fft_size = 65_537 } },
    Forgery(.limitExceeded, range("audio", "a hop length", 65_536, 0)) { try $0.audio { $0.hop_length = 0 } },
    Forgery(.limitExceeded, range("audio", "a hop length", 65_536, 65_537)) {
      try $0.audio { $0.hop_length = 65_537 }
    },
    Forgery(.limitExceeded, range("audio", "mel bands", 4_096, 0)) { try $0.audio { $0.mel_count = 0 } },
    Forgery(.limitExceeded, range("audio", "mel bands", 4_096, 4_097)) { try $0.audio { $0.mel_count = 4_097 } },
    Forgery(.limitExceeded, range("audio", "coefficients", 128, 0)) { try $0.audio { $0.coefficient_count = 0 } },
    Forgery(.limitExceeded, range("audio", "coefficients", 128, 129)) {
      try $0.audio { $0.coefficient_count = 129 }
    },
    Forgery(.limitExceeded, range("audio", "stacked frames", 256, 0)) { try $0.audio { $0.stack = 0 } },
    Forgery(.limitExceeded, range("audio", "stacked frames", 256, 257)) { try $0.audio { $0.stack = 257 } },
    Forgery(.limitExceeded, range("audio", "steps", 65_536, 0)) { try $0.audio { $0.steps = 0 } },
    Forgery(.limitExceeded, range("audio", "steps", 65_536, 65_537)) { try $0.audio { $0.steps = 65_537 } },
  ]

  private static func video(_ sentence: String) -> String { "directory: preprocessing: video: expected \(sentence)" }
  private static func audio(_ sentence: String) -> String { "directory: preprocessing: audio: expected \(sentence)" }
  private static let newer = "; read it with a newer release"

  static let values: [Forgery] = [
    Forgery(.invalid, video("a face crop, found number 0")) {
      try $0.video { $0.crop = ERI__FACE_CROP__FACE_CROP_UNSPECIFIED }
    },
    Forgery(
      .unsupported,
      "directory: preprocessing: video: crop: expected a FaceCrop that this reader knows, found number 2\(newer)"
    ) { try $0.video { $0.crop = Eri__FaceCrop(2) } },
    Forgery(.invalid, video("a crop scale above 0 and up to 16, found 0.0")) { try $0.video { $0.crop_scale = 0 } },
    Forgery(.invalid, video("a crop scale above 0 and up to 16, found 16.5")) {
      try $0.video { $0.crop_scale = 16.5 }
    },
    Forgery(.invalid, video("a crop scale above 0 and up to 16, found nan")) {
      try $0.video { $0.crop_scale = .nan }
    },
    Forgery(.invalid, video("3 means and deviations, found 2 and 3")) { try $0.video { $0.n_mean = 2 } },
    Forgery(.invalid, video("3 means and deviations, found 3 and 0")) { try $0.video { $0.n_deviation = 0 } },
    Forgery(.invalid, video("finite means, found inf")) { try $0.video { $0.mean[1] = .infinity } },
    Forgery(.invalid, video("finite deviations above 0, found 0.0")) { try $0.video { $0.deviation[2] = 0 } },
    Forgery(.invalid, video("finite deviations above 0, found nan")) { try $0.video { $0.deviation[2] = .nan } },
    Forgery(.unsupported, video("the fields of VideoPreprocessing that this reader knows, found number 8\(newer)")) {
      file in try file.video { try file.addUnknownField(8, to: &$0.base) }
    },
    Forgery(.invalid, audio("a finite range of at least 0 decibels, found -1.0")) {
      try $0.audio { $0.top_decibels = -1 }
    },
    Forgery(.invalid, audio("a finite range of at least 0 decibels, found inf")) {
      try $0.audio { $0.top_decibels = .infinity }
    },
    Forgery(.invalid, audio("a row selection, found number 0")) {
      try $0.audio { $0.selection = ERI__ROW_SELECTION__ROW_SELECTION_UNSPECIFIED }
    },
    Forgery(
      .unsupported,
      "directory: preprocessing: audio: selection: expected a RowSelection that this reader knows, found number 4\(newer)"
    ) { try $0.audio { $0.selection = Eri__RowSelection(4) } },
    Forgery(.invalid, audio("128 means and deviations, found 127 and 128")) { try $0.audio { $0.n_mean = 127 } },
    Forgery(.invalid, audio("finite means, found nan")) { try $0.audio { $0.mean[127] = .nan } },
    Forgery(.invalid, audio("finite deviations above 0, found -1.0")) { try $0.audio { $0.deviation[0] = -1 } },
    Forgery(.unsupported, audio("the fields of AudioPreprocessing that this reader knows, found number 13\(newer)")) {
      file in try file.audio { try file.addUnknownField(13, to: &$0.base) }
    },
    Forgery(
      .unsupported,
      "directory: preprocessing: expected the fields of Preprocessing that this reader knows, found number 3\(newer)"
    ) { file in try file.preprocessing { try file.addUnknownField(3, to: &$0.base) } },
  ]

  @Test(arguments: ranges)
  func `sizes are held to the limits`(forgery: Forgery) throws { #expect(try forgery.refusal() == forgery.expected) }

  @Test(arguments: values)
  func `values are refused by what they break`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }
}
