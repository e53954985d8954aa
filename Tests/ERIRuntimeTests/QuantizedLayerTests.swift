import CERIKernels
import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

/// Layers of 8-bit weights between quantised values, by integers and in float32, against the reference.
@Suite struct QuantizedLayerTests {
  private static func codes(_ scale: Float, zero: Int32) -> Quantization {
    Quantization(stored: .u8, scales: [scale], zeroPoints: [zero], minimum: 0, maximum: 255)
  }

  /// Normal deviates as signed integers with a scale per output channel.
  private func weight(_ bench: inout Bench, _ shape: [Int]) -> Int {
    let name = "w\(bench.builder.tensors.count)"
    let stored = bench.deviates(name, shape).map { UInt8(bitPattern: Int8(max(-127, min(127, $0 * 40)))) }
    let scales = (0..<shape[0]).map { 0.002 + 0.0005 * Float($0 % 3) }
    return bench.builder.tensor(
      Tensor(
        name, .i8, shape, quantization: Quantization(stored: .i8, scales: scales, minimum: -127, maximum: 127),
        values: .bytes(stored)))
  }

  /// How many steps of `scale` the runtime is off at most, over instruction sets, threads and ways to compute.
  private func steps(
    _ bench: Bench, _ outputs: [Int], scale: Float, exact: Bool = true,
    _ ways: [SessionOptions.Integers] = [.always, .never]
  ) throws -> Double {
    let program = try bench.program(outputs: outputs)
    let expected = try bench.reference(program)
    var worst = 0.0
    for variant in 0..<eri_kernels_variant_count() where eri_kernels_variant(variant) != nil {
      for integers in ways {
        var results: [[[Float]]] = []
        for threads in [1, 3] {
          var options = SessionOptions()
          options.instructionSet = String(cString: eri_kernels_variant_name(variant))
          options.threads = threads
          options.exact = exact
          options.integers = integers
          let session = try bench.session(program, options)
          let isByIntegers = session.kernelNames.contains { $0.contains("int") }
          #expect(isByIntegers == (integers == .always))
          results.append(session.outputs.indices.map { session.withOutput($0) { [Float]($0) } ?? [] })
          for (index, output) in session.outputs.enumerated() {
            let reference = try #require(expected[output.name])
            for (a, b) in zip(results[results.count - 1][index], reference.values) {
              worst = max(worst, (Double(a) - b).magnitude / Double(scale))
            }
          }
        }
        #expect(results[0] == results[1], "threads change the bits")
      }
    }
    return worst
  }

  private static let conv3x3 = Operator.conv(
    Conv(strides: [1, 1], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1]))

  /// x → conv → relu, both ends quantised, then a second convolution that reads its bytes.
  private func block(_ bench: inout Bench, residual: Bool) throws -> Int {
    let x = bench.input([3, 16, 9, 7])
    bench.builder.quantize(x, Self.codes(0.03, zero: 120))
    let product = try bench.apply(
      Self.conv3x3, [x, weight(&bench, [16, 16, 3, 3]), bench.weight([16])])
    let inner = try bench.apply(.unary(Unary(.relu)), [product])
    bench.builder.quantize(inner, Self.codes(0.02, zero: 0))
    var y = try bench.apply(Self.conv3x3, [inner, weight(&bench, [16, 16, 3, 3]), bench.weight([16])])
    if residual { y = try bench.apply(.binary(Binary(.add)), [y, x]) }
    return try bench.apply(.unary(Unary(.relu)), [y])
  }

  @Test(arguments: [false, true]) func `two convolutions keep within a step of the reference`(residual: Bool) throws {
    var bench = Bench()
    let y = try block(&bench, residual: residual)
    bench.builder.quantize(y, Self.codes(0.05, zero: 0))
    // A number between two steps of the inner value may fall to either side, and its weights carry that on.
    #expect(try steps(bench, [y], scale: 0.05) <= Tolerance.steps(1))
  }

  @Test func `int16 Winograd keeps within two steps of the reference`() throws {
    var bench = Bench()
    let y = try block(&bench, residual: true)
    bench.builder.quantize(y, Self.codes(0.05, zero: 0))
    #expect(try steps(bench, [y], scale: 0.05, exact: false) <= Tolerance.steps(2))
  }

  /// Three planes → 7×7/2 convolution → relu → maximum → 3×3 convolution, with codes for the maximum and, if told, for what it is
  /// taken of.
  private func firstLayers(_ bench: inout Bench, middle: Quantization?) throws -> Int {
    let x = bench.input([2, 3, 20, 12])
    bench.builder.quantize(x, Self.codes(0.03, zero: 128))
    let first = Operator.conv(Conv(strides: [2, 2], dilations: [1, 1], padsBegin: [3, 3], padsEnd: [3, 3]))
    let product = try bench.apply(first, [x, weight(&bench, [16, 3, 7, 7]), bench.weight([16])])
    let active = try bench.apply(.unary(Unary(.relu)), [product])
    if let middle { bench.builder.quantize(active, middle) }
    let pool = Operator.maxPool(
      MaxPool(kernel: [3, 3], strides: [2, 2], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1]))
    let greatest = try bench.apply(pool, [active])
    bench.builder.quantize(greatest, Self.codes(0.02, zero: 0))
    let y = try bench.apply(Self.conv3x3, [greatest, weight(&bench, [16, 16, 3, 3])])
    bench.builder.quantize(y, Self.codes(0.05, zero: 128))
    return y
  }

  @Test(arguments: [nil, 0.02, 0.03]) func `first layers and the maximum behind them follow the reference`(
    middle: Float?
  ) throws {
    var bench = Bench()
    let y = try firstLayers(&bench, middle: middle.map { Self.codes($0, zero: 0) })
    #expect(try steps(bench, [y], scale: 0.05) <= Tolerance.steps(1))
  }

  @Test(arguments: [(nil, true), (0.02, true), (0.03, false)])
  func `a maximum is taken of bytes where their scale is its own`(
    _ middle: Float?, _ isOfBytes: Bool
  ) throws {
    var bench = Bench()
    let y = try firstLayers(&bench, middle: middle.map { Self.codes($0, zero: 0) })
    var options = SessionOptions()
    options.integers = .always
    let names = try bench.session(bench.program(outputs: [y]), options).kernelNames
    #expect(names.contains("max_pool int8") == isOfBytes)
    #expect(names.contains("max_pool") == !isOfBytes)
  }

  @Test func `a strided convolution of a float residual follows the reference`() throws {
    var bench = Bench()
    let x = bench.input([2, 8, 9, 9])
    bench.builder.quantize(x, Self.codes(0.03, zero: 100))
    let strided = Operator.conv(Conv(strides: [2, 2], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1]))
    let side = try bench.apply(strided, [x, weight(&bench, [12, 8, 3, 3])])
    let main = try bench.apply(strided, [x, weight(&bench, [12, 8, 3, 3]), bench.weight([12])])
    let sum = try bench.apply(.binary(Binary(.add)), [main, side])
    let y = try bench.apply(.unary(Unary(.relu)), [sum])
    bench.builder.quantize(y, Self.codes(0.05, zero: 0))
    #expect(try steps(bench, [y], scale: 0.05) <= Tolerance.steps(1))
  }

  @Test func `a batch norm behind a quantized convolution is folded into its factors`() throws {
    var bench = Bench()
    let x = bench.input([2, 8, 6, 6])
    bench.builder.quantize(x, Self.codes(0.03, zero: 100))
    let product = try bench.apply(Self.conv3x3, [x, weight(&bench, [8, 8, 3, 3])])
    let y = try bench.apply(
      .batchNorm(BatchNorm()),
      [product, bench.weight([8]), bench.weight([8]), bench.weight([8]), bench.weight([8]) { abs($0) + 0.5 }])
    #expect(try steps(bench, [y], scale: 0.05) <= Tolerance.steps(0.01))
  }

  @Test func `linear layers with GELU between follow the reference`() throws {
    var bench = Bench()
    let x = bench.input([3, 5, 24])
    bench.builder.quantize(x, Self.codes(0.03, zero: 128))
    let wide = try bench.apply(.linear(Linear()), [x, weight(&bench, [40, 24]), bench.weight([40])])
    let active = try bench.apply(.unary(Unary(.gelu)), [wide])
    bench.builder.quantize(active, Self.codes(0.02, zero: 9))
    let narrow = try bench.apply(.linear(Linear()), [active, weight(&bench, [24, 40]), bench.weight([24])])
    let y = try bench.apply(.binary(Binary(.add)), [narrow, x])
    bench.builder.quantize(y, Self.codes(0.05, zero: 128))
    #expect(try steps(bench, [y], scale: 0.05) <= Tolerance.steps(1))
  }

  @Test func `a value that both a convolution and a linear layer read as bytes is made in both forms`() throws {
    var bench = Bench()
    let x = bench.input([2, 8, 12])
    bench.builder.quantize(x, Self.codes(0.03, zero: 128))
    let sequence = Operator.conv(Conv(strides: [1], dilations: [2], padsBegin: [4], padsEnd: [0]))
    let a = try bench.apply(sequence, [x, weight(&bench, [8, 8, 3]), bench.weight([8])])
    let b = try bench.apply(.linear(Linear()), [x, weight(&bench, [12, 12]), bench.weight([12])])
    let y = try bench.apply(.binary(Binary(.add)), [a, b])
    #expect(try steps(bench, [y, x], scale: 0.05) <= Tolerance.steps(0.01))
  }

  @Test func `kept values of a quantized graph are what the reference holds`() throws {
    var bench = Bench()
    let y = try block(&bench, residual: true)
    let program = try bench.program(outputs: [y])
    let expected = try bench.reference(program)
    var options = SessionOptions()
    options.keepsValues = true
    options.integers = .always
    options.exact = true
    let session = try bench.session(program, options)
    for name in ["x0", "y1", "y4"] {
      let values = try #require(session.value(named: name))
      let reference = try #require(expected[name])
      let worst = zip(values, reference.values).map { (Double($0) - $1).magnitude }.max() ?? .infinity
      #expect(worst <= 0.03, "\(name)")
    }
  }

  @Test func `a value with a scale per channel is refused by name`() throws {
    var bench = Bench()
    let x = bench.input([2, 3])
    let y = try bench.apply(.unary(Unary(.relu)), [x], name: "rectified")
    bench.builder.quantize(
      y, Quantization(stored: .u8, scales: [1, 2, 3], axis: 1, minimum: 0, maximum: 255))
    let session = try Session(bench.program(outputs: [y]))
    let error = #expect(throws: RuntimeError.self) { try session.bind([Session.InputShape("x0", [2, 3])]) }
    #expect(error?.kind == .unsupported)
    #expect(
      error?.description
        == "value \"rectified\": expected one scale with a finite inverse for a computed value, found 3 from 1.0 on; this runtime cannot compute it"
    )
  }

  @Test func `an output between a layer's range and below it is clamped`() throws {
    var bench = Bench()
    let x = bench.input([4, 8])
    bench.builder.quantize(
      x, Quantization(stored: .i16, scales: [0.01], zeroPoints: [-3], minimum: -100, maximum: 50))
    let y = try bench.apply(.unary(Unary(.relu)), [x])
    #expect(try steps(bench, [y, x], scale: 0.01, [.never]) <= Tolerance.steps(0.001))
  }
}
