/// What a shape rule may ask while it computes an operator's output types.
package struct ShapeInference {
  /// Names of the graph's symbols, for messages.
  package let symbolNames: [String]
  private var nextSymbol: Int

  package init(symbolNames: [String]) {
    self.symbolNames = symbolNames
    nextSymbol = symbolNames.count
  }

  /// An extent that only binding decides.
  package mutating func fresh() -> Dimension {
    defer { nextSymbol += 1 }
    return Dimension(symbol: nextSymbol)
  }

  /// The extent that two must share; differing constants are an error, an undecidable pair is left to binding.
  package func same(_ a: Dimension, _ b: Dimension, _ what: String) throws(FormatError) -> Dimension {
    if a == b { return a }
    if a.constant != nil && b.constant != nil {
      throw contractError("expected \(what) to agree, found \(a.text(symbolNames)) and \(b.text(symbolNames))")
    }
    return a.constant != nil ? a : b
  }

  /// Requires an extent to be the constant `expected` as far as it is known.
  package func require(_ dimension: Dimension, equals expected: Int, _ what: String) throws(FormatError) {
    if let constant = dimension.constant, constant != expected {
      throw contractError("expected \(what) to be \(expected), found \(constant)")
    }
  }

  /// Input `index`, which must be there, of the given type and, unless nil, rank.
  package func input(
    _ inputs: [ValueType?], _ index: Int, _ what: String, dtype: DType = .f32, rank: Int? = nil
  ) throws(FormatError) -> ValueType {
    guard index < inputs.count, let type = inputs[index] else {
      throw contractError("expected \(what) at position \(index), found no input")
    }
    if type.dtype != dtype {
      throw contractError("expected \(what) of type \(dtype.name), found \(type.dtype.name)")
    }
    if let rank, type.shape.count != rank {
      throw contractError(
        "expected \(what) with \(counted(rank, "dimension")), found \(type.shape.count): \(type.text(symbolNames))")
    }
    return type
  }

  /// Requires between `minimum` and `maximum` inputs, all but the optional ones present.
  package func arity(_ inputs: [ValueType?], _ minimum: Int, _ maximum: Int) throws(FormatError) {
    if inputs.count < minimum || inputs.count > maximum {
      let expected = minimum == maximum ? counted(minimum, "input") : "\(minimum) to \(maximum) inputs"
      throw contractError("expected \(expected), found \(inputs.count)")
    }
  }

  /// The product of extents; an error beyond the limit or for a negative one.
  package func product(_ shape: [Dimension]) throws(FormatError) -> Dimension {
    var product = Dimension(1)
    for dimension in shape {
      guard dimension.coefficient >= 0 else {
        throw contractError("expected extents of at least 0, found shape \(ValueType(.f32, shape).text(symbolNames))")
      }
      guard let next = product.times(dimension) else {
        throw FormatError(
          .limitExceeded, at: "",
          "expected at most \(Limits.elements) elements, found more in shape "
            + ValueType(.f32, shape).text(symbolNames))
      }
      product = next
    }
    return product
  }

  /// Extent of a window's output along one axis: floor or ceil((in + pads - dilation (kernel - 1) - 1) / stride) + 1.
  package mutating func windowed(
    _ input: Dimension, kernel: Int, stride: Int, dilation: Int, padBegin: Int, padEnd: Int, ceil: Bool = false
  ) throws(FormatError) -> Dimension {
    guard let size = input.constant else { return fresh() }
    // 64 bits: on a 32-bit processor the sums of extents and pads within the limits could overflow Int.
    let reach = Int64(dilation) * Int64(kernel - 1) + 1
    let padded = Int64(size) + Int64(padBegin) + Int64(padEnd)
    guard padded >= reach else {
      throw contractError("expected an extent of at least \(reach) with its padding, found \(padded)")
    }
    var count = (padded - reach) / Int64(stride) + 1
    // ONNX and PyTorch: a window that would start in the end padding is left out.
    if ceil && (padded - reach) % Int64(stride) != 0 && count * Int64(stride) < Int64(size) + Int64(padBegin) {
      count += 1
    }
    guard let count = Int(exactly: count), count <= Limits.elements else {
      throw contractError("expected a shorter extent, found \(padded) with its padding")
    }
    return Dimension(count)
  }
}

/// "1 input", "2 inputs".
package func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// An error of an operator's contract; the caller adds the place.
package func contractError(_ message: String) -> FormatError { FormatError(.invalid, at: "", message) }
