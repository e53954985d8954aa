import CERISchema

/// The same elements in row-major order under another shape, whose extents may be products of the graph's symbols.
package struct Reshape: OperatorContract {
  package static let name = "reshape"
  package static let number: UInt32 = 27
  package static let version: UInt32 = 1
  package static let since = FormatVersion(1, 0)

  package var shape: [Dimension]

  package init(_ shape: [Dimension]) { self.shape = shape }

  package func outputs(_ inputs: [ValueType?], _ inference: inout ShapeInference) throws(FormatError) -> [ValueType] {
    try inference.arity(inputs, 1, 1)
    let x = try inference.input(inputs, 0, "x")
    let symbolCount = inference.symbolNames.count
    for dimension in shape {
      for symbol in dimension.symbols where symbol < 0 || symbol >= symbolCount {
        throw contractError("expected symbols below \(symbolCount), found \(symbol)")
      }
    }
    let before = try inference.product(x.shape)
    let after = try inference.product(shape)
    if let a = before.constant, let b = after.constant, a != b {
      throw contractError("expected \(a) elements, found \(b) in \(ValueType(.f32, shape).text(inference.symbolNames))")
    }
    return [ValueType(x.dtype, shape)]
  }
}

extension Reshape {
  init(wire: Eri__Reshape) throws(FormatError) {
    shape = try dimensions(wire.shape, wire.n_shape)
  }

  func wire(in arena: WireArena) throws(FormatError) -> UnsafeMutablePointer<Eri__Reshape> {
    let wire = try arena.message(eri__reshape__init)
    (wire.pointee.n_shape, wire.pointee.shape) = (shape.count, try wireDimensions(shape, in: arena))
    return wire
  }
}

/// The wire's dimensions, checked against the limits.
func dimensions(
  _ wire: UnsafeMutablePointer<UnsafeMutablePointer<Eri__Dimension>?>?, _ count: Int
) throws(FormatError) -> [Dimension] {
  guard count > 0, let wire else { return [] }
  guard count <= Limits.rank else {
    throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.rank) dimensions, found \(count)")
  }
  var result: [Dimension] = []
  for index in 0..<count {
    guard let dimension = wire[index]?.pointee else { throw contractError("expected a dimension, found none") }
    guard let coefficient = Int(exactly: dimension.coefficient), coefficient <= Limits.elements else {
      throw FormatError(
        .limitExceeded, at: "", "expected an extent of at most \(Limits.elements), found \(dimension.coefficient)")
    }
    let symbols = try integers(dimension.symbols, dimension.n_symbols, limit: Limits.rank, "symbols")
    // One form per meaning: a file read and written again keeps its logical digest.
    guard symbols == symbols.sorted(), coefficient > 0 || symbols.isEmpty else {
      throw contractError(
        "expected a dimension's symbols ascending, and none beside 0, found \(coefficient) times \(shapeText(symbols))")
    }
    result.append(Dimension(coefficient: coefficient, symbols: symbols))
  }
  return result
}

/// The dimensions as wire messages.
func wireDimensions(
  _ shape: [Dimension], in arena: WireArena
) throws(FormatError) -> UnsafeMutablePointer<UnsafeMutablePointer<Eri__Dimension>?>? {
  var messages: [UnsafeMutablePointer<Eri__Dimension>?] = []
  for dimension in shape {
    let message = try arena.message(eri__dimension__init)
    message.pointee.coefficient = UInt64(dimension.coefficient)
    (message.pointee.n_symbols, message.pointee.symbols) = (
      dimension.symbols.count, try arena.copy32(dimension.symbols)
    )
    messages.append(message)
  }
  return try arena.copy(messages)
}
