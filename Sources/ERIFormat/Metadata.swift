/// How raw faces and sound become the graph's inputs.
package struct Preprocessing: Equatable, Sendable {
  package var video: VideoPreprocessing?
  package var audio: AudioPreprocessing?

  package init(video: VideoPreprocessing? = nil, audio: AudioPreprocessing? = nil) {
    self.video = video
    self.audio = audio
  }
}

/// Frames sampled from a clip, cropped to the face, scaled to 0…1 and normalised per channel.
package struct VideoPreprocessing: Equatable, Sendable {
  package enum Crop: UInt8, Sendable {
    /// A square around the detection's centre, its side `cropScale` × the longer side, not rotated.
    case box = 1
  }

  package var steps = 32
  package var height = 112
  package var width = 112
  package var crop = Crop.box
  package var cropScale: Float = 1.2
  /// ImageNet's statistics of R, G, B.
  package var mean: [Float] = [0.485, 0.456, 0.406]
  package var deviation: [Float] = [0.229, 0.224, 0.225]

  package init() {}
}

/// MFCC as librosa computes it, stacked into rows and z-scored per coefficient.
package struct AudioPreprocessing: Equatable, Sendable {
  package enum Selection: UInt8, Sendable {
    case uniform = 1
    case segmentMean = 2
    case full = 3
  }

  package var sampleRate = 22_050
  package var fftSize = 2_048
  package var hopLength = 512
  package var melCount = 128
  package var coefficientCount = 128
  package var topDecibels: Float = 80
  package var stack = 8
  package var steps = 32
  package var selection = Selection.uniform
  /// Per coefficient; the identity until training fits them.
  package var mean = [Float](repeating: 0, count: 128)
  package var deviation = [Float](repeating: 1, count: 128)
  package var statisticsTrained = false

  package init() {}
}

/// One recorded choice.
package struct Parameter: Equatable, Sendable {
  package enum Content: Equatable, Sendable {
    case integer(Int64)
    case number(Double)
    case text(String)
    case flag(Bool)
  }

  package var name: String
  package var value: Content

  package init(_ name: String, _ value: Content) {
    self.name = name
    self.value = value
  }
}

/// Where the weights come from.
package struct Provenance: Equatable, Sendable {
  package var network = ""
  package var parameters: [Parameter] = []
  package var seed: UInt64 = 0
  package var trained = false
  package var training: [Parameter] = []
  package var datasetSHA256 = ""

  package init() {}
}

/// One step of what happened to the file.
package struct LineageStep: Equatable, Sendable {
  package var action: String
  package var detail: String
  package var source: String
  package var sourceSHA256: String

  package init(action: String, detail: String, source: String = "", sourceSHA256: String = "") {
    self.action = action
    self.detail = detail
    self.source = source
    self.sourceSHA256 = sourceSHA256
  }
}

/// Inputs (given, or drawn from a seed) and the outputs they must give.
package struct Golden: Equatable, Sendable {
  /// Draws each input from `SeededRandom(seed:stream:)` with the input's name as the stream, as normal deviates.
  package static let normalGenerator: UInt32 = 1

  package struct Values: Equatable, Sendable {
    package var name: String
    package var dtype: DType
    package var shape: [Int]
    package var bytes: [UInt8]

    package init(_ name: String, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
      self.bytes = bytes
    }
  }

  package struct Binding: Equatable, Sendable {
    package var symbol: String
    package var size: Int

    package init(_ symbol: String, _ size: Int) {
      self.symbol = symbol
      self.size = size
    }
  }

  package var name = ""
  package var generator: UInt32 = 0
  package var seed: UInt64 = 0
  package var bindings: [Binding] = []
  package var inputs: [Values] = []
  package var outputs: [Values] = []
  /// Largest difference allowed, as a share of the largest absolute expected value.
  package var tolerance = 0.0

  package init() {}
}
