import CERISchema
import CERISystem
import CProtobufC

/// The memory of wire messages, freed as a whole and never beyond its budget, so that hostile bytes cannot ask for more.
package final class WireArena {
  private var blocks: [UnsafeMutableRawPointer] = []
  private var next: UnsafeMutableRawPointer?
  private var left = 0
  private var budget: Int
  /// Whether an allocation was refused.
  private(set) var isExhausted = false

  /// Small allocations come out of blocks of this size.
  private static let blockBytes = 1 << 16
  private static let alignment = 16

  /// - Parameter budget: bytes that may be allocated.
  package init(budget: Int = Limits.directoryMemory) { self.budget = budget }

  deinit {
    for block in blocks { eri_memory_free(block) }
  }

  /// Zeroed memory, or nil beyond the budget.
  func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard byteCount >= 0, byteCount <= budget else {
      isExhausted = true
      return nil
    }
    let rounded = (byteCount + WireArena.alignment - 1) / WireArena.alignment * WireArena.alignment
    if rounded > WireArena.blockBytes / 4 { return block(rounded) }
    if rounded > left {
      guard let fresh = block(WireArena.blockBytes) else { return nil }
      next = fresh
      left = WireArena.blockBytes
    }
    defer {
      next = next.map { $0 + rounded }
      left -= rounded
    }
    return next
  }

  private func block(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard byteCount <= budget, let block = eri_memory_allocate(byteCount) else {
      isExhausted = true
      return nil
    }
    budget -= byteCount
    blocks.append(block)
    return block
  }

  /// Calls `body` with an allocator of protobuf-c that takes from this arena and frees nothing before the arena goes.
  func withAllocator<Result>(_ body: (UnsafeMutablePointer<ProtobufCAllocator>) -> Result) -> Result {
    var allocator = ProtobufCAllocator(
      alloc: { arena, byteCount in
        guard let arena else { return nil }
        return Unmanaged<WireArena>.fromOpaque(arena).takeUnretainedValue().allocate(byteCount)
      },
      free: { _, _ in },
      allocator_data: Unmanaged.passUnretained(self).toOpaque())
    return withExtendedLifetime(self) { body(&allocator) }
  }

  /// Zeroed memory for `count` elements.
  package func array<Element>(_ type: Element.Type, count: Int) throws(FormatError) -> UnsafeMutablePointer<Element>? {
    if count == 0 { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard !overflow, let block = allocate(bytes) else { throw noMemory("\(count) wire elements") }
    return block.bindMemory(to: Element.self, capacity: count)
  }

  /// A message with the schema's defaults, made by its generated initialiser.
  package func message<Message>(
    _ initialise: (UnsafeMutablePointer<Message>?) -> Void
  ) throws(FormatError) -> UnsafeMutablePointer<Message> {
    guard let message = try array(Message.self, count: 1) else { throw noMemory("a wire message") }
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

  /// The integers as the wire's uint64.
  func copy64(_ elements: [Int]) throws(FormatError) -> UnsafeMutablePointer<UInt64>? {
    guard let memory = try array(UInt64.self, count: elements.count) else { return nil }
    for (index, element) in elements.enumerated() { memory[index] = try wire64(element) }
    return memory
  }

  /// A terminated copy of the string.
  package func string(_ text: String) throws(FormatError) -> UnsafeMutablePointer<CChar>? {
    var bytes: [CChar] = []
    for byte in text.utf8 {
      guard byte != 0 else { throw contractError("expected text without a zero byte, found one") }
      bytes.append(CChar(bitPattern: byte))
    }
    bytes.append(0)
    return try copy(bytes)
  }

  /// Terminated copies of the strings.
  func strings(_ texts: [String]) throws(FormatError) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
    guard let memory = try array(UnsafeMutablePointer<CChar>?.self, count: texts.count) else { return nil }
    for (index, text) in texts.enumerated() { memory[index] = try string(text) }
    return memory
  }

  /// A copy of the bytes.
  func bytes(_ bytes: [UInt8]) throws(FormatError) -> ProtobufCBinaryData {
    ProtobufCBinaryData(len: bytes.count, data: try copy(bytes))
  }

  /// One message per element.
  func messages<Element, Message>(
    _ elements: [Element], _ make: (Element) throws(FormatError) -> UnsafeMutablePointer<Message>
  ) throws(FormatError) -> UnsafeMutablePointer<UnsafeMutablePointer<Message>?>? {
    guard let memory = try array(UnsafeMutablePointer<Message>?.self, count: elements.count) else { return nil }
    for (index, element) in elements.enumerated() { memory[index] = try make(element) }
    return memory
  }
}

/// An integer as the wire's uint32.
package func wire32(_ value: Int) throws(FormatError) -> UInt32 {
  guard let narrow = UInt32(exactly: value) else {
    throw FormatError(.limitExceeded, at: "", "expected an integer from 0 to \(UInt32.max), found \(value)")
  }
  return narrow
}

/// An integer as the wire's uint64.
func wire64(_ value: Int) throws(FormatError) -> UInt64 {
  guard let natural = UInt64(exactly: value) else {
    throw FormatError(.limitExceeded, at: "", "expected an integer of at least 0, found \(value)")
  }
  return natural
}

/// A wire integer that must lie in a range.
func integer<Integer: FixedWidthInteger>(
  _ value: Integer, _ range: ClosedRange<Int>, _ what: String
) throws(FormatError) -> Int {
  guard let value = Int(exactly: value), range.contains(value) else {
    throw FormatError(
      .limitExceeded, at: "", "expected \(what) from \(range.lowerBound) to \(range.upperBound), found \(value)")
  }
  return value
}

/// The wire's repeated uint32 as integers, at most `limit` of them.
package func integers(
  _ pointer: UnsafeMutablePointer<UInt32>?, _ count: Int, limit: Int, _ what: String
) throws(FormatError) -> [Int] {
  try elements(pointer, count, limit: limit, what) { value throws(FormatError) in
    guard let value = Int(exactly: value) else {
      throw FormatError(.limitExceeded, at: "", "expected \(what) that fit an integer, found \(value)")
    }
    return value
  }
}

/// The wire's repeated elements, at most `limit` of them.
func elements<Element, Result>(
  _ pointer: UnsafeMutablePointer<Element>?, _ count: Int, limit: Int, _ what: String,
  _ convert: (Element) throws(FormatError) -> Result
) throws(FormatError) -> [Result] {
  guard count <= limit else {
    throw FormatError(.limitExceeded, at: "", "expected at most \(limit) \(what), found \(count)")
  }
  guard count > 0, let pointer else { return [] }
  var result: [Result] = []
  result.reserveCapacity(count)
  for index in 0..<count { result.append(try convert(pointer[index])) }
  return result
}

/// The wire's extents of a shape.
func wireShape(_ pointer: UnsafeMutablePointer<UInt64>?, _ count: Int) throws(FormatError) -> [Int] {
  try elements(pointer, count, limit: Limits.rank, "dimensions") { extent throws(FormatError) in
    try integer(extent, 0...Limits.elements, "an extent")
  }
}

/// The wire's repeated messages, at most `limit` of them; an error says which one, counted from `first`.
func messages<Message, Result>(
  _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ count: Int, limit: Int, _ what: String,
  each: String, from first: Int = 0, _ convert: (Message) throws(FormatError) -> Result
) throws(FormatError) -> [Result] {
  guard count <= limit else {
    throw FormatError(.limitExceeded, at: "", "expected at most \(limit) \(what), found \(count)")
  }
  guard count > 0, let pointer else { return [] }
  var result: [Result] = []
  result.reserveCapacity(count)
  for index in 0..<count {
    guard let message = pointer[index] else { throw contractError("expected \(each) \(first + index), found none") }
    do throws(FormatError) {
      result.append(try convert(message.pointee))
    } catch {
      throw error.inside("\(each) \(first + index)")
    }
  }
  return result
}

/// The wire's string, whose UTF-8 has been checked, of at most `limit` bytes.
func text(_ pointer: UnsafeMutablePointer<CChar>?, limit: Int, _ what: String) throws(FormatError) -> String {
  guard let pointer else { return "" }
  let text = String(cString: pointer)
  guard text.utf8.count <= limit else {
    throw FormatError(.limitExceeded, at: "", "expected \(what) of at most \(limit) bytes, found \(text.utf8.count)")
  }
  return text
}

/// The wire's bytes, at most `limit` of them.
func bytes(_ data: ProtobufCBinaryData, limit: Int, _ what: String) throws(FormatError) -> [UInt8] {
  try elements(data.data, data.len, limit: limit, "bytes of \(what)") { byte throws(FormatError) in byte }
}
