import CERIKernels

/// One implementation of the kernels that this processor runs.
public struct Variant: CustomStringConvertible, Sendable {
  /// Its place in the table of variants.
  public let index: Int

  /// Every variant compiled in whose instructions this processor has.
  public static let all = (0..<eri_kernels_variant_count()).filter { eri_kernels_variant($0) != nil }.map(Variant.init)

  /// What the kernels are called with.
  public var kernels: OpaquePointer? { eri_kernels_variant(index) }
  /// Its name.
  public var description: String { String(cString: eri_kernels_variant_name(index)) }
}
