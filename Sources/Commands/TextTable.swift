import CERISystem
import ERIFormat

/// Rows of text in columns as wide as their longest cell.
package struct TextTable {
  package enum Alignment: Sendable { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  package init(_ alignments: [Alignment]) { self.alignments = alignments }

  /// Appends a row of at most as many cells as there are columns.
  package mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The lines, each beginning with `indent` and without spaces at its end.
  package func text(indent: String = "") -> String {
    var widths = [Int](repeating: 0, count: alignments.count)
    for row in rows {
      for (column, cell) in row.enumerated() where column < widths.count {
        widths[column] = max(widths[column], cell.unicodeScalars.count)
      }
    }
    return joined(
      rows.map { row in
        var line = indent
        for (column, cell) in row.enumerated() where column < widths.count {
          if column > 0 { line += "  " }
          let padding = spaces(widths[column] - cell.unicodeScalars.count)
          switch alignments[column] {
          case .left: line += column == row.count - 1 ? cell : cell + padding
          case .right: line += padding + cell
          }
        }
        return line
      }, separator: "\n")
  }
}

/// That many spaces.
package func spaces(_ count: Int) -> String {
  var text = ""
  var left = count
  while left > 0 {
    text += " "
    left -= 1
  }
  return text
}

/// A number with a fixed count of decimals, "12.50"; numbers too large for that as `decimal` writes them.
package func fixed(_ value: Double, _ decimals: Int) -> String {
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  let scaled = eri_floor(value.magnitude * scale + 0.5)
  guard scaled < 1e15 else { return decimal(value) }
  var digits = "\(Int64(scaled))"
  while digits.utf8.count <= decimals { digits = "0" + digits }
  let sign = value < 0 && scaled > 0 ? "-" : ""
  guard decimals > 0 else { return sign + digits }
  return sign + String(digits.dropLast(decimals)) + "." + String(digits.suffix(decimals))
}

/// A count with its digits in groups of three: "12 345 678".
package func grouped(_ count: Int) -> String {
  var text = ""
  let digits = Array("\(count)".utf8)
  for (index, digit) in digits.enumerated() {
    if index > 0 && (digits.count - index) % 3 == 0 && digits[index - 1] != 0x2d { text += " " }
    text.unicodeScalars.append(Unicode.Scalar(digit))
  }
  return text
}
