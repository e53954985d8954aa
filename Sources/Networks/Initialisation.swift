import ERIFormat

/// How a weight starts: PyTorch's default for its layer.
enum Initialisation {
  /// Uniform in ±1 / √fanIn: what kaiming_uniform with a = √5 and the bias's rule both come to.
  case uniform(fanIn: Int)
  /// Normal with mean 0.
  case normal(deviation: Double)
  case constant(Float)

  /// The values.
  ///
  /// Each tensor draws from its own stream, with IEEE operations alone: the same on every machine.
  func values(count: Int, name: String, seed: UInt64) -> [Float] {
    switch self {
    case .uniform(let fanIn):
      var random = SeededRandom(seed: seed, stream: name)
      let bound = 1 / Double(fanIn).squareRoot()
      return (0..<count).map { _ in Float(bound * (2 * random.uniform() - 1)) }
    case .normal(let deviation):
      var random = SeededRandom(seed: seed, stream: name)
      return (0..<count).map { _ in Float(deviation * random.normal()) }
    case .constant(let value):
      return [Float](repeating: value, count: count)
    }
  }
}

/// ‖v‖ of each of `rows` equal parts, summed in Double in order: where weight norm starts, so that g · v / ‖v‖ is v.
func rowNorms(_ values: [Float], rows: Int) -> [Float] {
  let length = values.count / max(1, rows)
  return (0..<rows).map { row in
    var square = 0.0
    for value in values[row * length..<(row + 1) * length] { square += Double(value) * Double(value) }
    return Float(square.squareRoot())
  }
}

/// sin and cos of step / base^(2i / width), in columns 2i and 2i + 1, row-major [steps, width].
///
/// Vaswani et al. 2017.
func positionTable(steps: Int, width: Int, base: Int) -> [Float] {
  var table: [Float] = []
  table.reserveCapacity(steps * width)
  for step in 0..<steps {
    for pair in 0..<width / 2 {
      let frequency = DeterministicMath.exp(-Double(2 * pair) / Double(width) * DeterministicMath.log(Double(base)))
      let angle = Double(step) * frequency
      table.append(Float(DeterministicMath.sin(angle)))
      table.append(Float(DeterministicMath.cos(angle)))
    }
  }
  return table
}
