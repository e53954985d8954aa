import ERIFormat

/// A copy of a tensor with elements or slices replaced, or combined with others, where indices say.
extension ONNXNode {
  func scatteringKernel() throws(FormatError) -> ONNXKernel {
    if op.name == "TensorScatter" { return try cacheUpdate() }
    try arity(3, 3)
    let data = try operand(0, "data")
    let indices = try operand(1, "indices")
    let updates = try operand(2, "updates")
    try require(updates, "updates", like: data)
    let reader = try IndexReader(indices, "indices")
    let name = try text("reduction", default: "none")
    guard let reduction = ScatterReduction(rawValue: name) else {
      throw contractError("expected reduction none, add, mul, min or max, found \"\(name)\"")
    }
    let target: ScatterTarget
    if op.name == "ScatterND" {
      target = .slices(try scatteredSlices(data.type, indices.type, updates.type), tuples: indices.type.elements)
    } else {
      let axis = try axis(try integer("axis", default: 0), rank: data.shape.count)
      try require(updates, "updates", shape: indices.shape)
      target = .elements(
        try ElementWalk(data: data.type, indices: indices.type, axis: axis), extent: data.shape[axis])
    }
    if reduction == .none {
      return try ScatterKernel(result: data.type, reader: reader, target: target).kernel(for: data.dtype)
    }
    let maker = ReducingScatterKernel(result: data.type, reader: reader, target: target, reduction: reduction)
    // Truth values add up to "any" and multiply to "all": the larger and the smaller one of 0 and 1.
    return data.dtype == .bool ? try maker.kernel(UInt8.self) : try numberKernel(data, "data", maker)
  }

  private func scatteredSlices(
    _ data: BoundType, _ indices: BoundType, _ updates: BoundType
  ) throws(FormatError) -> IndexedPlaces {
    guard let depth = indices.shape.last, (1...max(data.shape.count, 1)).contains(depth), depth <= data.shape.count
    else {
      throw contractError(
        "expected indices of at most \(data.shape.count) places, found indices \(shapeText(indices.shape))")
    }
    let expected = Array(indices.shape.dropLast()) + Array(data.shape.dropFirst(depth))
    guard updates.shape == expected else {
      throw contractError("expected updates of shape \(shapeText(expected)), found \(shapeText(updates.shape))")
    }
    return IndexedPlaces(data, from: 0, depth: depth)
  }

  /// TensorScatter: rows written into a cache from an index per sample on.
  private func cacheUpdate() throws(FormatError) -> ONNXKernel {
    try arity(2, 3)
    let cache = try operand(0, "the cache")
    let update = try operand(1, "the update")
    try require(update, "the update", like: cache)
    let axis = try axis(try integer("axis", default: -2), rank: cache.shape.count)
    let mode = try text("mode", default: "linear")
    guard mode == "linear" || mode == "circular" else {
      throw contractError("expected mode linear or circular, found \"\(mode)\"")
    }
    var shape = update.shape
    guard axis > 0, shape.count == cache.shape.count, shape[axis] <= cache.shape[axis] else {
      throw contractError(
        "expected an update within \(shapeText(cache.shape)) along axis \(axis) after the first, found \(shapeText(shape))"
      )
    }
    let length = shape[axis]
    shape[axis] = cache.shape[axis]
    try require(ONNXOperand(try BoundType(update.dtype, shape)), "an update beside its axis", shape: cache.shape)
    if let indices = optional(2) {
      try require(indices, "write indices", [.i64])
      try require(indices, "write indices", shape: [cache.shape[0]])
    }
    let starts = optional(2) != nil
    let isCircular = mode == "circular"
    let extent = cache.shape[axis]
    let slice = cache.type.strides[axis] * cache.dtype.byteCount
    let rows = cache.shape[1..<axis].reduce(1, *)
    let samples = cache.shape[0]
    let bytes = cache.type.byteCount
    return ONNXKernel([cache.type]) { memory in
      memory.outputs[0].copyMemory(from: memory.input(0, as: UInt8.self), byteCount: bytes)
      let source = UnsafeRawPointer(memory.input(1, as: UInt8.self))
      if extent == 0 || length == 0 { return nil }
      for sample in 0..<samples {
        var start = starts ? Int(memory.input(2, as: Int64.self)[sample]) : 0
        if isCircular { start = (start % extent + extent) % extent }
        guard start >= 0, start <= extent, isCircular || start <= extent - length else {
          return .indexOutOfRange(index: start, extent: extent - length + 1)
        }
        for row in 0..<rows {
          let base = memory.outputs[0] + (sample &* rows &+ row) &* extent &* slice
          let from = source + (sample &* rows &+ row) &* length &* slice
          for index in 0..<length {
            let place = (start &+ index) % extent
            (base + place &* slice).copyMemory(from: from + index &* slice, byteCount: slice)
          }
        }
      }
      return nil
    }
  }
}

enum ScatterReduction: String {
  case none, add, mul, min, max
}

/// What indices point at.
private enum ScatterTarget {
  /// Single elements along an axis of this extent.
  case elements(ElementWalk, extent: Int)
  /// Slices, by so many indices in all.
  case slices(IndexedPlaces, tuples: Int)

  /// Calls `body` with the update's first element, the data's first element and how many there are.
  @inline(__always) func callAsFunction(
    _ reader: IndexReader, _ indices: UnsafeRawPointer, _ body: (Int, Int, Int) -> Void
  ) -> ONNXFault? {
    switch self {
    case .elements(let walk, let extent):
      return walk { index, base in
        guard let place = reader.place(indices, index, in: extent) else {
          return reader.fault(indices, index, in: extent)
        }
        body(index, base &+ place &* walk.stride, 1)
        return nil
      }
    case .slices(let places, let tuples):
      for tuple in 0..<tuples / places.depth {
        guard let offset = places.offset(reader, indices, tuple) else { return places.fault(reader, indices, tuple) }
        body(tuple &* places.slice, offset &* places.slice, places.slice)
      }
      return nil
    }
  }
}

private struct ScatterKernel: WordKernel {
  let result: BoundType
  let reader: IndexReader
  let target: ScatterTarget

  func kernel<Element: Word>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let (reader, target, count) = (reader, target, result.elements)
    return ONNXKernel([result]) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let updates: UnsafePointer<Element> = memory.input(2)
      y.update(from: memory.input(0), count: count)
      return target(reader, UnsafeRawPointer(memory.input(1, as: UInt8.self))) { from, to, count in
        (y + to).update(from: updates + from, count: count)
      }
    }
  }
}

private struct ReducingScatterKernel: NumberKernel {
  let result: BoundType
  let reader: IndexReader
  let target: ScatterTarget
  let reduction: ScatterReduction

  func kernel<Element: ONNXNumber>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let (reader, target, count) = (reader, target, result.elements)
    let reduction = result.dtype == .bool ? reduction.ofTruth : reduction
    return ONNXKernel([result]) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let updates: UnsafePointer<Element> = memory.input(2)
      y.update(from: memory.input(0), count: count)
      return target(reader, UnsafeRawPointer(memory.input(1, as: UInt8.self))) { from, to, count in
        for index in 0..<count {
          let update = updates[from &+ index]
          let value = y[to &+ index]
          switch reduction {
          case .none: y[to &+ index] = update
          case .add: y[to &+ index] = value.plus(update)
          case .mul: y[to &+ index] = value.times(update)
          case .min: y[to &+ index] = value.smaller(update)
          case .max: y[to &+ index] = value.larger(update)
          }
        }
      }
    }
  }
}

extension ScatterReduction {
  /// The same on truth values as 0 and 1.
  fileprivate var ofTruth: ScatterReduction {
    switch self {
    case .none, .min, .max: self
    case .add: .max
    case .mul: .min
    }
  }
}
