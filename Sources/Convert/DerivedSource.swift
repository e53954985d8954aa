import ERIFormat

/// A tensor's values with its axes in another order, put together as they are read.
final class PermutedSource: TensorSource, @unchecked Sendable {
  private let tensor: Tensor
  private let axes: [Int]

  /// - Parameter axes: axis i of the result is axis `axes[i]` of the tensor.
  init(_ tensor: Tensor, axes: [Int]) {
    self.tensor = tensor
    self.axes = axes
  }

  override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    let block = try TensorBlock(tensor)
    defer { withExtendedLifetime(block) {} }
    try requireSize(memory, block.bytes.count)
    guard let target = memory.baseAddress, let source = block.bytes.baseAddress else { return }
    let size = tensor.dtype.byteCount
    var dense = [Int](repeating: size, count: axes.count)
    for axis in axes.indices.dropLast().reversed() { dense[axis] = dense[axis + 1] * tensor.shape[axis + 1] }
    let steps = axes.map { dense[$0] }
    let extents = axes.map { tensor.shape[$0] }
    var index = [Int](repeating: 0, count: axes.count)
    var from = 0
    for to in stride(from: 0, to: memory.count, by: size) {
      (target + to).copyMemory(from: source + from, byteCount: size)
      var axis = axes.count - 1
      while axis >= 0 {
        index[axis] += 1
        from += steps[axis]
        if index[axis] < extents[axis] { break }
        from -= steps[axis] * extents[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }
}

/// One of a tensor's equal parts along the first axis.
final class PartSource: TensorSource, @unchecked Sendable {
  private let tensor: Tensor
  private let index: Int

  init(_ tensor: Tensor, part index: Int) {
    self.tensor = tensor
    self.index = index
  }

  override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    let block = try TensorBlock(tensor)
    defer { withExtendedLifetime(block) {} }
    let start = index * memory.count
    guard start + memory.count <= block.bytes.count else { return try requireSize(memory, block.bytes.count) }
    memory.copyBytes(from: block.bytes[start..<start + memory.count])
  }
}

/// Several tensors one after another along the first axis.
final class JoinedSource: TensorSource, @unchecked Sendable {
  private let tensors: [Tensor]

  init(_ tensors: [Tensor]) { self.tensors = tensors }

  override func read(into memory: UnsafeMutableRawBufferPointer) throws(FormatError) {
    try requireSize(memory, tensors.reduce(0) { $0 + ($1.byteCount ?? 0) })
    var start = 0
    for tensor in tensors {
      let end = start + (tensor.byteCount ?? 0)
      try tensor.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[start..<end]))
      start = end
    }
  }
}

private func requireSize(_ memory: UnsafeMutableRawBufferPointer, _ count: Int) throws(FormatError) {
  guard memory.count == count else {
    throw FormatError(.invalid, at: "", "expected memory of \(count) bytes, found \(memory.count)")
  }
}
