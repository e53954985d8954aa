/// Σ a·b over `count` elements, in eight partial sums: a sum in sequence would neither vectorise nor round as little.
func dot<T: ONNXReal>(_ a: UnsafePointer<T>, _ b: UnsafePointer<T>, _ count: Int) -> T {
  var sums: (T, T, T, T, T, T, T, T) = (0, 0, 0, 0, 0, 0, 0, 0)
  var index = 0
  while index &+ 8 <= count {
    let (x, y) = (a + index, b + index)
    sums.0 += x[0] * y[0]
    sums.1 += x[1] * y[1]
    sums.2 += x[2] * y[2]
    sums.3 += x[3] * y[3]
    sums.4 += x[4] * y[4]
    sums.5 += x[5] * y[5]
    sums.6 += x[6] * y[6]
    sums.7 += x[7] * y[7]
    index &+= 8
  }
  let low = (sums.0 + sums.4) + (sums.2 + sums.6)
  let high = (sums.1 + sums.5) + (sums.3 + sums.7)
  var total = low + high
  while index < count {
    total += a[index] * b[index]
    index &+= 1
  }
  return total
}

/// target += factor · row.
func accumulate<T: ONNXReal>(
  _ factor: T, _ row: UnsafePointer<T>, into target: UnsafeMutablePointer<T>, _ count: Int
) {
  var index = 0
  while index < count {
    target[index] += factor * row[index]
    index &+= 1
  }
}
