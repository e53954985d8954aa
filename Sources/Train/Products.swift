import CERIKernels
import CERITraining
import ERIFormat

/// Matrix products that several gradients share, on the runtime's packed micro-kernel.
enum Products {
  static let panel = 16
  /// Rows of a batch whose products are summed in one chain before they are added to a weight's gradient.
  static let depth = 256
  /// Panels packed together.
  static let panelGroup = 12

  /// An epilogue that adds what the destination holds, or nothing.
  static func epilogue(
    bias: UnsafePointer<Float>? = nil, adding residual: UnsafePointer<Float>? = nil, stride: Int = 0
  ) -> eri_f32_epilogue {
    eri_f32_epilogue(
      bias: bias, first: ERI_ACTIVATION_IDENTITY, residual: residual, residualStride: stride,
      second: ERI_ACTIVATION_IDENTITY)
  }

  /// Packs B [k, n] for `multiply`, some panels per piece.
  static func pack(
    _ run: TrainingRun, _ b: UnsafePointer<Float>, strideK: Int, strideN: Int, k: Int, n: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    run.split(n, grain: 4 * panel) { begin, end, _ in
      eri_f32_gemm_pack(run.kernels, b + begin * strideN, strideK, strideN, k, end - begin, packed + begin * k)
    }
  }

  /// C [m, n] (+)= A [m, k] · packed + bias, rows contiguous.
  static func multiply(
    _ run: TrainingRun, m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, _ packed: UnsafePointer<Float>,
    _ c: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>? = nil, accumulates: Bool = false
  ) {
    run.split(m, grain: 96) { begin, end, _ in
      let target = c + begin * n
      var form = epilogue(bias: bias, adding: accumulates ? UnsafePointer(target) : nil, stride: n)
      eri_f32_gemm(run.kernels, end - begin, n, k, a + begin * k, k, packed, target, n, &form)
    }
  }

  /// Floats of one thread's scratch for `weightGradient`.
  static func weightGradientScratch(outputs: Int) -> Int { depth * (outputs + panelGroup * panel) }

  /// C [outputs, columns] (+)= dYᵀ · X, summed over `rows` rows.
  ///
  /// - Parameters:
  ///   - dy: rows of `outputs` floats, `stride` apart.
  ///   - pack: packs rows begin ..< end of X's columns of the given panels, as `eri_f32_gemm_pack` does.
  static func weightGradient(
    _ run: TrainingRun, rows: Int, outputs: Int, columns: Int, dy: UnsafePointer<Float>, stride: Int,
    into c: UnsafeMutablePointer<Float>, accumulates: Bool,
    pack: (_ rows: Range<Int>, _ panels: Range<Int>, _ packed: UnsafeMutablePointer<Float>) -> Void
  ) {
    let panels = (columns + panel - 1) / panel
    // Each piece transposes all of dy again, so pieces are few.
    let pieces = run.threads.count == 1 ? 1 : min(2 * run.threads.count, (panels + 5) / 6)
    run.threads.run(pieces) { piece, thread in
      let firstPanel = panels * piece / pieces
      let lastPanel = panels * (piece + 1) / pieces
      let transposed = run.scratch(thread)
      let packed = transposed + depth * outputs
      var row = 0
      while row < rows {
        let count = min(depth, rows - row)
        eri_f32_transpose(run.kernels, count, outputs, dy + row * stride, stride, transposed, count)
        var first = firstPanel
        while first < lastPanel {
          let last = min(first + panelGroup, lastPanel)
          pack(row..<(row + count), first..<last, packed)
          let column = first * panel
          let target = c + column
          var form = epilogue(adding: accumulates || row > 0 ? UnsafePointer(target) : nil, stride: columns)
          eri_f32_gemm(
            run.kernels, outputs, min(last * panel, columns) - column, count, transposed, count, packed, target,
            columns, &form)
          first = last
        }
        row += count
      }
    }
  }

  /// Adds the sums over rows of x [rows, columns] to a gradient.
  static func addColumnSums(
    _ run: TrainingRun, rows: Int, columns: Int, _ x: UnsafePointer<Float>, sums: DoubleBlock,
    to gradient: UnsafeMutablePointer<Float>
  ) {
    sums.clear()
    run.split(columns, grain: 2 * panel) { begin, end, _ in
      eri_f32_column_sums(run.kernels, rows, end - begin, x + begin, columns, sums.pointer + begin)
    }
    add(sums, to: gradient, count: columns)
  }

  /// gradient[i] += sums[first + i].
  static func add(_ sums: DoubleBlock, from first: Int = 0, to gradient: UnsafeMutablePointer<Float>, count: Int) {
    var index = 0
    while index < count {
      gradient[index] = Float(Double(gradient[index]) + sums.pointer[first &+ index])
      index &+= 1
    }
  }
}
