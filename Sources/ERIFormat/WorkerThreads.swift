import CERISystem
import Synchronization

/// Threads that work through clips: the caller and those that wait beside it.
final class WorkerThreads {
  private let pool: OpaquePointer
  let count: Int

  /// - Throws: `DatasetError` if the system gives fewer threads.
  init(count: Int) throws(DatasetError) {
    guard let pool = eri_pool_create(count) else {
      throw DatasetError(
        .unsupported, path: "threads", expected: "\(count) threads", found: "fewer that the system gives",
        advice: "ask for fewer")
    }
    self.pool = pool
    self.count = count
  }

  deinit { eri_pool_free(pool) }

  /// Calls `body` once for each index below `pieces`, with the number of the thread it runs on, lower indices first; returns when
  /// all are done.
  func run(_ pieces: Int, _ body: (_ piece: Int, _ thread: Int) -> Void) {
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
