import ERIFormat

/// What makes the values of tensor B out of those of tensor A.
package enum ValueExplanation: Equatable, Sendable {
  /// A side of the comparison.
  package enum Side: String, Sendable {
    case a = "A"
    case b = "B"

    var other: Side { self == .a ? .b : .a }
  }

  /// The same numbers, in another type or with zeros of the other sign.
  case sameNumbers(String)
  /// The named side is the other one rounded, in these words ("rounded to bfloat16").
  case rounded(Side, String)
  /// A single element differs, in a single bit.
  case flippedBit(place: [Int], bit: Int, from: String, to: String)
  case oneElement(place: [Int], from: String, to: String)
  /// B's axis i is A's axis `axes[i]`; `rounding` says what else happened.
  case permuted(axes: [Int], rounding: String?)
  /// The same values in the same order under another shape.
  case reshaped
  case reversed(axis: Int, extent: Int)
  case swappedBytes
  case negated
  case scaled(Double)
  /// Every index of axis 0 has its own factor.
  case scaledRows
  case shifted(Double)
  /// The rows of axis 0 in another order.
  case reorderedRows
  /// Integers that stand for the other side's numbers, off by at most half a step.
  case quantized(Side)

  /// The kind, as `eri verify --json` has it.
  package var kind: String {
    switch self {
    case .sameNumbers: "same numbers"
    case .rounded: "rounded"
    case .flippedBit: "flipped bit"
    case .oneElement: "one element"
    case .permuted(let axes, _): axes == [1, 0] ? "transposed" : "permuted axes"
    case .reshaped: "reshaped"
    case .reversed: "reversed axis"
    case .swappedBytes: "swapped bytes"
    case .negated: "negated"
    case .scaled: "scaled"
    case .scaledRows: "scaled rows"
    case .shifted: "shifted"
    case .reorderedRows: "reordered rows"
    case .quantized: "quantized"
    }
  }

  /// A clause that tells it.
  package var sentence: String {
    switch self {
    case .sameNumbers(let how): return "the same numbers, \(how)"
    case .rounded(let side, let how): return "equal after rounding: \(side.rawValue) is \(side.other.rawValue) \(how)"
    case .flippedBit(let place, let bit, let from, let to):
      return "a single element differs in one bit: element \(shapeText(place)), bit \(bit), \(from) → \(to)"
    case .oneElement(let place, let from, let to):
      return "a single element differs: element \(shapeText(place)), \(from) → \(to)"
    case .permuted(let axes, let rounding):
      let how = rounding.map { " and \($0)" } ?? ""
      if axes == [1, 0] { return "B is A transposed\(how)" }
      return "B is A with its axes permuted to \(axesText(axes))\(how)"
    case .reshaped: return "the same values in the same order under another shape"
    case .reversed(let axis, let extent):
      let colour = extent == 3 && axis <= 1 ? ", as between RGB and BGR" : ""
      return "B is A reversed along axis \(axis)\(colour)"
    case .swappedBytes: return "B is A with the bytes of every element in reverse, as between byte orders"
    case .negated: return "B is A with the sign of every element turned"
    case .scaled(let factor): return "B is A times \(figure(factor))"
    case .scaledRows:
      return "every index of axis 0 is multiplied by a factor of its own, as when batch norm is folded in"
    case .shifted(let offset): return "B is A plus \(figure(offset))"
    case .reorderedRows: return "B has A's rows (axis 0) in another order"
    case .quantized(let side):
      return "\(side.rawValue) holds \(side.other.rawValue) quantized, off by at most half a step"
    }
  }

  private func axesText(_ axes: [Int]) -> String {
    let names: [String] = axes.count == 4 ? ["O", "I", "H", "W"] : axes.count == 3 ? ["O", "I", "K"] : []
    let numbers = shapeText(axes)
    guard !names.isEmpty else { return numbers }
    return "\(numbers) (\(joined(names, separator: "")) to \(joined(axes.map { names[$0] }, separator: "")))"
  }
}
