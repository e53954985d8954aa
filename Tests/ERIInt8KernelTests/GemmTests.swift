import CERIKernels
import ERITestSupport
import Testing

@Suite struct `8-bit matrix multiplication` {
  struct Problem {
    let m: Int, n: Int, k: Int, lda: Int, ldc: Int
    let a: [UInt8], b: [Int8]
    let epilogue: Epilogue

    init(m: Int, n: Int, k: Int, shape: Int) {
      var random = Random(seed: UInt64(shape))
      (self.m, self.n, self.k) = (m, n, k)
      lda = k + shape % 3
      ldc = n + shape % 5
      a = random.bytes((m - 1) * lda + k, extreme: shape % 3 == 0)
      b = random.weights(k * n, kind: shape)
      let reach = 255 * 127 * Float(k).squareRoot()
      epilogue = Epilogue(shape: shape, channels: n, elements: m * n, reach: reach, random: &random)
    }

    init(m: Int, n: Int, k: Int, weight: Int8, value: UInt8) {
      var random = Random(seed: UInt64(value))
      (self.m, self.n, self.k, lda, ldc) = (m, n, k, k, n)
      a = [UInt8](repeating: value, count: (m - 1) * k) + [UInt8](repeating: 255, count: k)
      b = [Int8](repeating: weight, count: k * n)
      epilogue = Epilogue(shape: 1, channels: n, elements: m * n, reach: 255 * 127 * Float(k), random: &random)
    }

    /// C as bytes and as floats, computed in calls over the given row ranges.
    func run(_ variant: Int8Variant, rows: [Range<Int>], transposed: Bool = false) -> (bytes: [UInt8], floats: [UInt32])
    {
      let packed = wordAligned(eri_i8_gemm_packed_count(k, n)), left = GuardedArray(a)
      var turned = b
      if transposed { for i in 0..<k { for j in 0..<n { turned[j * k + i] = b[i * n + j] } } }
      let right = GuardedArray(turned)
      eri_i8_gemm_pack(
        variant.kernels, right.pointer, transposed ? 1 : n, transposed ? k : 1, k, n, packed.pointer)
      let bytes = GuardedArray<UInt8>((m - 1) * ldc + n), floats = GuardedArray<Float>((m - 1) * ldc + n)
      epilogue.withC(columns: n, stride: ldc) { e in
        for range in rows {
          var part = e
          if let residual = part.residualBytes { part.residualBytes = residual + range.lowerBound * ldc }
          if let residual = part.residualFloats { part.residualFloats = residual + range.lowerBound * ldc }
          let from = left.pointer + range.lowerBound * lda, to = range.lowerBound * ldc
          eri_i8_gemm(
            variant.kernels, range.count, n, k, from, lda, packed.pointer, bytes.pointer + to, ldc, &part)
          eri_i8_gemm_float(
            variant.kernels, range.count, n, k, from, lda, packed.pointer, floats.pointer + to, ldc, &part)
        }
      }
      #expect(bytes.isIntact && floats.isIntact && packed.isIntact)
      return (bytes.values, floats.values.map(\.bitPattern))
    }
  }

  static let problems: [Problem] = {
    var all: [Problem] = []
    for m in [1, 2, 5, 6, 12, 13, 97] {
      for n in [1, 8, 15, 16, 17, 33, 64] {
        for k in [1, 3, 4, 7, 16, 65, 128] { all.append(Problem(m: m, n: n, k: k, shape: all.count)) }
      }
    }
    // Sums that come near what int32 holds of the greatest depth.
    for shape in [3, 7, 9, 17] { all.append(Problem(m: 3, n: 5, k: 65_536, shape: shape)) }
    return all
  }()

  @Test func `the portable form equals exact sums with the epilogue as it is defined`() {
    for (index, p) in Self.problems.enumerated() {
      let c = p.run(.portable, rows: [0..<p.m])
      var wrong = 0
      for i in 0..<p.m {
        for j in 0..<p.n {
          var sum = 0
          for l in 0..<p.k { sum += (Int(p.a[i * p.lda + l]) - Int(p.epilogue.inputZero)) * Int(p.b[l * p.n + j]) }
          let expected = p.epilogue.apply(Float(sum), channel: j, element: i * p.n + j)
          let at = i * p.ldc + j
          if c.bytes[at] != expected.byte || c.floats[at] != expected.float.bitPattern { wrong += 1 }
        }
        // What lies between two rows stays as it was.
        for j in p.n..<p.ldc where i < p.m - 1 && c.bytes[i * p.ldc + j] != 0xa5 { wrong += 1 }
      }
      #expect(wrong == 0, "problem \(index): \(p.m) × \(p.n) × \(p.k)")
    }
  }

  @Test(arguments: Int8Variant.others) func `gives the portable form's bits`(_ variant: Int8Variant) {
    for (index, p) in Self.problems.enumerated() {
      #expect(
        p.run(variant, rows: [0..<p.m]) == p.run(.portable, rows: [0..<p.m]),
        "problem \(index): \(p.m) × \(p.n) × \(p.k)")
    }
  }

  /// Constant products around what int16 holds of two and of four, the last row's values larger than the others'.
  @Test(arguments: Int8Variant.others)
  func `sums exactly where values and weights are around what may be added in 16 bits`(_ variant: Int8Variant) {
    for weight: Int8 in [31, 32, 63, 64, 127, -63, -127] {
      for value: UInt8 in [63, 64, 65, 127, 128, 129, 130, 131, 255] {
        for k in [4, 8, 37] {
          let p = Problem(m: 9, n: 17, k: k, weight: weight, value: value)
          #expect(
            p.run(variant, rows: [0..<9]) == p.run(.portable, rows: [0..<9]),
            "weights \(weight), values \(value), depth \(k)")
        }
      }
    }
  }

  @Test(arguments: [Int8Variant.portable] + Int8Variant.others)
  func `gives the same bits however rows are split over calls`(_ variant: Int8Variant) {
    for shape in 0..<12 {
      let p = Problem(m: 103, n: 33 + shape, k: 37 + shape, shape: shape)
      let whole = p.run(variant, rows: [0..<103])
      #expect(p.run(variant, rows: (0..<103).map { $0..<$0 + 1 }) == whole)
      #expect(p.run(variant, rows: [98..<103, 0..<7, 7..<98]) == whole)
    }
  }

  @Test(arguments: [Int8Variant.portable] + Int8Variant.others)
  func `packs a matrix and its transpose alike`(_ variant: Int8Variant) {
    for shape in 0..<8 {
      let p = Problem(m: 4, n: 17 + shape, k: 5 + shape, shape: shape)
      #expect(p.run(variant, rows: [0..<4], transposed: true) == p.run(variant, rows: [0..<4]))
    }
  }

  @Test(arguments: [Int8Variant.portable] + Int8Variant.others)
  func `adds a residual that is the output itself`(_ variant: Int8Variant) {
    let p = Problem(m: 29, n: 40, k: 24, shape: 2)  // a residual of bytes
    guard case .bytes(let residual, let scale) = p.epilogue.residual else {
      Issue.record("shape 2 has a residual of bytes")
      return
    }
    let c = GuardedArray(residual), packed = wordAligned(eri_i8_gemm_packed_count(p.k, p.n))
    let a = GuardedArray(p.a), b = GuardedArray(p.b)
    eri_i8_gemm_pack(variant.kernels, b.pointer, p.n, 1, p.k, p.n, packed.pointer)
    p.epilogue.withC(columns: p.n, stride: p.n) { e in
      e.residualBytes = UnsafePointer(c.pointer)
      e.residualScale = scale
      eri_i8_gemm(variant.kernels, p.m, p.n, p.k, a.pointer, p.lda, packed.pointer, c.pointer, p.n, &e)
    }
    let expected = p.run(.portable, rows: [0..<p.m]).bytes
    #expect((0..<p.m * p.n).allSatisfy { c.values[$0] == expected[$0 / p.n * p.ldc + $0 % p.n] })
  }
}
