package import ERIFormat

extension VerifyReport {
  /// Writes the report as one page that loads nothing else.
  package func writePage(to path: String) throws(FormatError) {
    try FileWriter.write(page, to: path)
  }

  /// The page as text; every name of a file is escaped.
  package var page: String {
    var page = HTMLWriter()
    page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
    page.element("title", "eri verify: \(a.path) against \(b.path)")
    page.raw("<style>\(VerifyReport.style)</style></head><body><main>")
    page.element("h1", isSame ? "The same" : "Different", "class=\"\(isSame ? "same" : "different")\"")
    page.element("p", verdictLine)
    put(sides: [("A", a), ("B", b)], into: &page)
    if let divergence = graph?.divergence { put(divergence, into: &page) }
    for chart in charts { page.raw(chart.svg) }
    putTensors(into: &page)
    if let graph { putValues(graph, into: &page) }
    if let dropIn { put(dropIn, into: &page) }
    page.element("h2", "Summary as text")
    page.element("pre", text)
    page.raw("</main></body></html>\n")
    return page.text
  }

  private func put(sides: [(String, Side)], into page: inout HTMLWriter) {
    page.table(["side", "file", "container", "tensors", "graph", "weights SHA-256"]) { page in
      for (letter, side) in sides {
        page.row([
          letter, side.path, side.container.rawValue, "\(side.tensors)", side.hasGraph ? "yes" : "no",
          side.weights.text,
        ])
      }
    }
    for note in notes { page.element("p", "Note: \(note)") }
  }

  private func put(_ divergence: GraphComparison.Divergence, into page: inout HTMLWriter) {
    page.element("h2", "First divergent operator")
    page.raw("<div class=\"finding\">")
    page.element("p", divergence.row.place, "class=\"place\"")
    page.element("p", "Alone: \(divergence.row.isolatedSentence).")
    page.element("p", "Judgement: \(divergence.judgement).")
    if divergence.causes.isEmpty { page.element("p", "No simple change of B makes the difference vanish.") }
    for (index, cause) in divergence.causes.enumerated() {
      page.element("p", "\(index == 0 ? "Cause" : "Or"): \(cause.sentence).")
    }
    page.raw("</div>")
  }

  /// Differences of values where both have graphs, of tensors where they have none.
  private var charts: [ErrorChart] {
    if let graph, !graph.rows.isEmpty {
      return [
        ErrorChart(
          title: "Difference of each value, as a share of its largest value",
          names: graph.rows.map { $0.name },
          series: [
            ErrorChart.Series(
              name: "allowed for the operator", style: "allowed", form: .line, values: graph.rows.map { $0.allowed }),
            ErrorChart.Series(
              name: "whole run", style: "whole", form: .points, values: graph.rows.map { $0.cumulative }),
            ErrorChart.Series(
              name: "operator alone, on A's inputs", style: "alone", form: .stems,
              values: graph.rows.map { $0.isolated }),
          ])
      ]
    }
    guard weights.pairs.contains(where: { $0.verdict == .different }) else { return [] }
    return [
      ErrorChart(
        title: "Difference of each tensor, as a share of its largest value",
        names: weights.pairs.map { $0.name },
        series: [
          ErrorChart.Series(
            name: "largest difference", style: "alone", form: .stems, values: weights.pairs.map { $0.share })
        ])
    ]
  }

  private func putTensors(into page: inout HTMLWriter) {
    page.element("h2", "Tensors")
    for group in weights.renamed { page.element("p", "Renamed: \(group.sentence).") }
    let changed = weights.pairs.filter { $0.verdict != .bitEqual }
    page.element("p", "\(weights.pairs.count - changed.count) bit-equal, \(changed.count) not.")
    if !changed.isEmpty {
      page.table(["tensor", "shape", "largest difference", "relative", "ULP", "finding"], endsInText: true) { page in
        for pair in changed {
          page.row([
            pair.name, shapeText(pair.b.tensor.shape), pair.difference.map { figure($0.largestAbsolute) } ?? "",
            pair.difference.map { figure($0.largestRelative) } ?? "",
            pair.difference?.largestULP.map { "\($0)" } ?? "", pair.explanation?.sentence ?? "",
          ])
        }
      }
    }
    for (letter, entries) in [("A", weights.onlyA), ("B", weights.onlyB)] where !entries.isEmpty {
      page.element("h3", "Only in \(letter)")
      page.table(["tensor", "type", "shape"]) { page in
        for entry in entries {
          page.row([entry.tensor.name, entry.tensor.dtype.name, shapeText(entry.tensor.shape)])
        }
      }
    }
  }

  private func putValues(_ graph: GraphComparison, into page: inout HTMLWriter) {
    page.element("h2", "Values")
    for clause in graph.faults + graph.attributes { page.element("p", clause) }
    page.table([
      "value", "operator", "shape", "alone", "allowed", "alone in Double", "whole run", "A from Double",
      "B from Double",
    ]) { page in
      for row in graph.rows {
        func cell(_ value: Double?) -> String { value.map { figure($0) } ?? "" }
        page.row(
          [
            row.name, row.op, shapeText(row.shapeB), cell(row.isolated), figure(row.allowed), cell(row.meaning),
            cell(row.cumulative), cell(row.cumulativeErrorA), cell(row.cumulativeErrorB),
          ], isMarked: row.diverges(under: policy))
      }
    }
  }

  private func put(_ dropIn: DropIn, into page: inout HTMLWriter) {
    page.element("h2", "In A's place")
    page.table(["subject", "fits", "why"], endsInText: true) { page in
      for answer in dropIn.answers {
        page.row([answer.subject, answer.fits ? "yes" : "no", answer.sentence], isMarked: !answer.fits)
      }
    }
  }

  private static let style = """
    :root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--faint:#5c6670;--line:#d5dae0;--alone:#c2410c;--whole:#1d4ed8;\
    --mark:#fdecea;--same:#15803d;--different:#b91c1c}\
    @media(prefers-color-scheme:dark){:root{--ground:#14171a;--ink:#e6e9ec;--faint:#98a2ad;--line:#353c44;--alone:#fb923c;\
    --whole:#7aa2ff;--mark:#42201d;--same:#4ade80;--different:#f87171}}\
    body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\
    main{max-width:1240px;margin:0 auto;padding:24px}h1{margin:0;font-size:28px}h2{margin:32px 0 8px;font-size:19px}\
    h3{margin:16px 0 4px;font-size:16px}p{margin:4px 0}.same{color:var(--same)}.different{color:var(--different)}\
    .finding{border-left:4px solid var(--different);padding:4px 0 4px 14px}.place{font:600 15px ui-monospace,monospace}\
    .scroll{overflow-x:auto;margin:8px 0}table{border-collapse:collapse;font-size:13px}\
    th,td{text-align:left;padding:3px 10px 3px 0;border-bottom:1px solid var(--line);vertical-align:top}\
    th{color:var(--faint);font-weight:600}td{font-family:ui-monospace,monospace;white-space:nowrap}.text td:last-child{white-space:normal;overflow-wrap:anywhere}\
    tr.marked td{background:var(--mark)}pre{overflow-x:auto;font-size:13px;border:1px solid var(--line);padding:12px}\
    svg{width:100%;height:auto;margin-top:16px;font:12px system-ui,sans-serif}svg text{fill:var(--faint)}\
    svg .title{fill:var(--ink);font-size:14px;font-weight:600}.grid{stroke:var(--line);stroke-width:1}\
    .alone{fill:var(--alone);stroke:var(--alone)}.whole{fill:var(--whole);stroke:var(--whole)}\
    .allowed{fill:var(--faint);stroke:var(--faint)}line.stem{stroke-opacity:.35}polyline{fill:none!important;stroke-width:1.5}\
    polyline.allowed{stroke-dasharray:4 3}
    """
}

extension WeightComparison.Pair {
  /// The largest difference as a share of A's largest value.
  fileprivate var share: Double? {
    guard let difference else { return verdict == .bitEqual ? 0 : nil }
    return difference.magnitude > 0 ? difference.largestAbsolute / difference.magnitude : difference.largestAbsolute
  }
}
