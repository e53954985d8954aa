/// A matrix whose elements lie so far apart.
struct StridedMatrix<Element> {
  let start: UnsafePointer<Element>
  let rowStride: Int
  let columnStride: Int
}

/// target[r][x] += Σ a[r, k] · b[k][x]: four rows of b into two of the target at a time, so that each is loaded for several products.
func addProducts<Element: ONNXNumber>(
  _ a: StridedMatrix<Element>, rows: Int, depth: Int, _ b: UnsafePointer<Element>, stride: Int,
  into target: UnsafeMutablePointer<Element>, stride targetStride: Int, width: Int
) {
  var row = 0
  while row < rows {
    let isPair = row &+ 1 < rows
    let y0 = target + row &* targetStride
    let y1 = isPair ? y0 + targetStride : y0
    var k = 0
    while k < depth {
      let a0 = a.start + (row &* a.rowStride &+ k &* a.columnStride)
      let b0 = b + k &* stride
      let step = a.columnStride
      if k &+ 4 <= depth {
        if isPair {
          addRows(a0, a0 + a.rowStride, step, b0, stride, y0, y1, width)
        } else {
          addRows(a0, step, b0, stride, y0, width)
        }
        k &+= 4
      } else {
        addRow(a0[0], b0, y0, width)
        if isPair { addRow(a0[a.rowStride], b0, y1, width) }
        k &+= 1
      }
    }
    row &+= 2
  }
}

@inline(__always) private func addRow<Element: ONNXNumber>(
  _ factor: Element, _ b: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ width: Int
) {
  var x = 0
  while x < width {
    y[x] = y[x].plus(factor.times(b[x]))
    x &+= 1
  }
}

/// Four rows into one.
@inline(__always) private func addRows<Element: ONNXNumber>(
  _ a: UnsafePointer<Element>, _ step: Int, _ b: UnsafePointer<Element>, _ stride: Int,
  _ y: UnsafeMutablePointer<Element>, _ width: Int
) {
  let (f0, f1, f2, f3) = (a[0], a[step], a[2 &* step], a[3 &* step])
  let (b0, b1, b2, b3) = (b, b + stride, b + 2 &* stride, b + 3 &* stride)
  var x = 0
  while x < width {
    let low = f0.times(b0[x]).plus(f1.times(b1[x]))
    let high = f2.times(b2[x]).plus(f3.times(b3[x]))
    y[x] = y[x].plus(low.plus(high))
    x &+= 1
  }
}

/// Four rows into two.
@inline(__always) private func addRows<Element: ONNXNumber>(
  _ a0: UnsafePointer<Element>, _ a1: UnsafePointer<Element>, _ step: Int, _ b: UnsafePointer<Element>, _ stride: Int,
  _ y0: UnsafeMutablePointer<Element>, _ y1: UnsafeMutablePointer<Element>, _ width: Int
) {
  let (f0, f1, f2, f3) = (a0[0], a0[step], a0[2 &* step], a0[3 &* step])
  let (g0, g1, g2, g3) = (a1[0], a1[step], a1[2 &* step], a1[3 &* step])
  let (b0, b1, b2, b3) = (b, b + stride, b + 2 &* stride, b + 3 &* stride)
  var x = 0
  while x < width {
    let (c0, c1, c2, c3) = (b0[x], b1[x], b2[x], b3[x])
    let p = f0.times(c0).plus(f1.times(c1)).plus(f2.times(c2).plus(f3.times(c3)))
    let q = g0.times(c0).plus(g1.times(c1)).plus(g2.times(c2).plus(g3.times(c3)))
    y0[x] = y0[x].plus(p)
    y1[x] = y1[x].plus(q)
    x &+= 1
  }
}
