import Foundation
import Testing

@testable import ERIFormat

/// The difference of two numbers in units of the last place of the second.
private func ulps(_ found: Double, _ expected: Double) -> Double {
  if found == expected || (found.isNaN && expected.isNaN) { return 0 }
  return abs(found - expected) / expected.ulp
}

/// The largest difference over evenly spread points of a range, and a random point in each step so that no grid hides
/// it.
private func worst(
  _ range: ClosedRange<Double>, _ found: (Double) -> Double, _ expected: (Double) -> Double
) -> Double {
  var random = SeededRandom(seed: 7)
  let count = 100_000
  let step = (range.upperBound - range.lowerBound) / Double(count)
  return (0..<count).reduce(0.0) { worst, i in
    let x = range.lowerBound + step * (Double(i) + random.uniform())
    return max(worst, ulps(found(x), expected(x)))
  }
}

// libm is itself within 1 ulp, so a difference of 1 or 2 ulp bounds the error by 2 or 3.
@Suite struct DeterministicMathTests {
  @Test(arguments: [-745.0 ... -700, -700...700, -1...1, 700...709.78])
  func `exp agrees with libm within 1 ulp`(range: ClosedRange<Double>) {
    #expect(worst(range, DeterministicMath.exp, Foundation.exp) <= 1)
  }

  @Test(arguments: [0x1p-1060...0x1p-1022, 1e-300...1e300, 0.5...2, 0.999...1.001, 1...1_000_000])
  func `log agrees with libm within 1 ulp`(range: ClosedRange<Double>) {
    #expect(worst(range, DeterministicMath.log, Foundation.log) <= 1)
  }

  @Test(arguments: [-1...1, -10...10, -1_000_000...1_000_000, 3.1415...3.1416, 1e-9...1e-8])
  func `sin agrees with libm within 2 ulp`(range: ClosedRange<Double>) {
    #expect(worst(range, DeterministicMath.sin, Foundation.sin) <= 2)
  }

  @Test(arguments: [-1...1, -10...10, -1_000_000...1_000_000, 1.5707...1.5708])
  func `cos agrees with libm within 2 ulp`(range: ClosedRange<Double>) {
    #expect(worst(range, DeterministicMath.cos, Foundation.cos) <= 2)
  }

  @Test func `sin and cos stay within 1 ulp at the doubles nearest to multiples of half pi`() {
    for n in 1...200_000 {
      let x = Double(n) * (Double.pi / 2)
      #expect(ulps(DeterministicMath.sin(x), Foundation.sin(x)) <= 1)
      #expect(ulps(DeterministicMath.cos(x), Foundation.cos(x)) <= 1)
    }
  }

  @Test func `pow agrees with libm within 1e-14 for results of moderate size`() {
    for y in [-2, -0.5, 1 / 1.5, 1.3, 3.0] {
      let error = worst(0.001...50) {
        DeterministicMath.pow($0, y)
      } _: {
        Foundation.pow($0, y)
      }
      #expect(error * 0x1p-52 <= 1e-14)
    }
  }

  @Test func `the edges of the domains give what libm gives`() {
    #expect(DeterministicMath.exp(0) == 1)
    #expect(DeterministicMath.exp(-.infinity) == 0)
    #expect(DeterministicMath.exp(.infinity) == .infinity)
    #expect(DeterministicMath.exp(.nan).isNaN)
    #expect(DeterministicMath.log(1) == 0)
    #expect(DeterministicMath.log(0) == -.infinity)
    #expect(DeterministicMath.log(.infinity) == .infinity)
    #expect(DeterministicMath.log(-1).isNaN)
    #expect(DeterministicMath.log(.nan).isNaN)
    #expect(DeterministicMath.log(.leastNonzeroMagnitude) == Foundation.log(.leastNonzeroMagnitude))
    #expect(DeterministicMath.sin(0) == 0)
    #expect(DeterministicMath.cos(0) == 1)
    #expect(DeterministicMath.sin(.infinity).isNaN)
    #expect(DeterministicMath.pow(0, 2) == 0)
    #expect(DeterministicMath.pow(0, 0) == 1)
  }
}
