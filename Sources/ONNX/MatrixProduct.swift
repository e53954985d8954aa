import CERIKernels
import CERISystem
import ERIFormat

/// C[m, n] = A[m, k] · B[k, n], row-major; either operand may lie transposed.
struct MatrixProduct {
  let m: Int
  let n: Int
  let k: Int
  var transposesA = false
  var transposesB = false
  /// The float32 kernels of this processor.
  let kernels: OpaquePointer? = MatrixProduct.chosenKernels()

  /// Float32 with fewer rows, or with one column, is computed without packing B, which would cost as much as the product.
  private static let packedRows = 4

  private var packs: Bool { m >= MatrixProduct.packedRows && k > 0 && n > 1 && kernels != nil }

  /// What the environment variable ERI_ISA names, else the fastest.
  private static func chosenKernels() -> OpaquePointer? {
    if let name = eri_environment("ERI_ISA"), let kernels = eri_kernels_named(name) { return kernels }
    return eri_kernels_best()
  }

  /// Bytes of memory that a product needs.
  func scratchBytes(_ dtype: DType) -> Int {
    let packed = dtype == .f32 && packs ? eri_f32_gemm_packed_count(k, n) * 4 : 0
    return packed + 64 + (transposesA ? m * k * dtype.byteCount : 0)
  }

  /// `scratch` is aligned to 64 bytes.
  func run<Element: ONNXNumber>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ c: UnsafeMutablePointer<Element>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    guard m > 0, n > 0 else { return }
    var rows = a
    var free = scratch
    if transposesA {
      let copy = scratch.assumingMemoryBound(to: Element.self)
      for row in 0..<m {
        for column in 0..<k { copy[row &* k &+ column] = a[column &* m &+ row] }
      }
      rows = UnsafePointer(copy)
      free += (m * k * MemoryLayout<Element>.stride + 63) / 64 * 64
    }
    if Element.self == Float.self && packs {
      runPacked(UnsafeRawPointer(rows), UnsafeRawPointer(b), UnsafeMutableRawPointer(c), free)
    } else if transposesB || n == 1 {
      runDots(rows, b, c)
    } else {
      runRows(rows, b, c)
    }
  }

  private func runPacked(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutableRawPointer, _ scratch: UnsafeMutableRawPointer
  ) {
    let packed = scratch.assumingMemoryBound(to: Float.self)
    eri_f32_gemm_pack(
      kernels, b.assumingMemoryBound(to: Float.self), transposesB ? 1 : n, transposesB ? k : 1, k, n, packed)
    var epilogue = eri_f32_epilogue()
    eri_f32_gemm(
      kernels, m, n, k, a.assumingMemoryBound(to: Float.self), k, packed, c.assumingMemoryBound(to: Float.self), n,
      &epilogue)
  }

  /// Row by row, each a sum of B's rows.
  private func runRows<Element: ONNXNumber>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ c: UnsafeMutablePointer<Element>
  ) {
    for row in 0..<m {
      let a = a + row * k
      let c = c + row * n
      c.update(repeating: Element.nought, count: n)
      for index in 0..<k {
        let factor = a[index]
        let b = b + index * n
        var column = 0
        while column < n {
          c[column] = c[column].plus(factor.times(b[column]))
          column &+= 1
        }
      }
    }
  }

  /// Element by element, each the product of a row and a row of the transposed B.
  private func runDots<Element: ONNXNumber>(
    _ a: UnsafePointer<Element>, _ b: UnsafePointer<Element>, _ c: UnsafeMutablePointer<Element>
  ) {
    for row in 0..<m {
      let a = a + row * k
      for column in 0..<n {
        let b = b + column * k
        var totals = (Element.nought, Element.nought, Element.nought, Element.nought)
        var index = 0
        while index &+ 4 <= k {
          totals.0 = totals.0.plus(a[index].times(b[index]))
          totals.1 = totals.1.plus(a[index &+ 1].times(b[index &+ 1]))
          totals.2 = totals.2.plus(a[index &+ 2].times(b[index &+ 2]))
          totals.3 = totals.3.plus(a[index &+ 3].times(b[index &+ 3]))
          index &+= 4
        }
        while index < k {
          totals.0 = totals.0.plus(a[index].times(b[index]))
          index &+= 1
        }
        c[row * n + column] = totals.0.plus(totals.1).plus(totals.2.plus(totals.3))
      }
    }
  }
}
