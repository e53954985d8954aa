import CERIKernels
import CERISystem

/// The C kernels of a training run: those that the runtime's sessions choose too.
package struct TrainingKernels: @unchecked Sendable {
  package let pointer: OpaquePointer

  /// Those that the environment variable ERI_ISA names, else the fastest that this processor runs.
  /// - Throws: `TrainError` `.unsupported` for a name that is none or that this processor lacks.
  package init() throws(TrainError) {
    guard let text = eri_environment("ERI_ISA") else {
      pointer = eri_kernels_best()
      return
    }
    let name = String(cString: text)
    guard !name.isEmpty else {
      pointer = eri_kernels_best()
      return
    }
    guard let named = eri_kernels_named(name) else {
      throw TrainError(
        .unsupported,
        "ERI_ISA: expected the name of instructions that this processor has, found \"\(name)\"; leave it out")
    }
    pointer = named
  }

  /// "avx2".
  package var name: String { String(cString: eri_kernels_name(pointer)) }
}
