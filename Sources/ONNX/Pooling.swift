import CERISystem
import ERIFormat

/// One number for all that lies under a window.
extension ONNXNode {
  func poolingKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    if op.name == "GlobalAveragePool" || op.name == "GlobalMaxPool" || op.name == "GlobalLpPool" {
      return try globalPooling(x)
    }
    let spatial = try spatial(x, "x")
    let geometry = try windowGeometry(
      spatial, kernel: try kernelShape(spatial.count), roundsUp: try flag("ceil_mode"))
    let result = try BoundType(x.dtype, Array(x.shape.prefix(2)) + geometry.output)
    switch op.name {
    case "MaxPool":
      let order = try integer("storage_order", default: 0)
      guard order == 0 || order == 1 else { throw contractError("expected storage_order 0 or 1, found \(order)") }
      let maker = MaxPoolKernel(
        result: result, geometry: geometry, countsColumns: order == 1, hasIndices: outputCount > 1)
      switch x.dtype {
      case .i8: return try maker.kernel(Int8.self)
      case .u8: return try maker.kernel(UInt8.self)
      case .f32, .f64, .i64, .i32, .i16, .u64, .u32, .u16, .f16, .bf16, .bool, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2,
        .f8e5m2fnuz, .i4, .u4:
        return try realKernel(x, "x", RealMaxPoolKernel(maker: maker))
      }
    case "AveragePool":
      return try realKernel(
        x, "x", AveragePoolKernel(result: result, geometry: geometry, countsPads: try flag("count_include_pad")))
    default:
      return try realKernel(x, "x", LpPoolKernel(result: result, geometry: geometry, power: try normPower()))
    }
  }

  /// The p of a p-norm.
  func normPower() throws(FormatError) -> Int {
    let power = try integer("p", default: 2)
    guard power > 0, power <= Limits.window else {
      throw contractError("expected p from 1 to \(Limits.window), found \(power)")
    }
    return power
  }
}

private struct RealMaxPoolKernel: RealKernel {
  let maker: MaxPoolKernel

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel { try maker.kernel(type) }
}

private struct MaxPoolKernel {
  let result: BoundType
  let geometry: WindowGeometry
  /// Whether indices count along the first axis first.
  let countsColumns: Bool
  let hasIndices: Bool

  func kernel<Element: ONNXNumber>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let geometry = geometry
    let planes = result.shape[0] * result.shape[1]
    guard hasIndices else {
      return ONNXKernel([result]) { memory in
        let y: UnsafeMutablePointer<Element> = memory.output(0)
        geometry.pool(memory.input(0, as: Element.self), planes: planes) { row, count in
          (y + row).update(repeating: Element.lowest, count: count)
        } each: { row, column, value in
          y[row &+ column] = y[row &+ column].larger(value)
        } finish: { _, _, _, _ in
        }
        return nil
      }
    }
    let strides =
      countsColumns
      ? (1, geometry.depth.input, geometry.depth.input * geometry.height.input)
      : (geometry.height.input * geometry.width.input, geometry.width.input, 1)
    return ONNXKernel([result, try BoundType(.i64, result.shape)]) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let indices: UnsafeMutablePointer<Int64> = memory.output(1)
      let (depth, height, width) = (geometry.depth, geometry.height, geometry.width)
      var next = 0
      for plane in 0..<planes {
        let x = memory.input(0, as: Element.self) + plane &* geometry.inputs
        for z in 0..<depth.output {
          for row in 0..<height.output {
            for column in 0..<width.output {
              var best = Element.lowest
              var index = -1
              for a in 0..<depth.kernel {
                let inputZ = z &* depth.stride &+ depth.place(a)
                if inputZ < 0 || inputZ >= depth.input { continue }
                for b in 0..<height.kernel {
                  let inputY = row &* height.stride &+ height.place(b)
                  if inputY < 0 || inputY >= height.input { continue }
                  for c in 0..<width.kernel {
                    let inputX = column &* width.stride &+ width.place(c)
                    if inputX < 0 || inputX >= width.input { continue }
                    let value = x[(inputZ &* height.input &+ inputY) &* width.input &+ inputX]
                    if index < 0 || value > best || (value.isNotNumber && !best.isNotNumber) {
                      best = value
                      index = inputZ &* strides.0 &+ inputY &* strides.1 &+ inputX &* strides.2
                    }
                  }
                }
              }
              y[next] = best
              indices[next] = index < 0 ? -1 : Int64(plane &* geometry.inputs &+ index)
              next &+= 1
            }
          }
        }
      }
      return nil
    }
  }
}

private struct AveragePoolKernel: RealKernel {
  let result: BoundType
  let geometry: WindowGeometry
  let countsPads: Bool

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let geometry = geometry
    let planes = result.shape[0] * result.shape[1]
    let depths = taps(geometry.depth)
    let heights = taps(geometry.height)
    let widths = taps(geometry.width)
    let bytes = geometry.width.output * MemoryLayout<Double>.stride
    return ONNXKernel([result], scratchBytes: bytes) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let sums: UnsafeMutablePointer<Double> = memory.scratch()
      geometry.pool(memory.input(0, as: Element.self), planes: planes) { _, count in
        sums.update(repeating: 0, count: count)
      } each: { _, column, value in
        sums[column] += Double(value)
      } finish: { row, z, line, count in
        let lines = depths[z] &* heights[line]
        for index in 0..<count { y[row &+ index] = Element(sums[index] / Double(max(lines &* widths[index], 1))) }
      }
      return nil
    }
  }

  /// By output: how many taps count along an axis.
  private func taps(_ axis: WindowAxis) -> Table<Int> {
    let (first, end) = countsPads ? (-axis.before, axis.input + axis.after) : (0, axis.input)
    return Table(
      (0..<axis.output).map { output in
        let start = output * axis.stride - axis.before
        // Taps at start, start + dilation, … that lie in first..<end.
        let lower = start >= first ? 0 : (first - start + axis.dilation - 1) / axis.dilation
        let upper = start >= end ? 0 : min(axis.kernel, (end - 1 - start) / axis.dilation + 1)
        return max(upper - lower, 0)
      })
  }
}

private struct LpPoolKernel: RealKernel {
  let result: BoundType
  let geometry: WindowGeometry
  let power: Int

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let geometry = geometry
    let planes = result.shape[0] * result.shape[1]
    let norm = Norm(power: power)
    let bytes = geometry.width.output * MemoryLayout<Double>.stride
    return ONNXKernel([result], scratchBytes: bytes) { memory in
      let y: UnsafeMutablePointer<Element> = memory.output(0)
      let sums: UnsafeMutablePointer<Double> = memory.scratch()
      geometry.pool(memory.input(0, as: Element.self), planes: planes) { _, count in
        sums.update(repeating: 0, count: count)
      } each: { _, column, value in
        sums[column] += norm.term(Double(value))
      } finish: { row, _, _, count in
        for index in 0..<count { y[row &+ index] = Element(norm.root(sums[index])) }
      }
      return nil
    }
  }
}

/// The p-norm, from terms to the root of their sum.
struct Norm {
  let power: Int

  @inline(__always) func term(_ x: Double) -> Double {
    switch power {
    case 1: abs(x)
    case 2: x * x
    default: eri_pow(abs(x), Double(power))
    }
  }

  @inline(__always) func root(_ sum: Double) -> Double {
    switch power {
    case 1: sum
    case 2: sum.squareRoot()
    default: eri_pow(sum, 1 / Double(power))
    }
  }
}
