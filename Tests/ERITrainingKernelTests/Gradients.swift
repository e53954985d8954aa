import ERIFormat
import ERITestSupport

/// The gradient of a scalar function by central differences in Double: good to about 1e-9 for functions of magnitude 1.
func differences(_ x: [Float], _ function: ([Double]) -> Double) -> [Double] {
  var point = x.map(Double.init)
  return point.indices.map { i in
    let (value, step) = (point[i], 2e-5)
    defer { point[i] = value }
    point[i] = value + step
    let above = function(point)
    point[i] = value - step
    return (above - function(point)) / (2 * step)
  }
}

func dot(_ a: some Sequence<Double>, _ b: some Sequence<Float>) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * Double($1.1) }
}

extension SeededRandom {
  mutating func floats(_ count: Int, in range: ClosedRange<Double> = -1...1) -> [Float] {
    (0..<count).map { _ in Float(uniform(in: range)) }
  }
}

/// A guarded buffer of doubles.
struct GuardedDoubles {
  private let buffer: GuardedBuffer
  let count: Int

  init(_ values: [Double]) {
    buffer = GuardedBuffer(2 * values.count)
    count = values.count
    for (i, value) in values.enumerated() { pointer[i] = value }
  }

  var pointer: UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(buffer.pointer).assumingMemoryBound(to: Double.self)
  }
  var values: [Double] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
  var isIntact: Bool { buffer.isIntact }
}

/// Calls `kernel` with a destination, once to be written and once to be added to, and gives the larger distance from `expected`.
func destinationDistance(_ expected: [Double], _ kernel: (GuardedBuffer, Bool) -> Void) -> Double {
  let written = GuardedBuffer(expected.count)
  kernel(written, false)
  let old = expected.indices.map { Float($0 % 5) / 4 - 0.5 }
  let added = GuardedBuffer(old)
  kernel(added, true)
  guard written.isIntact, added.isIntact else { return .infinity }
  let sums = zip(expected, old).map { $0 + Double($1) }
  // Where the two nearly cancel, the sum cannot be better than they are.
  let share = max(1, norm(expected) / norm(sums))
  return max(distance(written.values, expected), distance(added.values, sums) / share)
}

/// ‖values - expected‖ / ‖expected‖; infinite where one is NaN, or where the expectation is 0 and the values are not.
func distance(_ values: [Float], _ expected: [Double]) -> Double { distance(values.map(Double.init), expected) }

func distance(_ values: [Double], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  let difference = zip(values, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  if difference == 0 { return 0 }
  return difference.isNaN || norm(expected) == 0 ? .infinity : difference / norm(expected)
}

func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
