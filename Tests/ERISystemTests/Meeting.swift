import Foundation

/// Opens two pipes: read end, write end, read end, write end.
func pipeEnds(_ ends: UnsafeMutablePointer<Int32>) -> Bool {
  pipe(ends) == 0 && pipe(ends + 2) == 0
}

/// Index 0 writes into the first pipe and reads from the second, index 1 the other way round: neither returns alone.
func meet(_ context: UnsafeMutableRawPointer?, _ index: Int, _ thread: Int) {
  guard let ends = context?.assumingMemoryBound(to: Int32.self) else { return }
  var byte: UInt8 = 1
  let sent = write(ends[index == 0 ? 1 : 3], &byte, 1)
  let received = read(ends[index == 0 ? 2 : 0], &byte, 1)
  if sent != 1 || received != 1 { ends[index] = -1 }
}
