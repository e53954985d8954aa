import Testing

@testable import ERIFormat

/// An operator applied to operands, and the text of what comes out: the output's shape, or the sentence of the refusal.
///
/// Operands are extents in a row ("2·N 3": the graph's symbols are N and T), a leading type where it is not float32 ("int8 3"),
/// "scalar" for none, and "-" for an operand left out.
struct Application: Sendable, CustomTestStringConvertible {
  let op: Operator
  let operands: [String]
  let result: String
  var kind = FormatError.Kind.invalid

  init(_ op: Operator, _ operands: [String], _ result: String, _ kind: FormatError.Kind = .invalid) {
    self.op = op
    self.operands = operands
    self.result = result
    self.kind = kind
  }

  var testDescription: String { "\(operands.prefix(6)): \(result)" }

  private static let symbols = ["N", "T"]

  /// The output's type as text: its shape, "?" for extents that only binding decides, and its type where it is not float32.
  func output() throws -> String {
    let outputs = try types()
    return outputs.map { ($0.dtype == .f32 ? "" : "\($0.dtype.name) ") + $0.text(Application.symbols) }
      .joined(separator: ", ")
  }

  /// The refusal, nil if the operands are accepted.
  func refusal() throws -> FormatError? {
    do throws(FormatError) {
      _ = try types()
      return nil
    } catch {
      return error
    }
  }

  /// What `refusal()` must give: the caller adds the place.
  var expectedRefusal: FormatError { FormatError(kind, at: "", result) }

  private func types() throws(FormatError) -> [ValueType] {
    var inference = ShapeInference(symbolNames: Application.symbols)
    return try op.outputs(operands.map(Application.type), &inference)
  }

  private static func type(_ text: String) -> ValueType? {
    if text == "-" { return nil }
    var words = text.split(separator: " ").map(String.init)
    var dtype = DType.f32
    if let first = words.first, let named = DType.allCases.first(where: { $0.name == first }) {
      dtype = named
      words.removeFirst()
    }
    return ValueType(dtype, words == ["scalar"] ? [] : words.map(dimension))
  }

  private static func dimension(_ text: String) -> Dimension {
    var coefficient = 1
    var found: [Int] = []
    for factor in text.split(separator: "·") {
      if let symbol = symbols.firstIndex(of: String(factor)) {
        found.append(symbol)
      } else {
        coefficient *= Int(factor) ?? 0
      }
    }
    return Dimension(coefficient: coefficient, symbols: found)
  }
}
