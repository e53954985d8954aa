import ERIFormat

/// The casts of one conversion, and what they did.
struct CastLog: Sendable {
  private var casts: [CastSource] = []

  var count: Int { casts.count }

  /// The tensor with its values cast as they are read; itself where it is of that type or of no floating-point one.
  mutating func cast(_ tensor: Tensor, to dtype: DType, allowOverflow: Bool = false) -> Tensor {
    guard tensor.dtype != dtype, let source = CastSource(tensor, to: dtype, allowOverflow: allowOverflow) else {
      return tensor
    }
    casts.append(source)
    var result = tensor
    result.dtype = dtype
    result.values = .source(source)
    return result
  }

  /// A sentence for each pair of types; complete once the values have been read.
  var reports: [String] {
    var reports: [String] = []
    var pairs: [(DType, DType)] = []
    for cast in casts where !pairs.contains(where: { $0 == (cast.source.dtype, cast.target) }) {
      pairs.append((cast.source.dtype, cast.target))
    }
    for (from, to) in pairs {
      var total = CastSource.Report()
      var place = ""
      var tensors = 0
      for cast in casts where (cast.source.dtype, cast.target) == (from, to) {
        let report = cast.report
        tensors += 1
        if report.largestError > total.largestError || place.isEmpty { place = cast.source.name }
        total.add(report)
      }
      var text = "cast \(counted(tensors, "tensor")) from \(from.name) to \(to.name): "
      text += "\(total.changed) of \(counted(total.count, "value")) changed"
      if total.largestError > 0 { text += ", largest error \(decimal(total.largestError)) in \"\(brief(place))\"" }
      if total.overflowed > 0 { text += ", \(total.overflowed) became infinite" }
      reports.append(text)
    }
    return reports
  }
}
