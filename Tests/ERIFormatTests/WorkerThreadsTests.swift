import ERIFormat
import Synchronization
import Testing

@Suite("Worker threads") struct WorkerThreadsTests {
  @Test func `every piece runs once`() throws {
    let threads = try WorkerThreads(count: 3)
    let calls = (0..<50).map { _ in Counter() }
    threads.run(50) { piece, _ in calls[piece].add() }
    #expect(calls.allSatisfy { $0.count == 1 })
  }
}

private final class Counter: Sendable {
  private let value = Atomic<Int>(0)
  var count: Int { value.load(ordering: .relaxed) }
  func add() { value.add(1, ordering: .relaxed) }
}
