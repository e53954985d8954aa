package import ERIFormat

/// The seven emotional reactions whose intensities a clip carries, in the order of the data set's columns.
package enum Emotion: Int, CaseIterable, Sendable {
  case adoration, amusement, anxiety, disgust, empathicPain, fear, surprise

  /// The name as it stands in the data set's header.
  package var name: String {
    switch self {
    case .adoration: "Adoration"
    case .amusement: "Amusement"
    case .anxiety: "Anxiety"
    case .disgust: "Disgust"
    case .empathicPain: "Empathic-Pain"
    case .fear: "Fear"
    case .surprise: "Surprise"
    }
  }
}

/// One intensity in 0 … 1 per emotion.
package struct Intensities: Sendable, Equatable {
  /// The seven values in the order of `Emotion`.
  package private(set) var values: [Double]

  /// No reaction at all.
  package static let neutral = Intensities()

  package init() {
    values = [Double](repeating: 0, count: Emotion.allCases.count)
  }

  /// A single emotion at the given intensity.
  package init(_ emotion: Emotion, _ intensity: Double = 1) {
    self.init()
    values[emotion.rawValue] = intensity
  }

  /// Draws the labels of a clip: each is 0 with probability 0.6 and else Beta(1.5, 1.2), independently of the others,
  /// so that none of them can be told from the rest.
  package init(random: inout SeededRandom) {
    self.init()
    for i in values.indices {
      // Both are drawn in every case, so that a label never depends on what came before it.
      let silent = random.bernoulli(0.6)
      let intensity = random.beta(1.5, 1.2)
      values[i] = silent ? 0 : intensity
    }
  }

  package subscript(emotion: Emotion) -> Double {
    values[emotion.rawValue]
  }

  /// The same reaction without some of its emotions.
  func without(_ emotions: [Emotion]) -> Intensities {
    var result = self
    for emotion in emotions { result.values[emotion.rawValue] = 0 }
    return result
  }

  /// The same reaction, `factor` times as strong.
  func scaled(by factor: Double) -> Intensities {
    var result = self
    for i in result.values.indices { result.values[i] *= factor }
    return result
  }
}
