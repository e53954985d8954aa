import CERISystem

/// Threads that divide work among them: the caller and a pool that waits beside it.
package final class WorkerThreads: @unchecked Sendable {
  /// For loops that may not allocate, as `run` does.
  package let pool: OpaquePointer
  package let count: Int

  /// - Throws: `FormatError` if the system gives fewer threads.
  package init(count: Int) throws(FormatError) {
    guard let pool = eri_pool_create(count) else {
      throw FormatError(
        .invalid, at: "threads", "expected \(count) threads, found that the system gives fewer; ask for fewer")
    }
    self.pool = pool
    self.count = count
  }

  deinit { eri_pool_free(pool) }

  /// Calls `body` once for each index below `pieces`, lower ones first, with the number of the thread it runs on; returns when all are
  /// done. Never from within a body.
  package func run(_ pieces: Int, _ body: (_ piece: Int, _ thread: Int) -> Void) {
    if count == 1 || pieces == 1 {
      var piece = 0
      while piece < pieces {
        body(piece, 0)
        piece &+= 1
      }
      return
    }
    withoutActuallyEscaping(body) { escaping in
      let box = Body(call: escaping)
      eri_pool_run(
        pool, pieces,
        { context, piece, thread in
          guard let context else { return }
          Unmanaged<Body>.fromOpaque(context).takeUnretainedValue().call(piece, thread)
        }, Unmanaged.passUnretained(box).toOpaque())
    }
  }

  private final class Body {
    let call: (Int, Int) -> Void

    init(call: @escaping (Int, Int) -> Void) { self.call = call }
  }
}
