import CERIKernels
import ERIFormat

/// y = x wᵀ + b: dx = dy w, dw = dyᵀ x, db = Σ dy.
final class LinearTraining: ProductTraining {
  private let rows: Int
  private let inputWidth: Int
  private let outputWidth: Int

  init(_ name: String, inputs: [TrainingValue], output: TrainingValue) {
    outputWidth = inputs[1].shape[0]
    inputWidth = inputs[1].shape[1]
    rows = output.count / max(1, outputWidth)
    super.init(
      name, inputs: inputs, output: output,
      scratch: Products.weightGradientScratch(outputs: outputWidth),
      shared: max(
        eri_f32_gemm_packed_count(inputWidth, outputWidth), eri_f32_gemm_packed_count(outputWidth, inputWidth)))
  }

  override var kind: String { Linear.name }

  override func forward(_ run: TrainingRun) {
    Products.pack(
      run, run.data(inputs[1]), strideK: 1, strideN: inputWidth, k: inputWidth, n: outputWidth, into: run.shared)
    Products.multiply(
      run, m: rows, n: outputWidth, k: inputWidth, run.data(inputs[0]), run.shared, run.data(output),
      bias: bias(run))
  }

  override func backward(_ run: TrainingRun) {
    super.backward(run)
    let dy = run.gradient(output)
    if let weightGradient {
      let x = UnsafePointer(run.data(inputs[0]))
      Products.weightGradient(
        run, rows: rows, outputs: outputWidth, columns: inputWidth, dy: dy, stride: outputWidth,
        into: run.gradient(weightGradient), accumulates: weightGradient.accumulates
      ) { range, panels, packed in
        let column = panels.lowerBound * Products.panel
        eri_f32_gemm_pack(
          run.kernels, x + range.lowerBound * inputWidth + column, inputWidth, 1, range.count,
          min(panels.upperBound * Products.panel, inputWidth) - column, packed)
      }
    }
    if let inputGradient {
      Products.pack(
        run, run.data(inputs[1]), strideK: inputWidth, strideN: 1, k: outputWidth, n: inputWidth, into: run.shared)
      Products.multiply(
        run, m: rows, n: inputWidth, k: outputWidth, dy, run.shared, run.gradient(inputGradient),
        accumulates: inputGradient.accumulates)
    }
  }
}
