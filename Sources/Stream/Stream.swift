public import ERIFormat
public import ERIRuntime
import ERISignal

/// A model of clips that estimates while the clip is still coming: it takes steps one by one and looks at the last ones.
///
/// A model of T steps is cut where its steps meet (`StepSplit`): what belongs to one step alone, such as the convolutions over a
/// face, is computed once, when the step comes; an estimate runs what works over time, on the last T steps. Before T have
/// come, the window repeats those there are as a short clip does: step k is the one at ⌊k · (count − 1) / (T − 1)⌋. The outputs are
/// those of a session that is given the same T steps, bit for bit.
///
/// ```swift
/// let stream = try Stream(Model(reading: "model.eri"))
/// try stream.append("faces", face)     // 3 · 112 · 112 normalised values, as often as a step has passed
/// try stream.append("audio", row)      // 1024 standardised values
/// try stream.run()
/// let intensities = stream.output(0)
/// ```
///
/// Use one stream from one thread at a time.
public final class Stream {
  /// An input that has steps.
  public struct Input: Equatable, Sendable {
    /// Its name in the model.
    public let name: String
    /// Extents of one step.
    public let shape: [Int]
    /// Whether something is computed of each of its steps alone, once.
    public let isComputedPerStep: Bool

    /// Values of one step.
    public var count: Int { shape.reduce(1, *) }
  }

  /// T: how many steps an estimate looks at.
  public let steps: Int
  /// The inputs that have steps, in the model's order.
  public let inputs: [Input]
  private let session: Session
  private var branches: [StepBranch] = []
  /// By input: what the window takes of it.
  private var histories: [[StepHistory]]

  /// Prepares both parts and starts their threads.
  /// - Throws: `RuntimeError` `.unsupported` for a model whose inputs have no steps [N, T, …] of one fixed T, and as `Session` does.
  public init(_ model: Model, options: SessionOptions = SessionOptions()) throws(RuntimeError) {
    let split: StepSplit
    let window: Program
    do throws(FormatError) {
      split = try StepSplit(model)
      window = try Program(validating: split.window)
    } catch { throw RuntimeError(error) }
    session = try Session(window, options: options)
    steps = split.steps
    let steps = steps
    histories = []
    var inputs: [Input] = []
    for input in split.inputs {
      let branch = split.branches.first { $0.input == input.name }
      inputs.append(Input(name: input.name, shape: input.shape, isComputedPerStep: branch != nil))
      if let branch {
        let computed = try StepBranch(branch, options: options)
        branches.append(computed)
        histories.append(
          computed.ends.map { StepHistory($0.name, shape: [steps] + $0.shape, limit: steps) })
      } else {
        histories.append([StepHistory(input.name, shape: [1, steps] + input.shape, limit: steps)])
      }
    }
    self.inputs = inputs
  }

  /// How many steps of an input the window holds, T at most; 0 for a name that is none of the inputs'.
  public func count(of input: String) -> Int {
    inputs.firstIndex { $0.name == input }.map { histories[$0].first?.count ?? 0 } ?? 0
  }

  /// Takes the next step of an input and computes what belongs to it alone.
  /// - Throws: `RuntimeError` `.invalid` for another name or number of values.
  public func append(_ input: String, _ values: [Float]) throws(RuntimeError) {
    let index = try place(of: input)
    guard values.count == inputs[index].count else {
      throw RuntimeError(
        .invalid, at: "input \"\(input)\"",
        "expected \(inputs[index].count) values of a step \(shapeText(inputs[index].shape)), found \(values.count)")
    }
    guard let branch = branches.first(where: { $0.input == input }) else {
      histories[index][0].append(values)
      return
    }
    let results = try branch.results(of: values)
    for (end, result) in results.enumerated() { histories[index][end].append(result) }
  }

  /// Takes an input's last step once more, as where a picture is missing, without computing anything.
  /// - Throws: `RuntimeError` `.invalid` if there is none.
  public func repeatLast(_ input: String) throws(RuntimeError) {
    let index = try place(of: input)
    guard count(of: input) > 0 else {
      throw RuntimeError(.invalid, at: "input \"\(input)\"", "expected a step to repeat, found none; append one first")
    }
    for end in histories[index].indices { histories[index][end].repeatLast() }
  }

  /// Replaces all steps of an input by these, as where every step depends on the whole window; of more than T the last count.
  /// - Throws: `RuntimeError` `.invalid` for another name, or values that are no whole steps.
  public func replace(_ input: String, _ values: [Float]) throws(RuntimeError) {
    let index = try place(of: input)
    let size = inputs[index].count
    guard !values.isEmpty, values.count % size == 0 else {
      throw RuntimeError(
        .invalid, at: "input \"\(input)\"",
        "expected whole steps \(shapeText(inputs[index].shape)) of \(size) values, found \(values.count) values")
    }
    forget(input)
    for step in max(0, values.count / size - steps)..<(values.count / size) {
      try append(input, [Float](values[step * size..<(step + 1) * size]))
    }
  }

  /// Forgets all steps of an input: from now on it is absent, until the next step of it comes.
  public func forget(_ input: String) {
    guard let index = inputs.firstIndex(where: { $0.name == input }) else { return }
    for end in histories[index].indices { histories[index][end].removeAll() }
  }

  /// Computes the outputs of the steps there are; an input without any is absent.
  /// - Throws: `RuntimeError` `.invalid` if an input that the model needs has no step yet.
  public func run() throws(RuntimeError) {
    let present = histories.joined().filter { $0.count > 0 }
    guard !present.isEmpty else {
      throw RuntimeError(
        .invalid, at: "",
        "expected a step of \(joined(inputs.map { $0.name }, separator: " or ")) before an estimate, found none")
    }
    try session.bindIfNeeded(present.map { Session.InputShape($0.name, $0.shape) })
    for history in present {
      guard let indices = try? FrameSampling.indices(count: history.count, steps: steps) else { continue }
      _ = session.withInput(history.name) { history.fill($0, indices) }
    }
    try session.runToEnd()
  }

  /// An output as the last run left it, row-major; nil if there is no such output or it is of another type than float32.
  public func output(_ index: Int) -> [Float]? { session.withOutput(index) { [Float]($0) } }

  private func place(of input: String) throws(RuntimeError) -> Int {
    guard let index = inputs.firstIndex(where: { $0.name == input }) else {
      throw RuntimeError(
        .invalid, at: "input \"\(input)\"",
        "expected one of \(joined(inputs.map { $0.name }, separator: ", ")), found no such name")
    }
    return index
  }
}
