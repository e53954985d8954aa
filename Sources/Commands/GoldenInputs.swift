import ERIFormat
import ERIRuntime

/// An input of a golden, ready to be copied.
struct GoldenInput {
  let name: String
  let shape: [Int]
  let values: [Float]
}

/// The golden's own inputs and those its generator draws: every other input that has no fill value.
func goldenInputs(_ golden: Golden, _ program: Program, _ place: String) throws(RuntimeError) -> [GoldenInput] {
  let graph = program.graph
  var sizes = [Int?](repeating: nil, count: graph.symbols.count)
  for binding in golden.bindings {
    guard let symbol = graph.symbols.firstIndex(where: { $0 == binding.symbol }) else {
      throw RuntimeError(.invalid, at: place, "expected sizes of the graph's symbols, found \"\(binding.symbol)\"")
    }
    sizes[symbol] = binding.size
  }
  var inputs: [GoldenInput] = []
  for index in program.inputs {
    let name = graph.values[index].name
    if let given = golden.inputs.first(where: { $0.name == name }) {
      inputs.append(GoldenInput(name: name, shape: given.shape, values: try floats(given, place)))
      continue
    }
    guard golden.generator != 0, case .input(let input) = graph.values[index].source else { continue }
    if case .filled = input.omission { continue }
    guard input.type.dtype == .f32 else {
      throw RuntimeError(
        .unsupported, at: "\(place): input \"\(name)\"", "expected float32 to draw, found \(input.type.dtype.name)")
    }
    guard golden.generator == Golden.normalGenerator else {
      throw RuntimeError(
        .unsupported, at: place,
        "expected generator \(Golden.normalGenerator), found \(golden.generator); use a newer release")
    }
    var shape: [Int] = []
    for dimension in input.type.shape {
      guard let extent = dimension.evaluated(sizes) else {
        throw RuntimeError(.invalid, at: place, "expected a size for every symbol of input \"\(name)\", found too few")
      }
      shape.append(extent)
    }
    guard let count = elementProduct(shape) else {
      throw RuntimeError(
        .invalid, at: place, "expected at most \(Limits.elements) elements, found shape \(shapeText(shape))")
    }
    inputs.append(
      GoldenInput(name: name, shape: shape, values: SeededRandom.deviates(count, seed: golden.seed, stream: name)))
  }
  return inputs
}

/// The golden's float32 values.
func floats(_ values: Golden.Values, _ place: String) throws(RuntimeError) -> [Float] {
  guard values.dtype == .f32, let count = elementProduct(values.shape), values.bytes.count == count * 4 else {
    throw RuntimeError(
      .invalid, at: place,
      "expected float32 values for \"\(values.name)\" \(shapeText(values.shape)), "
        + "found \(values.bytes.count) bytes of \(values.dtype.name)")
  }
  var floats: [Float] = []
  floats.reserveCapacity(count)
  for start in stride(from: 0, to: values.bytes.count, by: 4) {
    var bits: UInt32 = 0
    for byte in values.bytes[start..<start + 4].reversed() { bits = bits << 8 | UInt32(byte) }
    floats.append(Float(bitPattern: bits))
  }
  return floats
}
