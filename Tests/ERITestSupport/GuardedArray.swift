import Glibc

/// Elements that end at an unreadable page and begin after known bytes: reading or writing past the end stops the test, and `isIntact`
/// tells whether something was written before the beginning. The start is a multiple of the element's size only.
public final class GuardedArray<Element: BitwiseCopyable> {
  /// The first element.
  public let pointer: UnsafeMutablePointer<Element>
  /// The number of elements.
  public let count: Int
  private let mapping: UnsafeMutableRawPointer
  private let mappedBytes: Int
  private static var margin: Int { 256 }
  private static var canary: UInt8 { 0xa5 }

  /// What elements consist of until they are written; floats are NaN then, so that what is read too early shows.
  private static var blank: UInt8 { Element.self == Float.self ? 0xff : canary }

  /// Every byte is 0xa5 until written, of floats 0xff.
  public init(_ count: Int) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let bytes = count * MemoryLayout<Element>.stride
    let dataBytes = (bytes + Self.margin + page - 1) / page * page
    mappedBytes = dataBytes + page
    guard
      let mapping = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapping != MAP_FAILED, mprotect(mapping + dataBytes, page, PROT_NONE) == 0
    else { fatalError("mmap failed") }
    self.mapping = mapping
    self.count = count
    memset(mapping, Int32(Self.canary), dataBytes - bytes)
    memset(mapping + dataBytes - bytes, Int32(Self.blank), bytes)
    pointer = (mapping + dataBytes - bytes).assumingMemoryBound(to: Element.self)
  }

  /// Holds the given values.
  public convenience init(_ values: [Element]) {
    self.init(values.count)
    for (i, value) in values.enumerated() { pointer[i] = value }
  }

  deinit { munmap(mapping, mappedBytes) }

  /// What the elements are now.
  public var values: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
  /// Whether nothing was written before the first element.
  public var isIntact: Bool {
    let start = UnsafeRawPointer(pointer)
    return (1...Self.margin).allSatisfy { start.load(fromByteOffset: -$0, as: UInt8.self) == Self.canary }
  }
}

/// Floats so guarded.
public typealias GuardedBuffer = GuardedArray<Float>

extension GuardedArray<Float> {
  /// What the floats are now, bit for bit.
  public var bits: [UInt32] { values.map(\.bitPattern) }
}
