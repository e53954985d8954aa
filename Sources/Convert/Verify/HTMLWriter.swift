import ERIFormat

/// Builds an HTML page; all text that is not markup of our own is escaped.
struct HTMLWriter {
  private(set) var text = ""

  /// Markup of our own.
  mutating func raw(_ markup: String) { text += markup }

  /// An element with text.
  /// - Parameter attributes: markup of our own.
  mutating func element(_ name: String, _ content: String, _ attributes: String = "") {
    text += attributes.isEmpty ? "<\(name)>" : "<\(name) \(attributes)>"
    text += escapedMarkup(content) + "</\(name)>\n"
  }

  /// A table whose rows the body writes.
  /// - Parameter endsInText: whether the last column holds sentences, which may take several lines.
  mutating func table(_ heads: [String], endsInText: Bool = false, _ body: (inout HTMLWriter) -> Void) {
    text += "<div class=\"scroll\"><table\(endsInText ? " class=\"text\"" : "")><thead><tr>"
    for head in heads { element("th", head) }
    text += "</tr></thead><tbody>\n"
    body(&self)
    text += "</tbody></table></div>\n"
  }

  mutating func row(_ cells: [String], isMarked: Bool = false) {
    text += isMarked ? "<tr class=\"marked\">" : "<tr>"
    for cell in cells { element("td", cell) }
    text += "</tr>\n"
  }
}
