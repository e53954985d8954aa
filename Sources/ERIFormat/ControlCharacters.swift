/// A text that a terminal can show: control characters other than line ends and tabs, which could move its cursor or change its
/// colours, as `\xNN`.
package func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: { isControl($0) }) else { return text }
  var printable = ""
  for scalar in text.unicodeScalars {
    if isControl(scalar) {
      printable += "\\x" + hexadecimal(UInt8(truncatingIfNeeded: scalar.value))
    } else {
      printable.unicodeScalars.append(scalar)
    }
  }
  return printable
}

/// C0 but for line ends and tabs, delete, and C1.
private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x09, 0x0A: false
  case 0x00...0x1F, 0x7F...0x9F: true
  default: false
  }
}
