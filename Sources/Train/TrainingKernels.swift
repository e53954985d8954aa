import CERIKernels
import ERIRuntime

/// The C kernels of a training run: those that the runtime's sessions choose too.
package struct TrainingKernels: @unchecked Sendable {
  package let pointer: OpaquePointer

  /// - Throws: `TrainError` `.unsupported` if the environment variable ERI_ISA names none or one that this processor lacks.
  package init() throws(TrainError) {
    do throws(RuntimeError) { pointer = try Session.kernels(nil) } catch {
      throw TrainError(.unsupported, error.description)
    }
  }

  /// "avx2".
  package var name: String { String(cString: eri_kernels_name(pointer)) }
}
