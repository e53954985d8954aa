import ERIFormat
import ERIReference

/// The largest difference of two lists of values as a share of the largest absolute value expected.
enum Share {
  static func of(_ values: GivenValue, _ expected: GivenValue) -> Double {
    let comparesBits = values.dtype == expected.dtype && !values.dtype.isFloat
    return values.withElements { values in
      expected.withElements { expected in
        of(values.count, expected.count, { values[$0] }, { expected[$0] }) {
          // 64-bit integers may differ where their Doubles agree.
          comparesBits && values.bits($0) != expected.bits($0)
        }
      }
    }
  }

  static func of(_ values: GivenValue, _ expected: ReferenceTensor) -> Double {
    values.withElements { values in of(values.count, expected.values.count, { values[$0] }, { expected.values[$0] }) }
  }

  static func of(_ values: ReferenceTensor, _ expected: ReferenceTensor) -> Double {
    of(values.values.count, expected.values.count, { values.values[$0] }, { expected.values[$0] })
  }

  private static func of(
    _ count: Int, _ expected: Int, _ value: (Int) -> Double, _ reference: (Int) -> Double,
    differsUnseen: (Int) -> Bool = { _ in false }
  ) -> Double {
    guard count == expected else { return .infinity }
    var largest = 0.0
    var difference = 0.0
    for index in 0..<count {
      let (x, y) = (value(index), reference(index))
      if y.isFinite { largest = max(largest, y.magnitude) }
      if isSame(x, y) {
        if differsUnseen(index) { difference = max(difference, 1) }
        continue
      }
      let distance = (x - y).magnitude
      // NaN would be lost in a maximum.
      difference = distance.isNaN ? .infinity : max(difference, distance)
    }
    return difference == 0 ? 0 : largest > 0 ? difference / largest : .infinity
  }
}
