import CERIKernels
import CERISystem
import ERIFormat

/// What a processor's units for float32 multiply-adds do at best, measured: registers alone, no memory.
package enum ArithmeticPeak {
  /// Rounds that take a few milliseconds.
  private static let rounds = 200_000
  private static let trials = 5

  /// Multiply-adds a second on each of so many threads at work together: the best of a few trials, the mean over the threads.
  /// - Throws: `RuntimeError` `.unsupported` for kernels that there are not, `.noMemory` for threads that there are not.
  package static func multiplyAdds(instructionSet: String?, threads: Int) throws(RuntimeError) -> Double {
    let kernels = try Session.kernels(instructionSet)
    let workers: WorkerThreads
    do throws(FormatError) { workers = try WorkerThreads(count: threads) } catch { throw RuntimeError(error) }
    var best = 0.0
    for _ in 0..<trials {
      var rates = [Double](repeating: 0, count: threads)
      rates.withUnsafeMutableBufferPointer { rates in
        // Every piece writes its own element.
        let slots = rates.baseAddress
        workers.run(threads) { piece, _ in
          var sum: Float = 1
          let start = eri_clock_monotonic()
          let count = eri_f32_peak(kernels, rounds, &sum)
          slots?[piece] = Double(count) / Double(max(1, eri_clock_monotonic() - start)) * 1e9
        }
      }
      best = max(best, rates.reduce(0, +) / Double(threads))
    }
    return best
  }
}
