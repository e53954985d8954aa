import ERIFormat

extension WeightComparison.Pair {
  /// The name, both where they differ.
  package var name: String {
    a.tensor.name == b.tensor.name ? a.tensor.name : "\(a.tensor.name) = \(b.tensor.name)"
  }

  /// What the comparison found, without the name.
  package var sentence: String {
    switch verdict {
    case .bitEqual: return "bit-equal"
    case .sameNumbers, .different: break
    }
    var parts: [String] = []
    if a.tensor.shape != b.tensor.shape {
      parts.append("shape \(shapeText(a.tensor.shape)) in A, \(shapeText(b.tensor.shape)) in B")
    }
    if a.tensor.dtype != b.tensor.dtype {
      parts.append("type \(a.tensor.dtype.name) in A, \(b.tensor.dtype.name) in B")
    }
    if let explanation { parts.append(explanation.sentence) }
    if let difference, difference.differing > 0 {
      parts.append(difference.sentence)
    } else if parts.isEmpty {
      parts.append("stored in other bits")
    }
    return joined(parts, separator: "; ")
  }
}

extension ValueDifference {
  /// The figures in words.
  package var sentence: String {
    var text = "\(differing) of \(counted(count, "element")) differ"
    text += ", largest difference \(figure(largestAbsolute)), relative \(figure(largestRelative))"
    if let largestULP { text += largestULP == .max ? ", NaN on one side" : ", \(largestULP) ULP" }
    return text
  }
}

extension WeightComparison.Renamed {
  /// What happened to the names.
  package var sentence: String {
    let values =
      bitEqual == count ? "values bit-equal" : "\(bitEqual) of \(count) bit-equal"
    let tensors = count == 1 ? "" : "\(count) tensors, "
    return "\(a) is \(b) under another name, \(tensors)\(values)"
  }
}
