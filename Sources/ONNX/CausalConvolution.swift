import CERISystem
import ERIFormat

/// CausalConvWithState: each channel's sums over a step and those before it, which the state carries on.
extension ONNXNode {
  func causalConvolutionKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 4)
    let x = try operand(0, "x")
    let w = try operand(1, "weights")
    guard x.shape.count == 3 else { throw contractError("expected x of 3 dimensions, found \(shapeText(x.shape))") }
    try require(w, "weights", like: x)
    guard w.shape.count == 3, w.shape[0] == x.shape[1], w.shape[1] == 1, w.shape[2] > 0 else {
      throw contractError("expected weights of shape [\(x.shape[1]), 1, k], found \(shapeText(w.shape))")
    }
    let state = [x.shape[0], x.shape[1], w.shape[2] - 1]
    if let b = optional(2) {
      try require(b, "a bias", like: x)
      try require(b, "a bias", shape: [x.shape[1]])
    }
    if let past = optional(3) {
      try require(past, "a past state", like: x)
      try require(past, "a past state", shape: state)
    }
    let activation = try text("activation", default: "none")
    guard activation == "none" || activation == "silu" || activation == "swish" else {
      throw contractError("expected activation none, silu or swish, found \"\(activation)\"")
    }
    return try realKernel(
      x, "x",
      CausalConvolutionKernel(
        x: x.type, state: try BoundType(x.dtype, state), hasBias: optional(2) != nil, hasPast: optional(3) != nil,
        isGated: activation != "none"))
  }
}

private struct CausalConvolutionKernel: RealKernel {
  let x: BoundType
  let state: BoundType
  let hasBias: Bool
  let hasPast: Bool
  let isGated: Bool

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let (hasBias, hasPast, isGated) = (hasBias, hasPast, isGated)
    let (planes, channels, length, carried) = (x.shape[0] * x.shape[1], x.shape[1], x.shape[2], state.shape[2])
    return ONNXKernel([x, state]) { memory in
      for plane in 0..<planes {
        let channel = plane % channels
        let x = memory.input(0, as: Element.self) + plane &* length
        let w = memory.input(1, as: Element.self) + channel &* (carried &+ 1)
        let past: UnsafePointer<Element>? = hasPast ? memory.input(3, as: Element.self) + plane &* carried : nil
        let y = memory.output(0, as: Element.self) + plane &* length
        let present = memory.output(1, as: Element.self) + plane &* carried
        y.update(repeating: hasBias ? memory.input(2, as: Element.self)[channel] : 0, count: length)
        for tap in 0...carried {
          // Steps before the first one are the state's last.
          let shift = tap &- carried
          var step = 0
          while step < min(-shift, length) {
            if let past { y[step] += w[tap] * past[carried &+ step &+ shift] }
            step &+= 1
          }
          while step < length {
            y[step] += w[tap] * x[step &+ shift]
            step &+= 1
          }
        }
        if isGated {
          for step in 0..<length { y[step] /= 1 + Element.exponential(-y[step]) }
        }
        for index in 0..<carried {
          let step = length &- carried &+ index
          present[index] = step >= 0 ? x[step] : past?[carried &+ step] ?? 0
        }
      }
      return nil
    }
  }
}
