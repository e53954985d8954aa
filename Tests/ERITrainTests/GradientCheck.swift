import ERIFormat
import ERINetworks
import ERIReference
import ERITestSupport
import ERITrain
import Testing

/// Compares the gradients of one operator's operands with central differences of the reference in Double.
struct GradientCheck {
  struct Operand {
    let name: String
    let shape: [Int]
    /// Whether its gradient is wanted.
    var isTrained = true
    /// Makes the operand's values from normal deviates.
    var drawn: (Double) -> Double = { $0 }
  }

  let operands: [Operand]
  /// Of a node whose inputs are the operands in order.
  let op: Operator
  var threads = 2
  var dropouts: [DropoutSite] = []
  var frozenStatistics = false
  /// Elements of one operand that are looked at, drawn at random where it has more.
  var samples = 300
  /// Values of the output in Double; nil: what the reference computes.
  var reference: (([ReferenceTensor]) throws -> [Double])?

  /// The largest relative distance, by norm, of an operand's gradient from its central differences.
  func worst(seed: UInt64 = 3) throws -> Double {
    let values = operands.map { operand in
      SeededRandom.deviates(operand.shape.reduce(1, *), seed: seed, stream: operand.name).map {
        Float(operand.drawn(Double($0)))
      }
    }
    let graph = try TrainableGraph(
      try model(values), dropouts: dropouts,
      isFrozen: { name in operands.contains { $0.name == name && !$0.isTrained } }, frozenStatistics: frozenStatistics,
      threads: try WorkerThreads(count: threads))
    try graph.bind(batch: 1)
    let targets = SeededRandom.deviates(graph.targets.count, seed: seed, stream: "targets")
    for (index, target) in targets.enumerated() { graph.targets[index] = target }
    let scale = 0.25
    graph.clearGradients()
    graph.step(key: 1, scale: Float(scale))

    let doubles = zip(operands, values).map { ReferenceTensor(shape: $0.shape, values: $1.map { Double($0) }) }
    let program = try Program(validating: try referenceModel())
    func loss(_ tensors: [ReferenceTensor]) throws -> Double {
      let y: [Double]
      if let reference {
        y = try reference(tensors)
      } else {
        var inputs: [String: ReferenceTensor] = [:]
        for (operand, tensor) in zip(operands, tensors) { inputs[operand.name] = tensor }
        y = try #require(try ReferenceExecutor(program).run(inputs: inputs)["y"]).values
      }
      return scale * zip(y, targets).reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) }
    }
    var worst = 0.0
    for (index, operand) in operands.enumerated() where operand.isTrained {
      let parameter = try #require(graph.parameters.first { $0.name == operand.name })
      var difference = 0.0
      var norm = 0.0
      let count = doubles[index].values.count
      var random = SeededRandom(seed: seed, stream: "samples")
      let elements = count <= samples ? [Int](0..<count) : (0..<samples).map { _ in random.index(below: count) }
      for element in elements {
        let step = 1e-5
        var sides: [Double] = []
        for sign in [1.0, -1.0] {
          var changed = doubles
          changed[index].values[element] += sign * step
          sides.append(try loss(changed))
        }
        let expected = (sides[0] - sides[1]) / (2 * step)
        let found = Double(graph.gradients[parameter.range.lowerBound + element])
        difference += (found - expected) * (found - expected)
        norm += expected * expected
      }
      // A gradient that is zero in theory is compared with the scale of the loss.
      worst = max(worst, difference.squareRoot() / (norm.squareRoot() < 1e-7 ? 1 : norm.squareRoot()))
    }
    return worst
  }

  private func model(_ values: [[Float]]) throws -> Model {
    var builder = GraphBuilder(symbols: ["N"])
    var inputs: [Int?] = []
    for (operand, values) in zip(operands, values) {
      inputs.append(builder.tensor(Tensor(operand.name, operand.shape, floats: values)))
    }
    return try finished(&builder, inputs)
  }

  private func referenceModel() throws -> Model {
    var builder = GraphBuilder(symbols: ["N"])
    let inputs: [Int?] = operands.map { builder.input($0.name, ValueType(.f32, constant: $0.shape)) }
    return try finished(&builder, inputs)
  }

  private func finished(_ builder: inout GraphBuilder, _ inputs: [Int?]) throws -> Model {
    builder.output(try builder.apply(op, inputs, name: "y"))
    var model = Model()
    model.graph = builder.graph
    model.tensors = builder.tensors
    return model
  }
}
