/// Numbers that a kernel's run reads, put down when the kernel is made.
final class Table<Element: BitwiseCopyable> {
  let values: UnsafeMutablePointer<Element>
  let count: Int

  init(_ elements: [Element]) {
    count = elements.count
    values = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
    for (index, element) in elements.enumerated() { (values + index).initialize(to: element) }
  }

  deinit { values.deallocate() }

  @inline(__always) subscript(index: Int) -> Element { values[index] }
}
