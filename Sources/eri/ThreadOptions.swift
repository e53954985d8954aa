import ArgumentParser
import CERISystem
import ERIRuntime

/// How many threads work whose result does not depend on it.
struct ThreadOptions: ParsableArguments {
  @Option(help: "Threads; no result depends on their number. Default: all processors.") var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads: expected 1 to 1024, found \(threads)")
    }
  }

  var count: Int { threads ?? min(eri_processor_count(), 1024) }
}

extension MemoryUse: ExpressibleByArgument {}
