import Foundation
import Testing

@testable import ERIDataset

@Suite struct PixelArithmeticTests {
  @Test func `exp is within 4e-6 of libm's down to -8 and within 1.2e-5 below`() {
    for (range, bound) in [(Float(-8)...0, 4e-6), (-80...(-8), 1.2e-5)] {
      let errors = stride(from: range.lowerBound, through: range.upperBound, by: 0.01).map { x in
        abs(Double(PixelArithmetic.exp(x)) / Foundation.exp(Double(x)) - 1)
      }
      #expect(errors.max().map { $0 < bound } == true)
    }
  }

  @Test func `exp of a very negative number is next to nothing`() {
    #expect(PixelArithmetic.exp(-1e6) < 2e-38)
    #expect(PixelArithmetic.exp(-1e6) >= 0)
  }

  @Test func `sin is within 1e-5 of libm's up to 20 and within 1e-4 up to 1000`() {
    for (limit, bound) in [(Float(20), 1e-5), (1000, 1e-4)] {
      let errors = (0...20_000).map { i in
        let x = limit * (Float(i) / 10_000 - 1)
        return abs(Double(PixelArithmetic.sin(x)) - Foundation.sin(Double(x)))
      }
      #expect(errors.max().map { $0 < bound } == true)
    }
  }

  @Test func `smoothstep runs from 0 over a half to 1`() {
    #expect([-1, 0, 0.5, 1, 2].map { PixelArithmetic.smoothstep($0) } == [0, 0, 0.5, 1, 1])
  }
}
