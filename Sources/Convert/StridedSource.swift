import ERIFormat

/// A tensor's values as a view of a storage. A contiguous one is read straight into place; any other is put in row-major
/// order while its storage streams by once, a block at a time.
final class StridedSource: TensorSource, @unchecked Sendable {
  private let storage: StorageBytes
  private let dtype: DType
  private let shape: [Int]
  /// Elements between neighbours in the storage.
  private let strides: [Int]
  /// Elements from the storage's beginning.
  private let offset: Int
  private let isBigEndian: Bool
  /// The file and the tensor, for errors.
  private let place: String

  /// - Throws: `FormatError` `.invalid` if the view does not lie inside the storage, `.limitExceeded` for too large a shape.
  init(
    _ storage: StorageBytes, _ dtype: DType, shape: [Int], strides: [Int], offset: Int, isBigEndian: Bool,
    place: String
  ) throws(FormatError) {
    guard shape.count <= Limits.rank, let count = elementProduct(shape) else {
      throw FormatError(
        .limitExceeded, at: place,
        "expected at most \(Limits.rank) dimensions and \(Limits.elements) elements, found shape \(shapeText(shape))")
    }
    if count > 0 {
      guard let last = lastElement(offset: offset, shape: shape, strides: strides),
        last < storage.byteCount / dtype.byteCount
      else {
        throw FormatError(
          .invalid, at: place,
          "expected a tensor inside its storage of \(storage.byteCount) bytes, found offset \(offset), shape "
            + "\(shapeText(shape)) and stride \(shapeText(strides))")
      }
    }
    self.storage = storage
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
    self.offset = offset
    self.isBigEndian = isBigEndian
    self.place = place
  }

  override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    guard let count = elementProduct(shape), memory.count == count * dtype.byteCount else {
      throw FormatError(
        .invalid, at: place,
        "expected memory for shape \(shapeText(shape)) of \(dtype.name), found \(memory.count) bytes")
    }
    guard let base = memory.baseAddress, count > 0 else { return }
    if isContiguous {
      try storage.read(into: memory, at: offset * dtype.byteCount)
    } else {
      try gather(into: base)
    }
    if isBigEndian && dtype.byteCount > 1 { swapBytes(memory, elementBytes: dtype.byteCount) }
    if dtype == .bool { try requireBools(UnsafeRawBufferPointer(memory), at: place) }
  }

  /// Whether the elements lie in row-major order without gaps; an extent of one is never stepped along.
  private var isContiguous: Bool {
    var dense = 1
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      guard stride == dense else { return false }
      dense *= extent
    }
    return true
  }

  private func gather(into base: UnsafeMutableRawPointer) throws(FormatError) {
    var axes: [StridedAxis] = []
    var dense = 1
    for (extent, stride) in zip(shape, strides).reversed() {
      if extent != 1 { axes.append(StridedAxis(extent: extent, stored: stride, target: dense)) }
      dense *= extent
    }
    // Largest stride first: what an axis spans within the following ones tells which of its indices a block can hold.
    axes.sort { $0.stored > $1.stored }
    var span = 0
    for index in axes.indices.reversed() {
      axes[index].inner = span
      span += (axes[index].extent - 1) * axes[index].stored
    }
    let elementBytes = dtype.byteCount
    let range = (offset * elementBytes)..<((offset + span + 1) * elementBytes)
    var first = 0
    try storage.forEachBlock(in: range, elementBytes: elementBytes) { block in
      let elements = first..<(first + block.count / elementBytes)
      first = elements.upperBound
      guard let source = block.baseAddress else { return }
      axes.withUnsafeBufferPointer { axes in
        switch elementBytes {
        case 1: scatter(axes, elements, source.assumingMemoryBound(to: UInt8.self), base)
        case 2: scatter(axes, elements, source.assumingMemoryBound(to: UInt16.self), base)
        case 4: scatter(axes, elements, source.assumingMemoryBound(to: UInt32.self), base)
        case 8: scatter(axes, elements, source.assumingMemoryBound(to: UInt64.self), base)
        default: break
        }
      }
    }
  }
}

/// The offset of a view's last element, or nil on overflow or if the numbers are negative or do not belong together.
private func lastElement(offset: Int, shape: [Int], strides: [Int]) -> Int? {
  guard offset >= 0, shape.count == strides.count else { return nil }
  var last = offset
  for (extent, stride) in zip(shape, strides) {
    guard extent > 0, stride >= 0 else { return nil }
    let (span, productOverflow) = (extent - 1).multipliedReportingOverflow(by: stride)
    let (sum, sumOverflow) = last.addingReportingOverflow(span)
    guard !productOverflow, !sumOverflow else { return nil }
    last = sum
  }
  return last
}

/// One axis of a view, in elements.
private struct StridedAxis {
  var extent: Int
  var stored: Int
  var target: Int
  /// How far the axes of smaller stride reach together.
  var inner = 0
}

/// Puts the elements of a block where they belong.
/// - Parameters:
///   - elements: which elements of the view's range the block holds.
///   - source: the block, aligned as `eri_memory_allocate` aligns.
///   - target: the tensor's memory; a view of overlapping strides has several places for one element.
private func scatter<Element>(
  _ axes: UnsafeBufferPointer<StridedAxis>, _ elements: Range<Int>, _ source: UnsafePointer<Element>,
  _ target: UnsafeMutableRawPointer
) {
  let target = target.assumingMemoryBound(to: Element.self)

  func visit(_ axis: Int, _ stored: Int, _ place: Int) {
    guard axis < axes.count else {
      target[place] = source[stored - elements.lowerBound]
      return
    }
    let step = axes[axis]
    // Index i reaches stored + i * stride ... + inner, which has to meet the block.
    var first = 0
    var last = step.extent - 1
    if step.stored == 0 {
      guard stored <= elements.upperBound - 1, stored + step.inner >= elements.lowerBound else { return }
    } else {
      let below = elements.lowerBound - step.inner - stored
      if below > 0 { first = (below + step.stored - 1) / step.stored }
      let above = elements.upperBound - 1 - stored
      guard above >= 0 else { return }
      last = min(last, above / step.stored)
    }
    guard first <= last else { return }
    if axis == axes.count - 1 {
      var from = stored + first * step.stored - elements.lowerBound
      var to = place + first * step.target
      for _ in first...last {
        target[to] = source[from]
        from += step.stored
        to += step.target
      }
    } else {
      for index in first...last { visit(axis + 1, stored + index * step.stored, place + index * step.target) }
    }
  }

  visit(0, 0, 0)
}
