/// One extent of a shape: a coefficient times a product of symbols ("2·N·T"); a constant has no symbols.
///
/// Symbols below the graph's symbol count are its own; higher ones stand for extents that no rule can express and that
/// only binding to concrete shapes decides.
package struct Dimension: Equatable, Sendable {
  package let coefficient: Int
  /// Ascending, with repetition.
  package let symbols: [Int]

  package init(_ constant: Int) {
    coefficient = constant
    symbols = []
  }

  package init(symbol: Int) {
    coefficient = 1
    symbols = [symbol]
  }

  package init(coefficient: Int, symbols: [Int]) {
    self.coefficient = coefficient
    self.symbols = coefficient == 0 ? [] : symbols.sorted()
  }

  /// The value, if it has no symbols.
  package var constant: Int? { symbols.isEmpty ? coefficient : nil }

  /// The product, or nil beyond `Limits.elements`.
  package func times(_ other: Dimension) -> Dimension? {
    let (product, overflow) = coefficient.multipliedReportingOverflow(by: other.coefficient)
    guard !overflow, product <= Limits.elements, symbols.count + other.symbols.count <= 2 * Limits.rank else {
      return nil
    }
    return Dimension(coefficient: product, symbols: symbols + other.symbols)
  }

  /// The value once symbols have sizes, or nil if one has none or the product passes `Limits.elements`.
  package func evaluated(_ sizes: [Int?]) -> Int? {
    var product = coefficient
    for symbol in symbols {
      guard symbol >= 0, symbol < sizes.count, let size = sizes[symbol] else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow, next <= Limits.elements else { return nil }
      product = next
    }
    return product
  }

  /// "2·N·T", with `names` for the graph's own symbols and "?" for the others.
  package func text(_ names: [String]) -> String {
    if symbols.isEmpty { return "\(coefficient)" }
    var text = coefficient == 1 ? "" : "\(coefficient)"
    for symbol in symbols {
      if !text.isEmpty { text += "·" }
      text += symbol >= 0 && symbol < names.count ? names[symbol] : "?"
    }
    return text
  }
}

/// Type and shape of a value.
package struct ValueType: Equatable, Sendable {
  package var dtype: DType
  package var shape: [Dimension]
  /// False: only binding decides; type and shape are what the file declares, if anything.
  package var isDecided = true
  /// False: nothing is known of the shape.
  package var isRanked = true

  /// A type of which nothing is known before the graph is bound.
  package static var undecided: ValueType { ValueType(declared: .f32, nil) }

  /// What a file declares of a type that only binding decides.
  package init(declared dtype: DType, _ shape: [Dimension]?) {
    self.init(dtype, shape ?? [])
    isDecided = false
    isRanked = shape != nil
  }

  package init(_ dtype: DType, _ shape: [Dimension]) {
    self.dtype = dtype
    self.shape = shape
  }

  package init(_ dtype: DType, constant shape: [Int]) {
    self.dtype = dtype
    self.shape = shape.map { Dimension($0) }
  }

  /// "[N, 64, 28, 28]".
  package func text(_ names: [String]) -> String {
    isRanked ? "[" + joined(shape.map { $0.text(names) }, separator: ", ") + "]" : "[…]"
  }
}

/// "[2, 3]".
package func shapeText(_ shape: [Int]) -> String {
  "[" + joined(shape.map { "\($0)" }, separator: ", ") + "]"
}

/// The strings in a row; Embedded Swift has no `joined(separator:)` for every sequence.
package func joined(_ parts: [String], separator: String) -> String {
  var text = ""
  for (index, part) in parts.enumerated() {
    if index > 0 { text += separator }
    text += part
  }
  return text
}
