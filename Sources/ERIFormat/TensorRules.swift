/// What every list of tensors keeps to, in a file and in a graph.
package enum TensorRules {
  package static func check(_ tensors: [Tensor]) throws(FormatError) {
    guard tensors.count <= Limits.tensors else {
      throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.tensors) tensors, found \(tensors.count)")
    }
    try checkNames(tensors.map { $0.name }, "tensor")
    var statesBegan = false
    for tensor in tensors {
      do throws(FormatError) {
        guard tensor.shape.count <= Limits.rank, tensor.byteCount != nil else {
          throw FormatError(
            .limitExceeded, at: "",
            "expected at most \(Limits.rank) dimensions and \(Limits.elements) elements, found \(shapeText(tensor.shape))"
          )
        }
        if let quantization = tensor.quantization { try quantization.check(shape: tensor.shape, dtype: tensor.dtype) }
        // So that dropping the optimiser's state changes no index that the graph refers to.
        guard tensor.role == .optimizerState || !statesBegan else {
          throw contractError("expected optimiser state after all other tensors, found it before")
        }
        statesBegan = tensor.role == .optimizerState
      } catch {
        throw error.inside("tensor \"\(tensor.name)\"")
      }
    }
  }

  /// Requires names of 1 to `Limits.nameBytes` bytes, no two the same; an error says which one, counted from `first`.
  package static func checkNames(_ names: [String], _ what: String, from first: Int = 0) throws(FormatError) {
    // By bytes: Swift's strings are equal when only their normal forms are.
    var seen: Set<[UInt8]> = []
    for (index, name) in names.enumerated() {
      let bytes = Array(name.utf8)
      guard !bytes.isEmpty, bytes.count <= Limits.nameBytes else {
        throw FormatError(
          bytes.isEmpty ? .invalid : .limitExceeded, at: "\(what) \(first + index)",
          "expected a name of 1 to \(Limits.nameBytes) bytes, found \(bytes.count)")
      }
      guard seen.insert(bytes).inserted else {
        throw FormatError(
          .invalid, at: "\(what) \(first + index)", "expected a name of its own, found \"\(name)\" a second time")
      }
    }
  }
}

/// Bytes of so many elements, or nil beyond the limits.
func byteCount(of shape: [Int], _ dtype: DType) -> Int? {
  guard let count = elementProduct(shape) else { return nil }
  let (bytes, overflow) = count.multipliedReportingOverflow(by: dtype.byteCount)
  return overflow ? nil : bytes
}

extension Tensor {
  /// Requires the bytes that type and shape ask for.
  func checkByteCount(_ found: Int) throws(FormatError) {
    guard let expected = byteCount, found == expected else {
      throw contractError("expected the bytes of \(dtype.name) \(shapeText(shape)), found \(found)")
    }
  }
}

extension Quantization {
  /// Requires integers of a fitting type, one scale for all or one per index (or block) of the axis, and a range within the type.
  func check(shape: [Int], dtype: DType) throws(FormatError) {
    guard dtype == stored else {
      throw contractError("expected values of type \(stored.name) as the quantization has it, found \(dtype.name)")
    }
    try check(shape: shape)
  }

  /// Requires what holds for any shape, and for this one where it is known.
  func check(shape: [Int]?) throws(FormatError) {
    let range: ClosedRange<Int32>
    switch stored {
    case .i8: range = -128...127
    case .u8: range = 0...255
    case .i16: range = -32_768...32_767
    case .u16: range = 0...65_535
    case .i32: range = Int32.min...Int32.max
    case .f64, .f32, .f16, .bf16, .i64, .u64, .u32, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .i4, .u4:
      throw contractError("expected quantization to integers of 8 to 32 bits, found \(stored.name)")
    }
    guard minimum <= maximum, range.contains(minimum), range.contains(maximum) else {
      throw contractError(
        "expected a range within \(range.lowerBound)...\(range.upperBound), found \(minimum) to \(maximum)")
    }
    guard !scales.isEmpty, zeroPoints.isEmpty || zeroPoints.count == scales.count else {
      throw contractError(
        "expected scales and no or as many zero points, found \(scales.count) and \(zeroPoints.count)")
    }
    for scale in scales where !scale.isFinite || scale <= 0 {
      throw contractError("expected finite scales above 0, found \(scale)")
    }
    for point in zeroPoints where point < range.lowerBound || point > range.upperBound {
      throw contractError("expected zero points within \(range.lowerBound)...\(range.upperBound), found \(point)")
    }
    guard let shape, scales.count > 1 else { return }
    guard axis >= 0, axis < shape.count else {
      throw contractError("expected a quantization axis below \(shape.count), found \(axis)")
    }
    let expected = block <= 0 ? shape[axis] : shape[axis] / block + (shape[axis] % block > 0 ? 1 : 0)
    guard scales.count == expected else {
      throw contractError("expected 1 or \(expected) scales along axis \(axis), found \(scales.count)")
    }
  }
}
