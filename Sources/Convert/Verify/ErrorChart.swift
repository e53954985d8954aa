import CERISystem
import ERIFormat

/// Differences of values in order, on a logarithmic scale, as an inline SVG.
struct ErrorChart {
  /// How a series is drawn: stems where each value stands for itself, a line with or without its points elsewhere.
  enum Form { case stems, points, line }

  struct Series {
    let name: String
    /// A class of the page's style.
    let style: String
    let form: Form
    /// Nil where there is none.
    let values: [Double?]
  }

  let title: String
  let names: [String]
  let series: [Series]

  private static let width = 1_000.0
  private static let height = 330.0
  private static let left = 64.0
  private static let right = 16.0
  private static let top = 64.0
  private static let bottom = 40.0

  /// Powers of ten from the lowest line, which stands for 0 too, to the highest.
  private var powers: ClosedRange<Int> {
    var lowest = -7.0
    var highest = -5.0
    for value in series.flatMap({ $0.values }).compactMap({ $0 }) where value > 0 && value.isFinite {
      lowest = min(lowest, eri_floor(eri_log10(value)))
      highest = max(highest, eri_floor(eri_log10(value)) + 1)
    }
    return Int(max(lowest, -18) - 1)...Int(min(highest, 18))
  }

  var svg: String {
    let powers = powers
    var svg = HTMLWriter()
    svg.raw("<svg viewBox=\"0 0 1000 330\" role=\"img\">")
    svg.element("title", title)
    svg.element("text", title, "class=\"title\" x=\"0\" y=\"16\"")
    var x = 0.0
    for series in series {
      svg.raw("<circle class=\"\(series.style)\" cx=\"\(decimal(x + 6))\" cy=\"36\" r=\"4\"/>")
      svg.element("text", series.name, "x=\"\(decimal(x + 16))\" y=\"40\"")
      x += 40 + 7 * Double(series.name.unicodeScalars.count)
    }
    let step = max(1, powers.count / 8)
    for power in stride(from: powers.lowerBound, through: powers.upperBound, by: step) {
      let y = decimal(place(power: Double(power), powers))
      let label = power == powers.lowerBound ? "0" : "1e\(power)"
      svg.raw(
        "<line class=\"grid\" x1=\"\(decimal(ErrorChart.left))\" x2=\"\(decimal(ErrorChart.width - ErrorChart.right))\" "
          + "y1=\"\(y)\" y2=\"\(y)\"/>")
      svg.element("text", label, "text-anchor=\"end\" x=\"\(decimal(ErrorChart.left - 8))\" y=\"\(y)\" dy=\"4\"")
    }
    for series in series { put(series, powers, into: &svg) }
    if let first = names.first, let last = names.last, names.count > 1 {
      let y = decimal(ErrorChart.height - 12)
      svg.element("text", first, "x=\"\(decimal(ErrorChart.left))\" y=\"\(y)\"")
      svg.element("text", last, "text-anchor=\"end\" x=\"\(decimal(ErrorChart.width - ErrorChart.right))\" y=\"\(y)\"")
    }
    svg.raw("</svg>\n")
    return svg.text
  }

  private func put(_ series: Series, _ powers: ClosedRange<Int>, into svg: inout HTMLWriter) {
    let ground = fixed(ErrorChart.height - ErrorChart.bottom)
    var points: [String] = []
    for (index, value) in series.values.enumerated() {
      guard let value else { continue }
      let share = names.count > 1 ? Double(index) / Double(names.count - 1) : 0.5
      let x = fixed(ErrorChart.left + share * (ErrorChart.width - ErrorChart.left - ErrorChart.right))
      let power: Double
      if value.isNaN || value == .infinity {
        power = Double(powers.upperBound)
      } else {
        power = value > 0 ? eri_log10(value) : Double(powers.lowerBound)
      }
      let y = fixed(place(power: power, powers))
      points.append("\(x),\(y)")
      guard series.form != .line else { continue }
      if series.form == .stems {
        svg.raw("<line class=\"stem \(series.style)\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(y)\" y2=\"\(ground)\"/>")
      }
      svg.raw("<circle class=\"\(series.style)\" cx=\"\(x)\" cy=\"\(y)\" r=\"2.5\">")
      svg.element("title", "\(names[index]): \(figure(value)), \(series.name)")
      svg.raw("</circle>")
    }
    guard series.form != .stems, points.count > 1 else { return }
    svg.raw("<polyline class=\"\(series.style)\" points=\"\(joined(points, separator: " "))\"/>\n")
  }

  private func place(power: Double, _ powers: ClosedRange<Int>) -> Double {
    let share = (power - Double(powers.lowerBound)) / Double(max(powers.count - 1, 1))
    let height = ErrorChart.height - ErrorChart.top - ErrorChart.bottom
    return ErrorChart.height - ErrorChart.bottom - min(max(share, 0), 1) * height
  }

  /// One decimal is enough for a place.
  private func fixed(_ value: Double) -> String { decimal((value * 10).rounded() / 10) }
}
