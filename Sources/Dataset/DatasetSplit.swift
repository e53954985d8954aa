/// The part of a dataset that a clip belongs to.
package enum DatasetSplit: Int, CaseIterable, Sendable {
  case train = 1
  case validation = 2
  case test = 3

  /// The name in reports and in a cache's index.
  package var name: String {
    switch self {
    case .train: "train"
    case .validation: "validation"
    case .test: "test"
    }
  }

  /// Every word that label files use for it, in small letters; their folders are named so too.
  package var words: [String] {
    switch self {
    case .train: ["train"]
    case .validation: ["val", "devel", "validation"]
    case .test: ["test"]
    }
  }

  /// All words of all splits, for messages.
  static let allWords = "train, val, devel, validation or test"

  /// The split that a word means, in capital or small letters; nil for another word.
  package init?(word: String) {
    let small = word.lowercased()
    guard let split = DatasetSplit.allCases.first(where: { $0.words.contains(small) }) else { return nil }
    self = split
  }
}
