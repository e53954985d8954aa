import ERIFormat
import ERINetworks
import ERIRuntime
import ERISignal
import ERIStream
import ERITestSupport
import Testing

/// Drawn steps of a model's inputs.
private func drawn(_ name: String, steps: Int, size: Int) -> [[Float]] {
  var random = SeededRandom(seed: 3, stream: name)
  return (0..<steps).map { _ in (0..<size).map { _ in Float(random.normal()) } }
}

/// What a session over the whole graph makes of these windows.
private func wholeClip(
  _ model: Model, _ windows: [String: (shape: [Int], steps: [[Float]])], threads: Int = 1
) throws -> [Float] {
  var options = SessionOptions()
  options.threads = threads
  let session = try Session(Program(validating: model), options: options)
  try session.bind(
    windows.sorted { $0.key < $1.key }.map { Session.InputShape($0.key, [1, $0.value.steps.count] + $0.value.shape) })
  for (name, window) in windows {
    let values = window.steps.flatMap { $0 }
    _ = session.withInput(name) { _ = $0.update(fromContentsOf: values) }
  }
  try session.runToEnd()
  return try #require(session.withOutput(0) { [Float]($0) })
}

@Suite struct StreamTests {
  private let model: Model
  private let faces = drawn("faces", steps: 13, size: 3 * 32 * 32)
  private let rows = drawn("audio", steps: 13, size: 24)
  /// Of `narrowParameters`.
  private let steps = 8

  init() throws { model = try Network.dualBranch(narrowParameters()).initialised(seed: 7) }

  private func whole(_ indices: [Int], with names: Set<String> = ["faces", "audio"]) throws -> [Float] {
    var windows: [String: (shape: [Int], steps: [[Float]])] = [:]
    if names.contains("faces") { windows["faces"] = ([3, 32, 32], indices.map { faces[$0] }) }
    if names.contains("audio") { windows["audio"] = ([24], indices.map { rows[$0] }) }
    return try wholeClip(model, windows)
  }

  private func push(_ stream: Stream, _ range: Range<Int>) throws {
    for step in range {
      try stream.append("faces", faces[step])
      try stream.append("audio", rows[step])
    }
  }

  @Test func `every estimate over a full window is the whole clip's, bit for bit`() throws {
    let stream = try Stream(model)
    try push(stream, 0..<steps)
    for last in steps...13 {
      try stream.run()
      #expect(try stream.output(0) == whole(Array(last - steps..<last)), "up to step \(last)")
      if last < 13 { try push(stream, last..<last + 1) }
    }
  }

  @Test(arguments: [1, 2, 3, 5, 7])
  func `before the window is full its steps repeat as a short clip's do`(count: Int) throws {
    let stream = try Stream(model)
    try push(stream, 0..<count)
    try stream.run()
    #expect(try stream.output(0) == whole(FrameSampling.indices(count: count, steps: steps)))
  }

  @Test(arguments: ["faces", "audio"]) func `one modality alone is the whole clip's of it alone`(name: String) throws {
    let stream = try Stream(model)
    for step in 0..<steps { try stream.append(name, name == "faces" ? faces[step] : rows[step]) }
    try stream.run()
    #expect(try stream.output(0) == whole(Array(0..<steps), with: [name]))
  }

  @Test func `a modality that is forgotten is absent, and comes again with its next step`() throws {
    let stream = try Stream(model)
    try push(stream, 0..<steps)
    try stream.run()
    let both = try #require(stream.output(0))
    stream.forget("faces")
    try stream.run()
    #expect(try stream.output(0) == whole(Array(0..<steps), with: ["audio"]))
    for step in 0..<steps { try stream.append("faces", faces[step]) }
    try stream.run()
    #expect(stream.output(0) == both)
  }

  @Test func `replaced steps are those of the whole clip`() throws {
    let stream = try Stream(model)
    try push(stream, 3..<3 + steps)
    try stream.replace("audio", rows[0..<steps].flatMap { $0 })
    try stream.replace("faces", faces[0..<steps].flatMap { $0 })
    try stream.run()
    #expect(try stream.output(0) == whole(Array(0..<steps)))
  }

  @Test func `of more steps than the window holds the last ones replace it`() throws {
    let stream = try Stream(model)
    try stream.replace("audio", rows.flatMap { $0 })
    #expect(stream.count(of: "audio") == steps)
    try stream.run()
    #expect(try stream.output(0) == whole(Array(5..<13), with: ["audio"]))
  }

  @Test func `a repeated step is the same face once more`() throws {
    let stream = try Stream(model)
    for step in [0, 1] { try stream.append("faces", faces[step]) }
    try stream.repeatLast("faces")
    for step in 2..<7 { try stream.append("faces", faces[step]) }
    try stream.run()
    #expect(try stream.output(0) == whole([0, 1, 1, 2, 3, 4, 5, 6], with: ["faces"]))
  }

  @Test func `the number of threads changes no bit`() throws {
    var options = SessionOptions()
    options.threads = 3
    let stream = try Stream(model, options: options)
    try push(stream, 0..<steps)
    try stream.run()
    #expect(try stream.output(0) == whole(Array(0..<steps)))
  }

  @Test func `a network with every choice away from its default streams too`() throws {
    let model = try Network.dualBranch(unusualParameters()).initialised(seed: 9)
    let stream = try Stream(model)
    try push(stream, 2..<2 + steps)
    try stream.run()
    let expected = try wholeClip(
      model, ["faces": ([3, 32, 32], Array(faces[2..<2 + steps])), "audio": ([24], Array(rows[2..<2 + steps]))])
    #expect(stream.output(0) == expected)
  }

  @Test func `branches alone stream too`() throws {
    let video = try Network.videoBranch(narrowVideoParameters()).initialised(seed: 1)
    let audio = try Network.audioBranch(narrowAudioParameters()).initialised(seed: 2)
    for (model, name, shape, values) in [(video, "faces", [3, 32, 32], faces), (audio, "audio", [24], rows)] {
      let stream = try Stream(model)
      for step in 0..<steps + 1 { try stream.append(name, values[step]) }
      try stream.run()
      #expect(try stream.output(0) == wholeClip(model, [name: (shape, Array(values[1...steps]))]))
    }
  }

  @Test func `the published network's faces are computed once and its rows over time`() throws {
    let stream = try Stream(Network.dualBranch(DualBranchParameters()).initialised(seed: 0))
    #expect(stream.steps == 32)
    #expect(stream.inputs.map { $0.name } == ["faces", "audio"])
    #expect(stream.inputs.map { $0.shape } == [[3, 112, 112], [1024]])
    #expect(stream.inputs.map { $0.isComputedPerStep } == [true, false])
  }

  @Test func `the published network's estimate is the whole clip's, bit for bit`() throws {
    let model = try Network.dualBranch(DualBranchParameters()).initialised(seed: 0)
    let faces = drawn("faces", steps: 32, size: 3 * 112 * 112)
    let rows = drawn("audio", steps: 32, size: 1024)
    let stream = try Stream(model)
    for step in 0..<32 {
      try stream.append("faces", faces[step])
      try stream.append("audio", rows[step])
    }
    try stream.run()
    #expect(try stream.output(0) == wholeClip(model, ["faces": ([3, 112, 112], faces), "audio": ([1024], rows)]))
  }
}

@Suite struct StreamFaultTests {
  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch { return "\(error)" }
  }

  private func stream() throws -> Stream { try Stream(Network.dualBranch(narrowParameters()).initialised(seed: 7)) }

  @Test func `an estimate before the first step is refused`() throws {
    let stream = try stream()
    #expect(
      message { try stream.run() } == "expected a step of faces or audio before an estimate, found none")
  }

  @Test func `a step of another size is refused`() throws {
    let stream = try stream()
    #expect(
      message { try stream.append("audio", [1, 2]) }
        == "input \"audio\": expected 24 values of a step [24], found 2")
    #expect(
      message { try stream.replace("audio", [1, 2]) }
        == "input \"audio\": expected whole steps [24] of 24 values, found 2 values")
  }

  @Test func `an input that the model lacks is refused`() throws {
    let stream = try stream()
    #expect(
      message { try stream.append("present", [1, 1]) }
        == "input \"present\": expected one of faces, audio, found no such name")
  }

  @Test func `there is no step to repeat before the first`() throws {
    let stream = try stream()
    #expect(
      message { try stream.repeatLast("faces") }
        == "input \"faces\": expected a step to repeat, found none; append one first")
  }

  @Test func `a model without steps is refused`() throws {
    let model = try Network.resNet18Stem(narrowStemParameters()).initialised(seed: 1)
    #expect(
      message { _ = try Stream(model) }
        == "graph: expected an input of steps [N, T, …] with a fixed T, found none; only such a model can be streamed")
  }
}
