package import ERIFormat

/// One axis that a window slides along.
package struct WindowAxis {
  let input: Int
  let output: Int
  let kernel: Int
  package let stride: Int
  package let dilation: Int
  /// Places before the first element and after the last one.
  package let before: Int
  package let after: Int

  /// An axis that is not there.
  static let single = WindowAxis(input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0)

  /// Where the window of output 0 has a tap; output i has it `stride` times i further.
  @inline(__always) func place(_ tap: Int) -> Int { tap &* dilation &- before }

  /// The outputs whose window has a tap inside the input.
  @inline(__always) func span(_ tap: Int) -> (lower: Int, upper: Int) {
    let place = place(tap)
    let lower = place < 0 ? (stride &- 1 &- place) / stride : 0
    let upper = place >= input ? 0 : min(output, (input &- 1 &- place) / stride &+ 1)
    return (lower, max(lower, upper))
  }
}

/// A window over one to three axes; those before the first one are single.
package struct WindowGeometry {
  let depth: WindowAxis
  let height: WindowAxis
  let width: WindowAxis
  /// How many axes are meant.
  let rank: Int

  init(_ axes: [WindowAxis]) {
    rank = axes.count
    width = axes.last ?? .single
    height = axes.count > 1 ? axes[axes.count - 2] : .single
    depth = axes.count > 2 ? axes[axes.count - 3] : .single
  }

  /// The axes that are meant.
  package var axes: [WindowAxis] { [depth, height, width].suffix(rank) }
  var output: [Int] { axes.map { $0.output } }
  var inputs: Int { depth.input * height.input * width.input }
  var outputs: Int { depth.output * height.output * width.output }
  var taps: Int { depth.kernel * height.kernel * width.kernel }
  /// Whether the window is one element and the output is the input's place by place.
  var isPointwise: Bool {
    axes.allSatisfy { $0.kernel == 1 && $0.stride == 1 && $0.before == 0 && $0.output == $0.input }
  }
}

extension ONNXNode {
  /// The spatial extents of a batch of channels.
  /// - Throws: `FormatError` `.unsupported` for more than three.
  func spatial(_ x: ONNXOperand, _ what: String) throws(FormatError) -> [Int] {
    guard x.shape.count >= 3 else {
      throw contractError("expected \(what) of 3 dimensions or more, found \(shapeText(x.shape))")
    }
    guard x.shape.count <= 5 else {
      throw FormatError(
        .unsupported, at: "", "expected \(what) of at most 5 dimensions, found \(shapeText(x.shape))")
    }
    return Array(x.shape.dropFirst(2))
  }

  /// Numbers of a window by axis; `value` each where the attribute is left out.
  func window(_ name: String, count: Int, from minimum: Int, default value: Int) throws(FormatError) -> [Int] {
    guard let values = try integers(name) else { return [Int](repeating: value, count: count) }
    guard values.count == count, values.allSatisfy({ (minimum...Limits.window).contains($0) }) else {
      throw contractError(
        "expected \(name) of \(counted(count, "number")) from \(minimum) to \(Limits.window), found \(shapeText(values))"
      )
    }
    return values
  }

  /// The extents of a pooling window.
  func kernelShape(_ count: Int) throws(FormatError) -> [Int] {
    guard op.attribute("kernel_shape") != nil else { throw contractError("expected a kernel_shape, found none") }
    return try window("kernel_shape", count: count, from: 1, default: 1)
  }

  /// The extents of a convolution's window, which the attribute may repeat.
  func kernelShape(of w: ONNXOperand, spatial: [Int]) throws(FormatError) -> [Int] {
    let kernel = Array(w.shape.dropFirst(2))
    guard kernel.count == spatial.count, kernel.allSatisfy({ (1...Limits.window).contains($0) }) else {
      throw contractError(
        "expected weights of \(spatial.count + 2) dimensions with windows from 1 to \(Limits.window), found \(shapeText(w.shape))"
      )
    }
    let given = try integers("kernel_shape") ?? kernel
    guard given == kernel else {
      throw contractError(
        "expected kernel_shape as the weights have it, \(shapeText(kernel)), found \(shapeText(given))")
    }
    return kernel
  }

  enum AutoPad: String {
    case none = "NOTSET"
    case upper = "SAME_UPPER"
    case lower = "SAME_LOWER"
    case valid = "VALID"
  }

  func autoPad() throws(FormatError) -> AutoPad {
    let name = try text("auto_pad", default: "NOTSET")
    guard let pad = name.isEmpty ? AutoPad.none : AutoPad(rawValue: name) else {
      throw contractError("expected auto_pad NOTSET, SAME_UPPER, SAME_LOWER or VALID, found \"\(name)\"")
    }
    return pad
  }

  /// How a window slides over an input.
  /// - Parameter roundsUp: whether a window that starts inside but ends after the padding counts.
  package func windowGeometry(
    _ input: [Int], kernel: [Int], roundsUp: Bool = false
  ) throws(FormatError) -> WindowGeometry {
    let count = input.count
    let strides = try window("strides", count: count, from: 1, default: 1)
    let dilations = try window("dilations", count: count, from: 1, default: 1)
    let auto = try autoPad()
    let pads = auto == .none ? try window("pads", count: 2 * count, from: 0, default: 0) : nil
    var axes: [WindowAxis] = []
    for axis in 0..<count {
      let reach = (kernel[axis] - 1) * dilations[axis] + 1
      var before = pads?[axis] ?? 0
      var after = pads?[count + axis] ?? 0
      let output: Int
      if auto == .upper || auto == .lower {
        output = (input[axis] + strides[axis] - 1) / strides[axis]
        let total = max((output - 1) * strides[axis] + reach - input[axis], 0)
        before = auto == .upper ? total / 2 : total - total / 2
        after = total - before
      } else {
        let rest = input[axis] + before + after - reach
        guard rest >= 0 else {
          throw contractError(
            "expected a window within \(input[axis] + before + after) elements along axis \(axis + 2), found \(reach)")
        }
        var whole = rest / strides[axis] + 1
        if roundsUp, rest % strides[axis] > 0, whole * strides[axis] < input[axis] + before { whole += 1 }
        output = whole
      }
      axes.append(
        WindowAxis(
          input: input[axis], output: output, kernel: kernel[axis], stride: strides[axis], dilation: dilations[axis],
          before: before, after: after))
    }
    return WindowGeometry(axes)
  }
}
