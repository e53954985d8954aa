import CERISystem

/// The memory of one wire message while it is built; freed as a whole.
package final class WireArena {
  private var blocks: [UnsafeMutableRawPointer] = []

  package init() {}

  deinit {
    for block in blocks { eri_memory_free(block) }
  }

  /// Zeroed memory for `count` elements.
  package func array<Element>(_ type: Element.Type, count: Int) throws(FormatError) -> UnsafeMutablePointer<Element>? {
    if count == 0 { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard !overflow, let block = eri_memory_allocate(bytes) else {
      throw FormatError(.limitExceeded, at: "", "expected memory for \(count) wire elements, found none left")
    }
    blocks.append(block)
    return block.bindMemory(to: Element.self, capacity: count)
  }

  /// A message with the schema's defaults, made by its generated initialiser.
  package func message<Message>(
    _ initialise: (UnsafeMutablePointer<Message>?) -> Void
  ) throws(FormatError) -> UnsafeMutablePointer<Message> {
    guard let message = try array(Message.self, count: 1) else { throw FormatError(.invalid, at: "", "no memory") }
    initialise(message)
    return message
  }

  /// A copy of the elements.
  package func copy<Element>(_ elements: [Element]) throws(FormatError) -> UnsafeMutablePointer<Element>? {
    guard let memory = try array(Element.self, count: elements.count) else { return nil }
    for (index, element) in elements.enumerated() { memory[index] = element }
    return memory
  }

  /// The integers as the wire's uint32.
  package func copy32(_ elements: [Int]) throws(FormatError) -> UnsafeMutablePointer<UInt32>? {
    guard let memory = try array(UInt32.self, count: elements.count) else { return nil }
    for (index, element) in elements.enumerated() { memory[index] = try wire32(element) }
    return memory
  }

  /// A terminated copy of the string.
  package func string(_ text: String) throws(FormatError) -> UnsafeMutablePointer<CChar>? {
    var bytes: [CChar] = []
    for byte in text.utf8 { bytes.append(CChar(bitPattern: byte)) }
    bytes.append(0)
    return try copy(bytes)
  }
}

/// An integer as the wire's uint32.
package func wire32(_ value: Int) throws(FormatError) -> UInt32 {
  guard let narrow = UInt32(exactly: value) else {
    throw FormatError(.limitExceeded, at: "", "expected an integer from 0 to \(UInt32.max), found \(value)")
  }
  return narrow
}

/// The wire's repeated uint32 as integers, at most `limit` of them.
package func integers(
  _ pointer: UnsafeMutablePointer<UInt32>?, _ count: Int, limit: Int, _ what: String
) throws(FormatError) -> [Int] {
  guard count > 0, let pointer else { return [] }
  guard count <= limit else {
    throw FormatError(.limitExceeded, at: "", "expected at most \(limit) \(what), found \(count)")
  }
  var result: [Int] = []
  result.reserveCapacity(count)
  for index in 0..<count {
    guard let value = Int(exactly: pointer[index]) else {
      throw FormatError(.limitExceeded, at: "", "expected \(what) that fit an integer, found \(pointer[index])")
    }
    result.append(value)
  }
  return result
}
