import CERISystem
import Testing

/// What the bodies of a run share.
private struct Counts {
  /// How often each index came; unguarded, as a run hands each out once and runs follow each other.
  var visits: UnsafeMutablePointer<Int>
  /// How many indices each thread took.
  var taken: UnsafeMutablePointer<Int>
}

private func count(_ context: UnsafeMutableRawPointer?, _ index: Int, _ thread: Int) {
  guard let counts = context?.assumingMemoryBound(to: Counts.self).pointee else { return }
  counts.visits[index] += 1
  counts.taken[thread] += 1
}

@Suite("Thread pool")
struct PoolTests {
  /// Runs the counts one after another on one pool; returns visits per index and indices taken per thread.
  func run(_ counts: [Int], threads: Int) throws -> (visits: [Int], taken: [Int]) {
    let pool = try #require(eri_pool_create(threads))
    defer { eri_pool_free(pool) }
    var visits = [Int](repeating: 0, count: (counts.max() ?? 0) + 1)
    var taken = [Int](repeating: 0, count: threads)
    visits.withUnsafeMutableBufferPointer { visits in
      taken.withUnsafeMutableBufferPointer { taken in
        guard let visits = visits.baseAddress, let taken = taken.baseAddress else { return }
        var shared = Counts(visits: visits, taken: taken)
        for n in counts { eri_pool_run(pool, n, count, &shared) }
      }
    }
    return (visits, taken)
  }

  /// 2 is what spins here on most machines; 64 is more threads than processors on most.
  static let threadCounts = [1, 2, 3, 4, 8, 64]

  @Test("Every index comes exactly once", arguments: threadCounts, [0, 1, 2, 3, 100, 5000])
  func once(threads: Int, indices: Int) throws {
    let (visits, taken) = try run([indices], threads: threads)
    #expect(visits == [Int](repeating: 1, count: indices) + [0])
    #expect(taken.reduce(0, +) == indices)
  }

  @Test("Thousands of runs in a row lose no index and no result", arguments: threadCounts)
  func manyRuns(threads: Int) throws {
    var numbers = Numbers(state: 7)
    let counts = (0..<4000).map { _ in Int.random(in: 0...40, using: &numbers) }
    let (visits, taken) = try run(counts, threads: threads)
    #expect(visits == visits.indices.map { index in counts.count { $0 > index } })
    #expect(taken.reduce(0, +) == counts.reduce(0, +))
  }

  @Test("Runs after pauses that let the threads fall asleep lose nothing")
  func afterSleep() throws {
    let pool = try #require(eri_pool_create(2))
    defer { eri_pool_free(pool) }
    var visits = [Int](repeating: 0, count: 16)
    var taken = [0, 0]
    visits.withUnsafeMutableBufferPointer { visits in
      taken.withUnsafeMutableBufferPointer { taken in
        guard let visits = visits.baseAddress, let taken = taken.baseAddress else { return }
        var shared = Counts(visits: visits, taken: taken)
        for round in 0..<200 {
          // Around the time that a waiting thread spins before it sleeps: from none of it to twice as long.
          let end = eri_clock_monotonic() + UInt64(round) * 200
          while eri_clock_monotonic() < end {}
          eri_pool_run(pool, 16, count, &shared)
        }
      }
    }
    #expect(visits == [Int](repeating: 200, count: 16))
    #expect(taken.reduce(0, +) == 3200)
  }

  @Test("A body's thread number is below the pool's thread count, which is what was asked for", arguments: threadCounts)
  func threadCount(threads: Int) throws {
    let pool = try #require(eri_pool_create(threads))
    defer { eri_pool_free(pool) }
    #expect(eri_pool_thread_count(pool) == threads)
    var highest = 0
    eri_pool_run(pool, 1, { context, _, thread in context?.storeBytes(of: thread, as: Int.self) }, &highest)
    #expect(highest < threads)
  }

  @Test("A pool's threads take part: both meet inside one run")
  func threadsTakePart() throws {
    let pool = try #require(eri_pool_create(2))
    defer { eri_pool_free(pool) }
    // Each of the two indices waits until the other has begun, which one thread alone could never see. The flags are
    // set through the kernel, so that no compiler keeps them in a register.
    var ends: [Int32] = [0, 0, 0, 0]
    try #require(pipeEnds(&ends))
    defer { for end in ends { eri_file_close(end) } }
    eri_pool_run(pool, 2, meet, &ends)
    #expect(ends.allSatisfy { $0 >= 0 })
  }

  @Test("No threads, or more than 1024, give no pool", arguments: [0, 1025, Int.max])
  func refused(threads: Int) {
    #expect(eri_pool_create(threads) == nil)
  }

  @Test("Freeing no pool is allowed")
  func freeNothing() {
    eri_pool_free(nil)
  }

  @Test("Pools made and freed at once end their threads", arguments: [1, 2, 5])
  func createAndFree(threads: Int) throws {
    for _ in 0..<200 {
      let pool = try #require(eri_pool_create(threads))
      eri_pool_free(pool)
    }
  }

  @Test("There is at least one processor")
  func processors() {
    #expect(eri_processor_count() >= 1)
  }
}
