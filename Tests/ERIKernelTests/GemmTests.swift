import CERIKernels
import ERITestSupport
import Testing

@Suite struct `Matrix multiplication` {
  struct Problem {
    let m: Int, n: Int, k: Int
    let a: [Float], lda: Int
    let b: [Float]
    let ldc: Int
    var epilogue: Epilogue

    init(m: Int, n: Int, k: Int, shape: Int, seed: UInt64) {
      var random = Random(seed: seed)
      (self.m, self.n, self.k) = (m, n, k)
      lda = k + Int(seed % 3)
      ldc = n + Int(seed % 5)
      a = random.floats((m - 1) * lda + k)
      b = random.floats(k * n)
      let form = Epilogue.shapes[shape % Epilogue.shapes.count]
      epilogue = Epilogue(
        bias: form.bias ? random.floats(n) : nil, first: form.first,
        residual: form.residual ? random.floats((m - 1) * ldc + n) : nil, second: form.second)
    }

    func packed(_ variant: Variant) -> GuardedBuffer {
      let packed = GuardedBuffer(eri_f32_gemm_packed_count(k, n))
      let source = GuardedBuffer(b)
      eri_f32_gemm_pack(variant.kernels, source.pointer, n, 1, k, n, packed.pointer)
      return packed
    }

    /// C, computed in calls over the given row ranges.
    func run(_ variant: Variant, rows: [Range<Int>]) -> GuardedBuffer {
      let packed = packed(variant), left = GuardedBuffer(a), c = GuardedBuffer((m - 1) * ldc + n)
      epilogue.withC(residualStride: ldc) { e in
        for range in rows {
          var part = e.pointee
          if let residual = part.residual { part.residual = residual + range.lowerBound * ldc }
          eri_f32_gemm(
            variant.kernels, range.count, n, k, left.pointer + range.lowerBound * lda, lda, packed.pointer,
            c.pointer + range.lowerBound * ldc, ldc, &part)
        }
      }
      #expect(c.isIntact && packed.isIntact)
      return c
    }
  }

  static let sizes: [(Int, Int, Int)] = {
    var all: [(Int, Int, Int)] = []
    for m in [1, 2, 3, 5, 6, 7, 17, 33, 97] {
      for n in [1, 3, 15, 16, 17, 33, 64, 81] {
        for k in [1, 3, 7, 16, 65] { all.append((m, n, k)) }
      }
    }
    return all + [(200, 48, 300), (1, 256, 1000)]
  }()

  @Test(arguments: Variant.all) func `equals the sum of products for sizes around the tiles`(_ variant: Variant) {
    for (index, (m, n, k)) in Self.sizes.enumerated() {
      let problem = Problem(m: m, n: n, k: k, shape: index, seed: UInt64(index))
      let c = problem.run(variant, rows: [0..<m]).values
      var wrong = 0
      for i in 0..<m {
        for j in 0..<n {
          var sum = 0.0, magnitude = 1.0
          for l in 0..<k {
            let term = Double(problem.a[i * problem.lda + l]) * Double(problem.b[l * n + j])
            sum += term
            magnitude += abs(term)
          }
          let expected = problem.epilogue.apply(
            sum, error: Tolerance.dot(terms: k, magnitude: magnitude), channel: j, element: i * problem.ldc + j)
          if !(abs(Double(c[i * problem.ldc + j]) - expected.value) <= expected.error) { wrong += 1 }
        }
        // What lies between two rows stays as it was.
        for j in n..<problem.ldc where i < m - 1 && !c[i * problem.ldc + j].isNaN { wrong += 1 }
      }
      #expect(wrong == 0, "\(m) × \(n) × \(k), epilogue \(index % Epilogue.shapes.count)")
    }
  }

  @Test(arguments: Variant.all) func `gives the same bits however rows are split over calls`(_ variant: Variant) {
    for shape in Epilogue.shapes.indices {
      for (m, n, k) in [(13, 33, 37), (7, 16, 100), (103, 80, 19)] {
        let problem = Problem(m: m, n: n, k: k, shape: shape, seed: 7)
        let whole = problem.run(variant, rows: [0..<m]).bits
        #expect(problem.run(variant, rows: (0..<m).map { $0..<$0 + 1 }).bits == whole)
        #expect(problem.run(variant, rows: [0..<2, 2..<5, 5..<m]).bits == whole)
        #expect(problem.run(variant, rows: [5..<m, 0..<5]).bits == whole)
      }
    }
  }

  @Test(arguments: Variant.all) func `adds a residual that is the output itself`(_ variant: Variant) {
    for (m, n) in [(6, 16), (5, 21)] {
      var problem = Problem(m: m, n: n, k: 9, shape: 0, seed: 10)
      var random = Random(seed: 3)
      let residual = random.floats((m - 1) * problem.ldc + n)
      problem.epilogue.residual = residual
      let expected = problem.run(variant, rows: [0..<m])
      let c = GuardedBuffer(residual), packed = problem.packed(variant), a = GuardedBuffer(problem.a)
      var epilogue = eri_f32_epilogue(
        bias: nil, first: ERI_ACTIVATION_IDENTITY, residual: c.pointer, residualStride: problem.ldc,
        second: ERI_ACTIVATION_IDENTITY)
      eri_f32_gemm(
        variant.kernels, m, n, 9, a.pointer, problem.lda, packed.pointer, c.pointer, problem.ldc, &epilogue)
      for i in 0..<m {
        for j in 0..<n { #expect(c.values[i * problem.ldc + j] == expected.values[i * problem.ldc + j]) }
      }
    }
  }

  @Test(arguments: Variant.all) func `packs a matrix and its transpose alike`(_ variant: Variant) {
    var random = Random(seed: 5)
    for (k, n) in [(1, 1), (7, 15), (8, 16), (19, 33), (64, 48)] {
      let b = random.floats(k * n)
      var transposed = b
      for i in 0..<k { for j in 0..<n { transposed[j * k + i] = b[i * n + j] } }
      let straight = GuardedBuffer(eri_f32_gemm_packed_count(k, n)), turned = GuardedBuffer(straight.count)
      let source = GuardedBuffer(b), turnedSource = GuardedBuffer(transposed)
      eri_f32_gemm_pack(variant.kernels, source.pointer, n, 1, k, n, straight.pointer)
      eri_f32_gemm_pack(variant.kernels, turnedSource.pointer, 1, k, k, n, turned.pointer)
      #expect(straight.bits == turned.bits)
      for j in 0..<(n + 15) / 16 * 16 {
        for i in 0..<k {
          #expect(straight.values[j / 16 * 16 * k + i * 16 + j % 16] == (j < n ? b[i * n + j] : 0))
        }
      }
    }
  }
}
