import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

/// Operators of ONNX that our own kernels compute.
@Suite struct SpecialisationTests {
  private var bench = Bench()

  private func onnx(_ name: String, opset: Int = 17, _ attributes: [ONNXAttribute] = []) -> Operator {
    .onnx(ONNXOperator(name, opset: opset, attributes: attributes))
  }

  /// "conv" of "conv planar": which of its kernels a convolution takes is not asked here.
  private static func family(_ kernel: String) -> String { String(kernel.prefix { $0 != " " }) }

  /// Requires the kernels, in order, and the reference's numbers, which the general kernels give in Double.
  private func expect(_ outputs: [Int], kernels: [String], _ tolerance: Tolerance) throws {
    let program = try bench.program(outputs: outputs)
    var options = SessionOptions()
    options.exact = true
    #expect(try bench.session(program, options).kernelNames.filter { $0 != "layout" }.map(Self.family) == kernels)
    try bench.expectReference(outputs: outputs, tolerance)
  }

  @Test(arguments: ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"])
  mutating func `a convolution's padding is what its mode says`(mode: String) throws {
    let x = bench.input([2, 4, 7, 6])
    let w = bench.weight([6, 2, 3, 2])
    var attributes = [
      ONNXAttribute("auto_pad", .text(mode)), ONNXAttribute("group", .integer(2)),
      ONNXAttribute("strides", .integers([2, 1])),
    ]
    if mode == "NOTSET" { attributes.append(ONNXAttribute("pads", .integers([1, 0, 2, 1]))) }
    let y = try bench.apply(onnx("Conv", attributes), [x, w, bench.weight([6])])
    try expect([y], kernels: ["conv"], .products)
  }

  @Test mutating func `a batch norm and an activation are folded into the convolution before them`() throws {
    let x = bench.input([1, 3, 9, 9])
    var y = try bench.apply(onnx("Conv"), [x, bench.weight([8, 3, 3, 3])])
    y = try bench.apply(
      onnx("BatchNormalization", opset: 15),
      [y, bench.weight([8]), bench.weight([8]), bench.weight([8]), bench.weight([8]) { $0 * $0 + 0.5 }])
    y = try bench.apply(onnx("Relu"), [y])
    let kernels = try bench.session(try bench.program(outputs: [y]), SessionOptions()).kernelNames
    #expect(kernels.count { $0 != "layout" } == 1)
    try bench.expectReference(outputs: [y], .products)
  }

  @Test(arguments: [0, 1]) mutating func `a weight may lie either way round in Gemm`(transB: Int64) throws {
    let x = bench.input([3, 5])
    let w = bench.weight(transB == 1 ? [4, 5] : [5, 4])
    let y = try bench.apply(onnx("Gemm", [ONNXAttribute("transB", .integer(transB))]), [x, w, bench.weight([4])])
    try expect([y], kernels: ["linear"], .products)
  }

  @Test mutating func `a product with a constant matrix takes any leading axes`() throws {
    let y = try bench.apply(onnx("MatMul"), [bench.input([2, 3, 5]), bench.weight([5, 4])])
    try expect([y], kernels: ["linear"], .products)
  }

  @Test mutating func `a product of two computed matrices keeps the general kernel`() throws {
    let y = try bench.apply(onnx("MatMul"), [bench.input([2, 3, 5]), bench.input([2, 5, 4])])
    try expect([y], kernels: ["MatMul"], .products)
  }

  @Test mutating func `a reshape costs no step`() throws {
    let x = bench.input([2, 3, 4])
    let shape = bench.builder.tensor(
      Tensor(
        "shape", .i64, [2], role: .constant,
        values: .bytes([2, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 255, count: 8))))
    let flat = try bench.apply(onnx("Reshape"), [x, shape])
    let y = try bench.apply(onnx("Relu"), [flat])
    try expect([y], kernels: ["unary"], .exact)
  }

  @Test(arguments: [0, 1]) mutating func `pooling rounds its extent up where it is told to`(ceil: Int64) throws {
    let y = try bench.apply(
      onnx(
        "MaxPool",
        [
          ONNXAttribute("kernel_shape", .integers([3, 3])), ONNXAttribute("strides", .integers([2, 2])),
          ONNXAttribute("ceil_mode", .integer(ceil)),
        ]), [bench.input([1, 2, 8, 8])])
    try expect([y], kernels: ["max_pool"], .exact)
  }

  @Test mutating func `softmax before operator set 13 is over all axes from its own on`() throws {
    let y = try bench.apply(onnx("Softmax", opset: 11, [ONNXAttribute("axis", .integer(1))]), [bench.input([2, 3, 4])])
    try expect([y], kernels: ["Softmax"], .elements)
  }

  @Test mutating func `softmax since 13 is over one axis`() throws {
    let y = try bench.apply(onnx("Softmax", opset: 13, [ONNXAttribute("axis", .integer(1))]), [bench.input([2, 3, 4])])
    try expect([y], kernels: ["softmax"], .elements)
  }

  @Test mutating func `a layer norm over the last axis and a sum that broadcasts agree with the reference`() throws {
    let x = bench.input([2, 3, 8])
    let normed = try bench.apply(onnx("LayerNormalization"), [x, bench.weight([8]), bench.weight([8])])
    let y = try bench.apply(onnx("Add"), [normed, bench.weight([3, 1])])
    try expect([y], kernels: ["layer_norm", "binary"], .products)
  }
}
