import ERIFormat

extension RecurrentLayer {
  func kernel<T: ONNXReal>(_ results: [BoundType], _ type: T.Type) throws(FormatError) -> ONNXKernel {
    let layer = self
    let dtype = results[0].dtype
    let projected = try BoundType(dtype, [steps, batch, gates, hidden])
    let gated = try BoundType(dtype, [batch, gates + 1, hidden])
    let size = results[0].elements
    let bytes = projected.byteCount + gated.byteCount
    return ONNXKernel(results, scratchBytes: bytes) { memory in
      if layer.hasLengths {
        let lengths = memory.input(4, as: Int32.self)
        for item in 0..<layer.batch where lengths[item] < 0 || Int(lengths[item]) > layer.steps {
          return .value("sequence_lens from 0 to the length of the sequences")
        }
      }
      // Steps past a sequence's end stay 0.
      memory.output(0, as: T.self).update(repeating: 0, count: size)
      for way in 0..<layer.directions { RecurrentPass<T>(layer, memory, way).run() }
      return nil
    }
  }
}

/// One direction of a run.
private struct RecurrentPass<T: ONNXReal> {
  let layer: RecurrentLayer
  let memory: ONNXMemory
  let way: Int
  let isReverse: Bool
  /// Elements of one item's gates.
  let width: Int
  /// Products with the input: [steps, batch, gates, hidden].
  let projected: UnsafeMutablePointer<T>
  /// Of the step at hand: [batch, gates, hidden], and [batch, hidden] beside it.
  let gates: UnsafeMutablePointer<T>
  let spare: UnsafeMutablePointer<T>
  let recurrent: UnsafePointer<T>

  init(_ layer: RecurrentLayer, _ memory: ONNXMemory, _ way: Int) {
    self.layer = layer
    self.memory = memory
    self.way = way
    isReverse = layer.direction == .reverse || way == 1
    width = layer.gates &* layer.hidden
    projected = memory.scratch()
    gates = projected + layer.steps &* layer.batch &* width
    spare = gates + layer.batch &* width
    recurrent = memory.input(2, as: T.self) + way &* width &* layer.hidden
  }

  func run() {
    start(1, layer.hasHidden ? 5 : nil)
    switch layer.cell {
    case .simple, .gru: break
    case .lstm: start(2, layer.hasCell ? 6 : nil)
    }
    project()
    for step in 0..<layer.steps {
      switch layer.cell {
      case .simple: simple(step)
      case .gru(let resetsProduct): gru(step, resetsProduct)
      case .lstm(let isCoupled): lstm(step, isCoupled)
      }
    }
  }

  /// A state is kept where the output has its last value.
  private func start(_ output: Int, _ initial: Int?) {
    for item in 0..<layer.batch {
      let offset = layer.stateOffset(way, item)
      let state = memory.output(output, as: T.self) + offset
      if let initial {
        state.update(from: memory.input(initial, as: T.self) + offset, count: layer.hidden)
      } else {
        state.update(repeating: 0, count: layer.hidden)
      }
    }
  }

  private func state(_ output: Int, _ item: Int) -> UnsafeMutablePointer<T> {
    memory.output(output, as: T.self) + layer.stateOffset(way, item)
  }

  /// W · x and both biases for every step, each row of W once.
  private func project() {
    let weights = memory.input(1, as: T.self) + way &* width &* layer.inputs
    let x = memory.input(0, as: T.self)
    for row in 0..<width {
      let bias = inputBias(row)
      for step in 0..<layer.steps {
        for item in 0..<layer.batch {
          projected[(step &* layer.batch &+ item) &* width &+ row] =
            dot(weights + row &* layer.inputs, x + layer.inputOffset(step, item), layer.inputs) + bias
        }
      }
    }
  }

  /// The biases that are added to a gate whatever the state is.
  private func inputBias(_ row: Int) -> T {
    guard layer.hasBias else { return 0 }
    let biases = memory.input(3, as: T.self) + way &* 2 &* width
    switch layer.cell {
    // Under the reset gate the recurrent bias of the third gate is added before.
    case .gru(let resetsProduct) where resetsProduct && row >= 2 &* layer.hidden: return biases[row]
    case .simple, .gru, .lstm: return biases[row] + biases[width &+ row]
    }
  }

  /// Where in the sequence of an item a step is; nil: past its end.
  private func position(_ step: Int, _ item: Int) -> Int? {
    let length = layer.hasLengths ? Int(memory.input(4, as: Int32.self)[item]) : layer.steps
    guard step < length else { return nil }
    return isReverse ? length &- 1 &- step : step
  }

  /// Adds the products of R's rows `rows` and the vectors to the input's; each row of R once for all items.
  private func addRecurrent(
    _ step: Int, _ rows: Range<Int>, _ vector: (Int) -> UnsafePointer<T>, resets: Bool = false
  ) {
    for row in rows {
      let weights = recurrent + row &* layer.hidden
      for item in 0..<layer.batch {
        guard let position = position(step, item) else { continue }
        var product = dot(weights, vector(item), layer.hidden)
        if resets {
          let unit = row &- 2 &* layer.hidden
          if layer.hasBias { product += memory.input(3, as: T.self)[way &* 2 &* width &+ width &+ row] }
          product *= gates[item &* width &+ layer.hidden &+ unit]
        }
        gates[item &* width &+ row] = projected[(position &* layer.batch &+ item) &* width &+ row] + product
      }
    }
  }

  /// Applies a function in place; of what comes from the cell, `isGate` false, onnxruntime clips nothing.
  private func activate(
    _ function: Int, _ values: UnsafeMutablePointer<T>, _ count: Int, isGate: Bool = true
  ) {
    let clip = isGate ? layer.clip : .infinity
    layer.activations[way &* layer.functions &+ function].apply(values, count, clip: clip)
  }

  private func emit(_ position: Int, _ item: Int) {
    (memory.output(0, as: T.self) + layer.outputOffset(position, way, item))
      .update(from: state(1, item), count: layer.hidden)
  }

  private func simple(_ step: Int) {
    addRecurrent(step, 0..<width, { UnsafePointer(state(1, $0)) })
    for item in 0..<layer.batch {
      guard let position = position(step, item) else { continue }
      let gate = gates + item &* width
      activate(0, gate, layer.hidden)
      state(1, item).update(from: gate, count: layer.hidden)
      emit(position, item)
    }
  }

  /// Gates: update, reset, hidden.
  private func gru(_ step: Int, _ resetsProduct: Bool) {
    let hidden = layer.hidden
    addRecurrent(step, 0..<2 &* hidden, { UnsafePointer(state(1, $0)) })
    for item in 0..<layer.batch where position(step, item) != nil {
      let gate = gates + item &* width
      activate(0, gate, 2 &* hidden)
      let (state, reset) = (state(1, item), spare + item &* hidden)
      for unit in 0..<hidden { reset[unit] = gate[hidden &+ unit] * state[unit] }
    }
    if resetsProduct {
      addRecurrent(step, 2 &* hidden..<width, { UnsafePointer(state(1, $0)) }, resets: true)
    } else {
      addRecurrent(step, 2 &* hidden..<width, { UnsafePointer(spare + $0 &* hidden) })
    }
    for item in 0..<layer.batch {
      guard let position = position(step, item) else { continue }
      let gate = gates + item &* width
      activate(1, gate + 2 &* hidden, hidden)
      let state = state(1, item)
      for unit in 0..<hidden {
        state[unit] = (1 - gate[unit]) * gate[2 &* hidden &+ unit] + gate[unit] * state[unit]
      }
      emit(position, item)
    }
  }

  /// Gates: input, output, forget, cell.
  private func lstm(_ step: Int, _ isCoupled: Bool) {
    let hidden = layer.hidden
    addRecurrent(step, 0..<width, { UnsafePointer(state(1, $0)) })
    for item in 0..<layer.batch {
      guard let position = position(step, item) else { continue }
      let input = gates + item &* width
      let (output, forget, fresh) = (input + hidden, input + 2 &* hidden, input + 3 &* hidden)
      let cell = state(2, item)
      peep(0, cell, input)
      activate(0, input, hidden)
      if isCoupled {
        for unit in 0..<hidden { forget[unit] = 1 - input[unit] }
      } else {
        peep(2, cell, forget)
        activate(0, forget, hidden)
      }
      activate(1, fresh, hidden)
      for unit in 0..<hidden { cell[unit] = forget[unit] * cell[unit] + input[unit] * fresh[unit] }
      peep(1, cell, output)
      activate(0, output, hidden)
      let (seen, state) = (spare + item &* hidden, state(1, item))
      seen.update(from: cell, count: hidden)
      activate(2, seen, hidden, isGate: false)
      for unit in 0..<hidden { state[unit] = output[unit] * seen[unit] }
      emit(position, item)
    }
  }

  /// Adds a gate's peephole, of those for input, output and forget.
  private func peep(_ index: Int, _ cell: UnsafeMutablePointer<T>, _ gate: UnsafeMutablePointer<T>) {
    guard layer.hasPeepholes else { return }
    let weights = memory.input(7, as: T.self) + (way &* 3 &+ index) &* layer.hidden
    for unit in 0..<layer.hidden { gate[unit] += weights[unit] * cell[unit] }
  }
}
