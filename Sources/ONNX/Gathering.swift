import ERIFormat

/// Elements or slices that indices choose.
extension ONNXNode {
  func gatheringKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 2)
    let data = try operand(0, "data")
    let indices = try operand(1, "indices")
    switch op.name {
    case "Gather": return try gather(data.type, indices)
    case "GatherElements":
      return try GatherElementsKernel(
        data: data.type, indices: indices.type, reader: try IndexReader(indices, "indices"),
        axis: try axis(try integer("axis", default: 0), rank: data.shape.count)
      ).kernel(for: data.dtype)
    default: return try gatherND(data.type, indices)
    }
  }

  private func gather(_ data: BoundType, _ indices: ONNXOperand) throws(FormatError) -> ONNXKernel {
    let axis = try axis(try integer("axis", default: 0), rank: data.shape.count)
    let reader = try IndexReader(indices, "indices")
    let result = try BoundType(
      data.dtype, Array(data.shape.prefix(axis)) + indices.shape + Array(data.shape.dropFirst(axis + 1)))
    let extent = data.shape[axis]
    let slice = data.strides[axis] * data.dtype.byteCount
    let rows = data.shape.prefix(axis).reduce(1, *)
    let count = indices.type.elements
    return ONNXKernel([result]) { memory in
      let places = UnsafeRawPointer(memory.input(1, as: UInt8.self))
      let source = UnsafeRawPointer(memory.input(0, as: UInt8.self))
      var target = memory.outputs[0]
      for row in 0..<rows {
        let base = source + row &* extent &* slice
        for index in 0..<count {
          guard let place = reader.place(places, index, in: extent) else {
            return reader.fault(places, index, in: extent)
          }
          target.copyMemory(from: base + place &* slice, byteCount: slice)
          target += slice
        }
      }
      return nil
    }
  }

  private func gatherND(_ data: BoundType, _ indices: ONNXOperand) throws(FormatError) -> ONNXKernel {
    let reader = try IndexReader(indices, "indices")
    let batch = try integer("batch_dims", default: 0)
    let rank = data.shape.count
    guard let depth = indices.shape.last, batch >= 0, batch < min(rank, indices.shape.count),
      (1...rank - batch).contains(depth),
      data.shape.prefix(batch) == indices.shape.prefix(batch)
    else {
      throw contractError(
        "expected indices of at most \(rank) places with \(batch) batch dimensions as data has them, found data \(shapeText(data.shape)) and indices \(shapeText(indices.shape))"
      )
    }
    let result = try BoundType(
      data.dtype, Array(indices.shape.dropLast()) + Array(data.shape.dropFirst(batch + depth)))
    let places = IndexedPlaces(data, from: batch, depth: depth)
    let batches = data.shape.prefix(batch).reduce(1, *)
    let count = indices.shape.dropFirst(batch).dropLast().reduce(1, *)
    let slice = places.slice * data.dtype.byteCount
    let batchBytes = data.shape.dropFirst(batch).reduce(1, *) * data.dtype.byteCount
    return ONNXKernel([result]) { memory in
      let tuples = UnsafeRawPointer(memory.input(1, as: UInt8.self))
      let source = UnsafeRawPointer(memory.input(0, as: UInt8.self))
      var target = memory.outputs[0]
      for row in 0..<batches {
        for index in 0..<count {
          let tuple = row &* count &+ index
          guard let offset = places.offset(reader, tuples, tuple) else { return places.fault(reader, tuples, tuple) }
          target.copyMemory(from: source + (row &* batchBytes &+ offset &* slice), byteCount: slice)
          target += slice
        }
      }
      return nil
    }
  }
}

/// Tuples of indices into some of a tensor's axes.
struct IndexedPlaces {
  private let extents: Table<Int>
  let depth: Int
  /// Elements under one place.
  let slice: Int

  init(_ data: BoundType, from first: Int, depth: Int) {
    extents = Table(Array(data.shape[first..<first + depth]))
    self.depth = depth
    slice = data.shape.dropFirst(first + depth).reduce(1, *)
  }

  /// Which slice tuple `index` means; nil if one of its indices is outside its extent.
  @inline(__always) func offset(_ reader: IndexReader, _ tuples: UnsafeRawPointer, _ index: Int) -> Int? {
    var offset = 0
    var axis = 0
    while axis < depth {
      guard let place = reader.place(tuples, index &* depth &+ axis, in: extents[axis]) else { return nil }
      offset = offset &* extents[axis] &+ place
      axis &+= 1
    }
    return offset
  }

  /// The first index of tuple `index` that is outside its extent.
  func fault(_ reader: IndexReader, _ tuples: UnsafeRawPointer, _ index: Int) -> ONNXFault {
    for axis in 0..<depth where reader.place(tuples, index * depth + axis, in: extents[axis]) == nil {
      return reader.fault(tuples, index * depth + axis, in: extents[axis])
    }
    return .value("indices within their extents")
  }
}

private struct GatherElementsKernel: WordKernel {
  let data: BoundType
  let indices: BoundType
  let reader: IndexReader
  let axis: Int

  func kernel<Element: Word>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let walk = try ElementWalk(data: data, indices: indices, axis: axis)
    let reader = reader
    let extent = data.shape[axis]
    return ONNXKernel([try BoundType(data.dtype, indices.shape)]) { memory in
      let places = UnsafeRawPointer(memory.input(1, as: UInt8.self))
      let source: UnsafePointer<Element> = memory.input(0)
      let target: UnsafeMutablePointer<Element> = memory.output(0)
      return walk { index, base in
        guard let place = reader.place(places, index, in: extent) else {
          return reader.fault(places, index, in: extent)
        }
        target[index] = source[base &+ place &* walk.stride]
        return nil
      }
    }
  }
}

/// Every index of a tensor of indices, with where its element of the data would be at place 0 of the axis that they choose on.
final class ElementWalk {
  private let extents: Table<Int>
  private let strides: Table<Int>
  private let rank: Int
  private let isEmpty: Bool
  /// Elements of the data from one place of the axis to the next.
  let stride: Int

  /// - Throws: `FormatError` unless the indices lie within the data along the other axes.
  init(data: BoundType, indices: BoundType, axis: Int) throws(FormatError) {
    guard indices.shape.count == data.shape.count,
      data.shape.indices.allSatisfy({ $0 == axis || indices.shape[$0] <= data.shape[$0] })
    else {
      throw contractError(
        "expected indices within \(shapeText(data.shape)) beside axis \(axis), found \(shapeText(indices.shape))")
    }
    var strides = data.strides
    stride = strides[axis]
    strides[axis] = 0
    extents = Table(indices.shape)
    self.strides = Table(strides)
    rank = indices.shape.count
    isEmpty = indices.elements == 0
  }

  /// Calls `body` with the index in row-major order and the element's place; stops at its first fault.
  @inline(__always) func callAsFunction(_ body: (Int, Int) -> ONNXFault?) -> ONNXFault? {
    if isEmpty { return nil }
    var next = 0
    return walk(0, 0, &next, body)
  }

  private func walk(_ axis: Int, _ base: Int, _ next: inout Int, _ body: (Int, Int) -> ONNXFault?) -> ONNXFault? {
    if axis == rank {
      let fault = body(next, base)
      next &+= 1
      return fault
    }
    var index = 0
    while index < extents[axis] {
      if let fault = walk(axis + 1, base &+ index &* strides[axis], &next, body) { return fault }
      index &+= 1
    }
    return nil
  }
}
