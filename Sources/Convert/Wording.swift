import CERISystem
import ERIFormat

/// A text of someone else's, cut to what a message can bear and kept to its line.
/// - Parameter limit: characters that it may have.
func brief(_ text: String, limit: Int = 80) -> String {
  var brief = ""
  for (index, scalar) in text.unicodeScalars.enumerated() {
    if index == limit { return brief + "…" }
    if scalar.value < 0x20 || scalar.value == 0x7F {
      brief += "\\u{" + String(scalar.value, radix: 16) + "}"
    } else {
      brief.unicodeScalars.append(scalar)
    }
  }
  return brief
}

/// A path's last part.
func fileName(of path: String) -> String { path.utf8.split(separator: 0x2F).last.map { String(Substring($0)) } ?? path }

/// A measured number with six digits that mean something, or "infinite".
func figure(_ value: Double) -> String {
  guard value.isFinite else { return "infinite" }
  guard value != 0 else { return "0" }
  let scale = eri_pow(10, 5 - eri_floor(eri_log10(value.magnitude)))
  let text = decimal(scale.isFinite && scale > 0 ? (value * scale).rounded() / scale : value)
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}
