extension JSONWriter {
  /// How raw faces and sound become inputs; what is not there is null.
  package mutating func put(_ preprocessing: Preprocessing) {
    object { json in
      json.member("video") { $0.put(preprocessing.video) }
      json.member("audio") { $0.put(preprocessing.audio) }
    }
  }

  private mutating func put(_ video: VideoPreprocessing?) {
    guard let video else { return null() }
    object { json in
      json.member("steps") { $0.integer(video.steps) }
      json.member("height") { $0.integer(video.height) }
      json.member("width") { $0.integer(video.width) }
      json.member("crop_scale") { $0.number(video.cropScale) }
      json.member("mean") { $0.numbers(video.mean) }
      json.member("deviation") { $0.numbers(video.deviation) }
    }
  }

  private mutating func put(_ audio: AudioPreprocessing?) {
    guard let audio else { return null() }
    object { json in
      json.member("sample_rate") { $0.integer(audio.sampleRate) }
      json.member("fft_size") { $0.integer(audio.fftSize) }
      json.member("hop_length") { $0.integer(audio.hopLength) }
      json.member("mel_count") { $0.integer(audio.melCount) }
      json.member("coefficients") { $0.integer(audio.coefficientCount) }
      json.member("top_decibels") { $0.number(audio.topDecibels) }
      json.member("stack") { $0.integer(audio.stack) }
      json.member("steps") { $0.integer(audio.steps) }
      json.member("selection") { json in
        switch audio.selection {
        case .uniform: json.string("uniform")
        case .segmentMean: json.string("segment mean")
        case .full: json.string("full")
        }
      }
      json.member("mean") { $0.numbers(audio.mean) }
      json.member("deviation") { $0.numbers(audio.deviation) }
      json.member("statistics_trained") { $0.boolean(audio.statisticsTrained) }
    }
  }
}
