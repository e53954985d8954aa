import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct FloatFunctionTests {
  /// Numbers from -90 to 90, close together at 0.
  private let arguments = (-9000...9000).map { Float($0) * Float($0).magnitude / 9e5 }

  @Test func `e to the x is within 2 units in the last place`() {
    for x in arguments where x > -87 && x < 88.7 {
      let expected = Float(Double.exponential(Double(x)))
      #expect((FloatFunctions.exponential(x) - expected).magnitude <= 2 * expected.ulp, "\(x)")
    }
  }

  @Test func `tanh is within 4 units in the last place`() {
    for x in arguments {
      let expected = Float(Double.hyperbolicTangent(Double(x)))
      #expect((FloatFunctions.hyperbolicTangent(x) - expected).magnitude <= 4 * expected.ulp, "\(x)")
    }
  }

  @Test func `erf is within 2 units in the last place of 1`() {
    for x in arguments {
      let expected = Float(Double.errorFunction(Double(x)))
      #expect((FloatFunctions.errorFunction(x) - expected).magnitude <= 2 * Float(1).ulp, "\(x)")
    }
  }

  @Test func `what is past the range of e to the x is 0 or infinite`() {
    #expect(FloatFunctions.exponential(-.infinity) == 0)
    #expect(FloatFunctions.exponential(.infinity) == .infinity)
    #expect(FloatFunctions.exponential(89) == .infinity)
    #expect(FloatFunctions.exponential(88.72) < .infinity)
  }

  @Test(arguments: [FloatFunctions.exponential, FloatFunctions.hyperbolicTangent, FloatFunctions.errorFunction])
  func `NaN stays NaN`(function: @Sendable (Float) -> Float) {
    #expect(function(.nan).isNaN)
  }

  @Test func `every float16 is read as it is`() {
    for bits in UInt16.min...UInt16.max {
      let (value, expected) = (HalfFloats.float16(bits), Float(Float16(bitPattern: bits)))
      #expect(value == expected || (value.isNaN && expected.isNaN), "\(bits)")
    }
  }

  @Test func `floats become the float16 nearest to them`() {
    // All exponents, with digits at, below and above a tie.
    for high in UInt32(0)..<0x8000 {
      for low: UInt32 in [0x0000, 0x0FFF, 0x1000, 0x1001, 0x3000, 0xFFFF] {
        let value = Float(bitPattern: high << 16 | low)
        if value.isNaN { continue }
        #expect(HalfFloats.float16(value) == Float16(value).bitPattern, "\(value)")
        #expect(HalfFloats.float16(-value) == Float16(-value).bitPattern, "\(-value)")
      }
    }
  }

  @Test func `floats become the bfloat16 nearest to them`() {
    for high in UInt32(0)..<0x7F80 {
      for low: UInt32 in [0x0000, 0x7FFF, 0x8000, 0x8001, 0xFFFF] {
        let value = Float(bitPattern: high << 16 | low)
        #expect(HalfFloats.bfloat16(value) == BFloat16(rounding: Double(value)).bits, "\(value)")
      }
    }
  }

  @Test func `NaN of 16 bits stays NaN`() {
    #expect(Float16(bitPattern: HalfFloats.float16(.nan)).isNaN)
    #expect(HalfFloats.bfloat16(HalfFloats.bfloat16(.nan) as UInt16).isNaN)
  }
}
