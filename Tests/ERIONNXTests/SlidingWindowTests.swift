import ERIFormat
import ERITestSupport
import Testing

@testable import ERIONNX

@Suite struct SlidingWindowTests {
  private func values<Element: BitwiseCopyable>(
    _ application: Application, _ operands: [Application.Operand?], as type: Element.Type = Element.self
  ) throws -> [Element] {
    let run = try application.run(operands)
    #expect(run.fault == nil)
    return run.results[0].values()
  }

  /// Numbers that single precision holds, from -1 to 1.
  private func noise(_ count: Int, _ stream: String) -> [Float] {
    var random = SeededRandom(seed: 7, stream: stream)
    return (0..<count).map { _ in Float(random.uniform() * 2 - 1) }
  }

  /// The definition, in Double, of a convolution over two axes with symmetric pads.
  private func convolution(
    _ x: [Float], _ w: [Float], size: Int, channels: Int, filters: Int, groups: Int, stride: Int, dilation: Int
  ) -> [Double] {
    let output = (size + 2 - 2 * dilation - 1) / stride + 1
    let perGroup = channels / groups
    var y: [Double] = []
    for filter in 0..<filters {
      for row in 0..<output {
        for column in 0..<output {
          var sum = 0.0
          for channel in 0..<perGroup {
            let plane = filter / (filters / groups) * perGroup + channel
            for tap in 0..<9 {
              let line = row * stride - 1 + tap / 3 * dilation
              let place = column * stride - 1 + tap % 3 * dilation
              guard (0..<size).contains(line), (0..<size).contains(place) else { continue }
              sum +=
                Double(x[(plane * size + line) * size + place]) * Double(w[(filter * perGroup + channel) * 9 + tap])
            }
          }
          y.append(sum)
        }
      }
    }
    return y
  }

  @Test(arguments: [(1, 1, 1), (2, 2, 1), (1, 1, 2), (3, 2, 2), (6, 1, 1)])
  func `a convolution is the sum of products under its window`(groups: Int, stride: Int, dilation: Int) throws {
    let (size, channels, filters) = (29, 6, 12)
    let x = noise(channels * size * size, "x")
    let w = noise(filters * channels / groups * 9, "w")
    let conv = Application(
      "Conv", opset: 11,
      [
        .init("group", .integer(Int64(groups))), .init("pads", .integers([1, 1, 1, 1])),
        .init("strides", .integers([Int64(stride), Int64(stride)])),
        .init("dilations", .integers([Int64(dilation), Int64(dilation)])),
      ])
    let operands: [Application.Operand?] = [
      .f32([1, channels, size, size], x), .f32([filters, channels / groups, 3, 3], w),
    ]
    let expected = convolution(
      x, w, size: size, channels: channels, filters: filters, groups: groups, stride: stride, dilation: dilation)
    #expect(relativeDifference(try values(conv, operands), expected) <= Tolerance.products.bound)
  }

  @Test func `an odd pad of SAME_LOWER comes first`() throws {
    let conv = Application("Conv", opset: 11, [.init("auto_pad", .text("SAME_LOWER"))])
    #expect(try values(conv, [.f32([1, 1, 3], [1, 2, 3]), .f32([1, 1, 2], [1, 10])]) == [10, 21, 32] as [Float])
  }

  @Test func `a window larger than its input is refused`() {
    #expect(throws: contractError("expected a window within 3 elements along axis 2, found 4")) {
      try Application("Conv", opset: 11).kernel([.f32([1, 1, 3], 0), .f32([1, 1, 4], 0)])
    }
  }

  @Test func `four spatial axes are not computed`() {
    #expect(
      throws: FormatError(.unsupported, at: "", "expected x of at most 5 dimensions, found [1, 1, 2, 2, 2, 2]")
    ) {
      try Application("Conv", opset: 11).kernel([.f32([1, 1, 2, 2, 2, 2], 0), .f32([1, 1, 1, 1, 1, 1], 0)])
    }
  }

  @Test func `a transposed convolution spreads each input over its window`() throws {
    let conv = Application("ConvTranspose", opset: 11, [.init("strides", .integers([2]))])
    let y = try values(conv, [.f32([1, 1, 2], [1, 2]), .f32([1, 1, 3], [1, 10, 100])], as: Float.self)
    #expect(y == [1, 10, 102, 20, 200])
  }

  @Test func `an output shape larger than the windows reach has zeros at its end`() throws {
    let conv = Application("ConvTranspose", opset: 11, [.init("output_shape", .integers([4]))])
    #expect(try values(conv, [.f32([1, 1, 2], [1, 2]), .f32([1, 1, 2], 1)]) == [1, 3, 2, 0] as [Float])
  }

  @Test func `a padded byte counts as the zero point`() throws {
    let conv = Application("ConvInteger", opset: 10, [.init("pads", .integers([1, 0]))])
    let operands: [Application.Operand?] = [
      Application.Operand(.u8, [1, 1, 2], [3, 5] as [UInt8]), Application.Operand(.i8, [1, 1, 2], [-1, 2] as [Int8]),
      Application.Operand(.u8, [], [1] as [UInt8]),
    ]
    #expect(try values(conv, operands) == [4, 6] as [Int32])
  }

  @Test func `a window that starts in the padding after the input is left out`() throws {
    let pool = Application(
      "MaxPool", opset: 12,
      [
        .init("kernel_shape", .integers([1])), .init("strides", .integers([2])), .init("pads", .integers([0, 0])),
        .init("ceil_mode", .integer(1)),
      ])
    #expect(try values(pool, [.f32([1, 1, 4], [1, 2, 3, 4])]) == [1, 3] as [Float])
  }

  @Test func `the index of a maximum counts along the first axis first where asked`() throws {
    let pool = Application(
      "MaxPool", opset: 12, [.init("kernel_shape", .integers([2, 3])), .init("storage_order", .integer(1))], outputs: 2)
    let run = try pool.run([.f32([1, 1, 2, 3], [1, 2, 9, 4, 5, 6])])
    #expect(run.results[1].values() == [4] as [Int64])
  }

  @Test func `a maximum of bytes may be negative`() throws {
    let pool = Application(
      "MaxPool", opset: 12, [.init("kernel_shape", .integers([2])), .init("pads", .integers([1, 0]))])
    #expect(try values(pool, [Application.Operand(.i8, [1, 1, 2], [-7, -9] as [Int8])]) == [-7, -7] as [Int8])
  }

  @Test func `a mean counts padding where asked, but not what rounding up adds`() throws {
    let pool = Application(
      "AveragePool", opset: 19,
      [
        .init("kernel_shape", .integers([3])), .init("strides", .integers([2])), .init("pads", .integers([1, 0])),
        .init("ceil_mode", .integer(1)), .init("count_include_pad", .integer(1)),
      ])
    #expect(try values(pool, [.f32([1, 1, 3], [3, 6, 9])]) == [3, 7.5] as [Float])
  }

  @Test func `values go back to the places of their maxima`() throws {
    let pool = Application(
      "MaxUnpool", opset: 11, [.init("kernel_shape", .integers([2])), .init("strides", .integers([2]))])
    let run = try pool.run([.f32([1, 1, 2], [5, 6]), .i64([1, 1, 2], [1, 4])])
    #expect(run.fault == .indexOutOfRange(index: 4, extent: 4))
    #expect(try values(pool, [.f32([1, 1, 2], [5, 6]), .i64([1, 1, 2], [1, 2])]) == [0, 5, 6, 0] as [Float])
  }

  @Test func `a region without a number is a fault`() throws {
    let pool = Application("RoiAlign", opset: 16)
    let run = try pool.run([.f32([1, 1, 2, 2], 1), .f32([1, 4], [0, 0, .infinity, 1]), .i64([0])])
    #expect(run.fault == .value("regions of finite extents, not beyond 32767 samples per output"))
  }

  @Test func `a causal convolution carries on where the one before it ended`() throws {
    let conv = Application("CausalConvWithState", opset: 27, outputs: 2)
    let w = Application.Operand.f32([1, 1, 3], [1, 10, 100])
    let whole = try conv.run([.f32([1, 1, 3], [1, 2, 3]), w])
    let first = try conv.run([.f32([1, 1, 1], [1]), w])
    let state = first.results[1].values(Float.self)
    let rest = try conv.run([.f32([1, 1, 2], [2, 3]), w, nil, .f32([1, 1, 2], state)])
    #expect(first.results[0].values(Float.self) + rest.results[0].values() == whole.results[0].values())
  }
}
