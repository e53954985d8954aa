import CERIKernels
import ERIFormat

/// The numbers scale · (q - zero point) of a quantisation with one scale.
struct UniformGrid: Equatable {
  let scale: Float
  let zeroPoint: Int32
  let minimum: Int32
  let maximum: Int32

  /// nil: the scales differ along an axis.
  init?(_ quantization: Quantization) {
    guard quantization.scales.count == 1 else { return nil }
    scale = quantization.scales[0]
    zeroPoint = quantization.zeroPoint(0)
    minimum = quantization.minimum
    maximum = quantization.maximum
  }

  /// Whether a byte holds every q, and the kernels' clamp is the range.
  var fitsByte: Bool { minimum == 0 && maximum == 255 && (0...255).contains(zeroPoint) }

  /// All rounding multiplies by this; where it is not a finite number the kernels have nothing to work with.
  var inverse: Float { 1 / scale }
  var isUsable: Bool { inverse.isFinite }

  var kernelForm: eri_i8_scale { eri_i8_scale(scale: scale, zero: zeroPoint) }
}
