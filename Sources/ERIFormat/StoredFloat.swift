/// A floating-point type that tensors are stored in.
package protocol StoredFloat: BitwiseCopyable {
  /// The exact value.
  var double: Double { get }
  /// The nearest value, ties to even.
  init(rounding value: Double)
}

extension Double: StoredFloat {
  package var double: Double { self }
  package init(rounding value: Double) { self = value }
}

extension Float: StoredFloat {
  package var double: Double { Double(self) }
  package init(rounding value: Double) { self = Float(value) }
}

extension Float16: StoredFloat {
  package var double: Double { Double(self) }
  package init(rounding value: Double) { self = Float16(value) }
}

/// The upper half of a float32.
package struct BFloat16: StoredFloat {
  package let bits: UInt16

  package var double: Double { Double(Float(bitPattern: UInt32(bits) << 16)) }

  package init(rounding value: Double) {
    var single = Float(value)
    guard !single.isNaN else {
      // A quiet NaN, however its lower half looks.
      bits = UInt16(truncatingIfNeeded: single.bitPattern >> 16) | 0x0040
      return
    }
    // Rounded to odd first, so that rounding twice is as rounding once.
    if Double(single) != value && single.isFinite {
      if Double(single.magnitude) > value.magnitude {
        single = Float(bitPattern: single.bitPattern - 1)
      }
      single = Float(bitPattern: single.bitPattern | 1)
    } else if single.isInfinite && value.isFinite {
      single = value < 0 ? -Float.greatestFiniteMagnitude : Float.greatestFiniteMagnitude
    }
    let pattern = single.bitPattern
    guard single.isFinite else {
      bits = UInt16(truncatingIfNeeded: pattern >> 16)
      return
    }
    bits = UInt16(truncatingIfNeeded: (pattern + 0x7FFF + (pattern >> 16 & 1)) >> 16)
  }
}
