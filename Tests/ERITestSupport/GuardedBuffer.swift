import Glibc

/// Floats that end at an unreadable page and begin after known values: reading or writing past the end stops the test, and
/// `isIntact` tells whether something was written before the beginning.
public final class GuardedBuffer {
  /// The first float.
  public let pointer: UnsafeMutablePointer<Float>
  /// The number of floats.
  public let count: Int
  private let mapping: UnsafeMutableRawPointer
  private let mappedBytes: Int
  private static let margin = 64
  private static let canary: Float = -7.25

  /// Without values, every float is NaN: what is read before it was written shows.
  public init(_ count: Int, _ values: [Float]? = nil) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let dataBytes = (count + Self.margin) * MemoryLayout<Float>.stride
    let dataPages = (dataBytes + page - 1) / page * page
    mappedBytes = dataPages + page
    guard
      let mapping = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapping != MAP_FAILED, mprotect(mapping + dataPages, page, PROT_NONE) == 0
    else { fatalError("mmap failed") }
    self.mapping = mapping
    self.count = count
    pointer = (mapping + dataPages - count * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self)
    (pointer - Self.margin).update(repeating: Self.canary, count: Self.margin)
    pointer.update(repeating: .nan, count: count)
    if let values {
      for (i, value) in values.enumerated() { pointer[i] = value }
    }
  }

  /// Holds the given values.
  public convenience init(_ values: [Float]) { self.init(values.count, values) }

  deinit { munmap(mapping, mappedBytes) }

  /// What the floats are now.
  public var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
  /// What the floats are now, bit for bit.
  public var bits: [UInt32] { values.map(\.bitPattern) }
  /// Whether nothing was written before the first float.
  public var isIntact: Bool { (1...Self.margin).allSatisfy { pointer[-$0] == Self.canary } }
}
