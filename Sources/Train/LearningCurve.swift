import CERISystem
package import ERIFormat

/// Loss and correlation over the epochs of a run, as an SVG of two charts side by side.
package struct LearningCurve {
  private struct Series {
    let name: String
    let colour: String
    let values: [Double]
  }

  private let title: String
  private let history: [EpochRecord]

  package init(title: String, history: [EpochRecord]) {
    self.title = title
    self.history = history
  }

  package func write(to path: String) throws(FormatError) { try FileWriter.write(svg, to: path) }

  private static let width = 460.0
  private static let height = 320.0
  private static let left = 60.0
  private static let top = 64.0
  private static let bottom = 44.0
  private static let right = 14.0

  package var svg: String {
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(2 * LearningCurve.width)) \(Int(LearningCurve.height))" \
      font-family="system-ui, sans-serif" font-size="12">
      <rect width="100%" height="100%" fill="#ffffff"/>
      <title>\(escapedMarkup(title))</title>

      """
    put(
      "\(title): mean squared error",
      [
        Series(name: "training", colour: "#c05a1c", values: history.map(\.loss)),
        Series(name: "validation", colour: "#2a6ebb", values: history.map(\.validationLoss)),
      ], at: 0, into: &svg)
    put(
      "mean correlation",
      [
        Series(name: "training", colour: "#c05a1c", values: history.map(\.trainingPearson)),
        Series(name: "validation", colour: "#2a6ebb", values: history.map(\.validationPearson)),
      ], at: LearningCurve.width, into: &svg)
    return svg + "</svg>\n"
  }

  private func put(_ title: String, _ series: [Series], at offset: Double, into svg: inout String) {
    let finite = series.flatMap(\.values).filter(\.isFinite)
    let scale = LinearScale(finite)
    func y(_ value: Double) -> Double {
      let height = LearningCurve.height - LearningCurve.top - LearningCurve.bottom
      return LearningCurve.height - LearningCurve.bottom - scale.share(value) * height
    }
    func x(_ epoch: Int) -> Double {
      let breadth = LearningCurve.width - LearningCurve.left - LearningCurve.right
      let share = history.count > 1 ? Double(epoch) / Double(history.count - 1) : 0.5
      return offset + LearningCurve.left + share * breadth
    }
    text(title, x: offset + LearningCurve.left, y: 20, "font-weight=\"600\"", into: &svg)
    var legend = offset + LearningCurve.left
    for line in series {
      svg += "<circle cx=\"\(fixed(legend + 5))\" cy=\"40\" r=\"4\" fill=\"\(line.colour)\"/>\n"
      text(line.name, x: legend + 14, y: 44, into: &svg)
      legend += 30 + 7 * Double(line.name.utf8.count)
    }
    let begin = offset + LearningCurve.left
    let end = offset + LearningCurve.width - LearningCurve.right
    for tick in scale.ticks {
      svg +=
        "<line x1=\"\(fixed(begin))\" x2=\"\(fixed(end))\" y1=\"\(fixed(y(tick)))\" y2=\"\(fixed(y(tick)))\" stroke=\"#e2e2e2\"/>\n"
      text(decimal(tick), x: begin - 8, y: y(tick) + 4, "text-anchor=\"end\"", into: &svg)
    }
    let ground = LearningCurve.height - 16
    if let first = history.first, let last = history.last {
      text("epoch \(first.epoch)", x: begin, y: ground, into: &svg)
      if history.count > 1 { text("\(last.epoch)", x: end, y: ground, "text-anchor=\"end\"", into: &svg) }
    }
    for line in series {
      var points: [String] = []
      for (epoch, value) in line.values.enumerated() where value.isFinite {
        points.append("\(fixed(x(epoch))),\(fixed(y(value)))")
      }
      let path = joined(points, separator: " ")
      svg += "<polyline fill=\"none\" stroke=\"\(line.colour)\" stroke-width=\"1.6\" points=\"\(path)\"/>\n"
      if points.count == 1, let value = line.values.first(where: \.isFinite) {
        svg += "<circle cx=\"\(fixed(x(0)))\" cy=\"\(fixed(y(value)))\" r=\"3\" fill=\"\(line.colour)\"/>\n"
      }
    }
  }

  private func text(_ content: String, x: Double, y: Double, _ attributes: String = "", into svg: inout String) {
    let extra = attributes.isEmpty ? "" : " \(attributes)"
    svg +=
      "<text x=\"\(fixed(x))\" y=\"\(fixed(y))\" fill=\"#333333\"\(extra)>\(escapedMarkup(content))</text>\n"
  }

  /// One decimal is enough for a place.
  private func fixed(_ value: Double) -> String { decimal((value * 10).rounded() / 10) }
}

/// A range of values with round numbers to draw lines at.
private struct LinearScale {
  let ticks: [Double]
  private let low: Double
  private let high: Double

  init(_ values: [Double]) {
    let least = values.min() ?? 0
    let most = values.max() ?? 1
    let span = most > least ? most - least : max(abs(most), 1)
    let power = eri_pow(10, eri_floor(eri_log10(span / 4)))
    let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 * 5 >= span } ?? span
    let first = (least / step).rounded(.down)
    let last = max((most / step).rounded(.up), first + 1)
    ticks = (Int(first)...Int(last)).map { (Double($0) * step * 1e9).rounded() / 1e9 }
    low = first * step
    high = last * step
  }

  func share(_ value: Double) -> Double { (value - low) / (high - low) }
}
