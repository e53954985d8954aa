import ERIFormat

/// DFT along an axis and STFT over windows: complex values lie in a last axis of 2, real ones in one of 1.
extension ONNXNode {
  func fourierKernel() throws(FormatError) -> ONNXKernel {
    try outputs(1)
    let signal = try operand(0, "a signal")
    try require(signal, "a signal", [.f32, .f64])
    guard signal.shape.count > 1, let parts = signal.shape.last, parts == 1 || parts == 2 else {
      throw contractError(
        "expected a signal of 2 or more dimensions whose last is 1 or 2, found \(shapeText(signal.shape))")
    }
    return op.name == "STFT" ? try shortTimeKernel(signal) : try transformKernel(signal)
  }

  private func transformKernel(_ signal: ONNXOperand) throws(FormatError) -> ONNXKernel {
    let isAttribute = op.opset < 20
    try arity(1, isAttribute ? 2 : 3)
    let rank = signal.shape.count
    let given = isAttribute ? try integer("axis", default: 1) : try integer(2, "axis") ?? -2
    let axis = try self.axis(given, rank: rank)
    guard axis < rank - 1 else {
      throw contractError("expected an axis of the signal, found \(given), where the parts of complex numbers lie")
    }
    let isInverse = try flag("inverse")
    let isOneSided = try flag("onesided")
    let parts = signal.shape[rank - 1]
    guard !isOneSided || parts == (isInverse ? 2 : 1) else {
      throw contractError(
        "expected a \(isInverse ? "complex spectrum" : "real signal") for a one-sided transform, found \(shapeText(signal.shape))"
      )
    }
    let extent = signal.shape[axis]
    let length = try integer(1, "dft_length") ?? (isOneSided && isInverse ? 2 * (extent - 1) : extent)
    let plan = try FourierPlan(length)
    var shape = signal.shape
    shape[axis] = isOneSided && !isInverse ? length / 2 + 1 : length
    shape[rank - 1] = isOneSided && isInverse ? 1 : 2
    let result = try BoundType(signal.dtype, shape)
    let lines = FourierLines(
      inner: shape[(axis + 1)..<(rank - 1)].reduce(1, *), read: extent, readParts: parts, written: shape[axis],
      writtenParts: shape[rank - 1], isHalf: isOneSided && isInverse)
    let outer = shape[..<axis].reduce(1, *)
    return signal.dtype == .f64
      ? lines.kernel(result, plan, outer, isInverse, Double.self)
      : lines.kernel(result, plan, outer, isInverse, Float.self)
  }

  private func shortTimeKernel(_ signal: ONNXOperand) throws(FormatError) -> ONNXKernel {
    try arity(2, 4)
    guard signal.shape.count == 3 else {
      throw contractError("expected a signal of 3 dimensions, found \(shapeText(signal.shape))")
    }
    let window = optional(2)
    if let window {
      try require(window, "a window", [signal.dtype])
      guard window.shape.count == 1 else {
        throw contractError("expected a window of 1 dimension, found \(shapeText(window.shape))")
      }
    }
    let length = try integer(3, "frame_length") ?? window?.shape[0] ?? signal.shape[1]
    guard window == nil || window?.shape[0] == length else {
      throw contractError("expected a window of frame_length \(length), found another length")
    }
    guard let step = try integer(1, "frame_step"), step > 0 else {
      throw contractError("expected frame_step of at least 1, found none or less")
    }
    let isOneSided = try flag("onesided", default: true)
    guard !isOneSided || signal.shape[2] == 1 else {
      throw contractError("expected onesided 0 for a complex signal, found 1")
    }
    let plan = try FourierPlan(length)
    guard length <= signal.shape[1] else {
      throw contractError("expected frames of at most the signal's \(signal.shape[1]) samples, found \(length)")
    }
    let frames = (signal.shape[1] - length) / step + 1
    let bins = isOneSided ? length / 2 + 1 : length
    let result = try BoundType(signal.dtype, [signal.shape[0], frames, bins, 2])
    let shape = FrameLayout(
      batch: signal.shape[0], samples: signal.shape[1], parts: signal.shape[2], frames: frames, step: step, bins: bins,
      isWindowed: window != nil)
    return signal.dtype == .f64
      ? shape.kernel(result, plan, Double.self) : shape.kernel(result, plan, Float.self)
  }
}

/// Lines of a tensor along an axis: how they are read, transformed and written.
private struct FourierLines {
  /// Values from one of a line to its next.
  let inner: Int
  let read: Int
  let readParts: Int
  let written: Int
  let writtenParts: Int
  /// Whether what is read is half of a spectrum, whose other half mirrors it.
  let isHalf: Bool

  func kernel<T: ONNXReal>(
    _ result: BoundType, _ plan: FourierPlan, _ outer: Int, _ isInverse: Bool, _ type: T.Type
  ) -> ONNXKernel {
    let lines = self
    return ONNXKernel([result], scratchBytes: plan.workspace * MemoryLayout<Double>.stride) { memory in
      let line: UnsafeMutablePointer<Double> = memory.scratch()
      for block in 0..<outer {
        for index in 0..<lines.inner {
          let source = memory.input(0, as: T.self) + (block &* lines.read &* lines.inner &+ index) &* lines.readParts
          let target =
            memory.output(0, as: T.self) + (block &* lines.written &* lines.inner &+ index) &* lines.writtenParts
          lines.load(source, line, plan.length)
          plan.run(line, isInverse: isInverse)
          lines.store(line, target)
        }
      }
      return nil
    }
  }

  /// Cut or filled up with zeros to the transform's length.
  private func load<T: ONNXReal>(_ source: UnsafePointer<T>, _ line: UnsafeMutablePointer<Double>, _ length: Int) {
    line.update(repeating: 0, count: 2 &* length)
    for index in 0..<min(read, isHalf ? length / 2 &+ 1 : length) {
      let value = source + index &* inner &* readParts
      line[2 &* index] = Double(value[0])
      if readParts == 2 { line[2 &* index &+ 1] = Double(value[1]) }
    }
    guard isHalf else { return }
    // The spectrum of a real signal: its ends are real.
    line[1] = 0
    if length % 2 == 0 { line[length &+ 1] = 0 }
    var index = 1
    while index < length &- index {
      line[2 &* (length &- index)] = line[2 &* index]
      line[2 &* (length &- index) &+ 1] = -line[2 &* index &+ 1]
      index &+= 1
    }
  }

  private func store<T: ONNXReal>(_ line: UnsafeMutablePointer<Double>, _ target: UnsafeMutablePointer<T>) {
    for index in 0..<written {
      let value = target + index &* inner &* writtenParts
      value[0] = T(line[2 &* index])
      if writtenParts == 2 { value[1] = T(line[2 &* index &+ 1]) }
    }
  }
}

/// Frames of a batch of signals.
private struct FrameLayout {
  let batch: Int
  let samples: Int
  let parts: Int
  let frames: Int
  let step: Int
  let bins: Int
  let isWindowed: Bool

  func kernel<T: ONNXReal>(_ result: BoundType, _ plan: FourierPlan, _ type: T.Type) -> ONNXKernel {
    let layout = self
    return ONNXKernel([result], scratchBytes: plan.workspace * MemoryLayout<Double>.stride) { memory in
      let line: UnsafeMutablePointer<Double> = memory.scratch()
      var target = memory.output(0, as: T.self)
      for item in 0..<layout.batch {
        for frame in 0..<layout.frames {
          let first = item &* layout.samples &+ frame &* layout.step
          layout.load(memory, memory.input(0, as: T.self) + first &* layout.parts, line, plan.length)
          plan.run(line, isInverse: false)
          for index in 0..<2 &* layout.bins { target[index] = T(line[index]) }
          target += 2 &* layout.bins
        }
      }
      return nil
    }
  }

  private func load<T: ONNXReal>(
    _ memory: ONNXMemory, _ source: UnsafePointer<T>, _ line: UnsafeMutablePointer<Double>, _ length: Int
  ) {
    for index in 0..<length {
      let weight = isWindowed ? Double(memory.input(2, as: T.self)[index]) : 1
      line[2 &* index] = Double(source[index &* parts]) * weight
      line[2 &* index &+ 1] = parts == 2 ? Double(source[index &* 2 &+ 1]) * weight : 0
    }
  }
}
