import CERIKernels
import CInt8Narrow

/// One implementation of the 8-bit kernels that this processor runs.
struct Int8Variant: CustomStringConvertible, Sendable {
  /// Its place in the table of variants; after the last comes the narrow form of VNNI.
  let index: Int

  static let portable = Int8Variant(index: 0)
  static let narrow = Int8Variant(index: eri_i8_variant_count())
  /// Every variant whose instructions this processor has, but the portable one.
  static let others = (1...eri_i8_variant_count()).map(Int8Variant.init).filter { $0.kernels != nil }

  var kernels: OpaquePointer? { index < eri_i8_variant_count() ? eri_i8_variant(index) : int8_narrow() }
  var description: String { kernels.map { String(cString: eri_i8_name($0)) } ?? "none" }
}
