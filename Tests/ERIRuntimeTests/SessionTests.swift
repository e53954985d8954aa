import CAllocationCounter
import ERIFormat
import ERINetworks
import ERIReference
import ERIRuntime
import ERITestSupport
import Testing

/// The narrow dual-branch network of the tests with its inputs.
struct NarrowDualBranch {
  let program: Program
  let inputs: [(name: String, shape: [Int], values: [Float])]

  init(clips: Int, with names: Set<String> = ["faces", "audio"]) throws {
    let model = try Network.dualBranch(narrowParameters()).initialised(seed: 7)
    program = try Program(validating: model)
    let shapes = ["faces": [clips, 8, 3, 32, 32], "audio": [clips, 8, 24], "present": [clips, 2]]
    inputs = ["faces", "audio", "present"].filter { names.contains($0) }.map { name in
      var random = SeededRandom(seed: 11, stream: name)
      let shape = shapes[name] ?? []
      return (name, shape, (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) })
    }
  }

  func session(_ options: SessionOptions = SessionOptions(), present: [Float]? = nil) throws -> Session {
    let session = try Session(program, options: options)
    try session.bind(inputs.map { Session.InputShape($0.name, $0.shape) })
    for input in inputs {
      let values = input.name == "present" ? present ?? input.values : input.values
      _ = session.withInput(input.name) { buffer in
        for (index, value) in values.enumerated() { buffer[index] = value }
      }
    }
    #expect(session.run() == .done)
    return session
  }

  func output(_ options: SessionOptions = SessionOptions(), present: [Float]? = nil) throws -> [Float] {
    try session(options, present: present).withOutput(0) { [Float]($0) } ?? []
  }
}

@Suite struct SessionTests {
  private func options(threads: Int) -> SessionOptions {
    var options = SessionOptions()
    options.threads = threads
    return options
  }

  @Test(arguments: [1, 3]) func `the whole network agrees with the reference at every stage`(clips: Int) throws {
    let network = try NarrowDualBranch(clips: clips)
    var given: [String: ReferenceTensor] = [:]
    for input in network.inputs {
      given[input.name] = ReferenceTensor(shape: input.shape, values: input.values.map { Double($0) })
    }
    let expected = try ReferenceExecutor(network.program).run(inputs: given)
    var options = SessionOptions()
    options.keepsValues = true
    let session = try network.session(options)
    var compared = 0
    for (name, reference) in expected {
      guard let values = session.value(named: name) else { continue }
      #expect(relativeDifference(values, reference.values) <= Tolerance.winograd.bound, "\(name)")
      compared += 1
    }
    #expect(compared > 100)
    let fused = try network.output()
    #expect(relativeDifference(fused, try #require(expected["intensities"]).values) <= Tolerance.winograd.bound)
  }

  @Test(arguments: [2, 3, 5]) func `the outputs are the same bits with more threads`(threads: Int) throws {
    let network = try NarrowDualBranch(clips: 3)
    #expect(try network.output() == network.output(options(threads: threads)))
  }

  @Test func `a clip's outputs are the same bits alone and among others`() throws {
    let three = try NarrowDualBranch(clips: 3)
    let one = try NarrowDualBranch(clips: 1)
    #expect(try one.output() == [Float](three.output()[..<7]))
  }

  @Test(arguments: ["faces", "audio"]) func `a modality left out counts as one marked absent`(name: String) throws {
    let all = try NarrowDualBranch(clips: 2, with: ["faces", "audio", "present"])
    let alone = try NarrowDualBranch(clips: 2, with: [name])
    let marks: [Float] = name == "audio" ? [1, 0, 1, 0] : [0, 1, 0, 1]
    #expect(try all.output(present: marks) == alone.output())
  }

  @Test func `the branch of a modality left out is not computed`() throws {
    let alone = try NarrowDualBranch(clips: 1, with: ["audio"])
    let names = try alone.session().kernelNames
    #expect(!names.contains { $0.hasPrefix("conv planar") || $0.hasPrefix("conv phases") || $0 == "max_pool" })
  }

  @Test func `a run allocates nothing`() throws {
    let session = try NarrowDualBranch(clips: 2).session()
    let before = allocation_count()
    let status = session.run()
    #expect(allocation_count() == before)
    #expect(status == .done)
  }

  @Test func `the allocation counter counts`() {
    let before = allocation_count()
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 16)
    #expect(allocation_count() > before)
    memory.deallocate()
  }

  @Test func `a session bound again to other shapes gives what a new one gives`() throws {
    let one = try NarrowDualBranch(clips: 1)
    let session = try NarrowDualBranch(clips: 3).session()
    try session.bind(one.inputs.map { Session.InputShape($0.name, $0.shape) })
    for input in one.inputs {
      _ = session.withInput(input.name) { buffer in
        for (index, value) in input.values.enumerated() { buffer[index] = value }
      }
    }
    #expect(session.run() == .done)
    #expect(session.withOutput(0) { [Float]($0) } == (try one.output()))
  }

  @Test func `the arena is smaller than the values it holds in turn`() throws {
    let network = try NarrowDualBranch(clips: 3)
    var kept = SessionOptions()
    kept.keepsValues = true
    #expect(try network.session().arenaByteCount < network.session(kept).arenaByteCount / 2)
  }

  @Test func `a run before binding says so`() throws {
    #expect(try Session(NarrowDualBranch(clips: 1).program).run() == .notBound)
  }

  static let refusals: [(shapes: [Session.InputShape], message: String)] = [
    ([.init("face", [1])], "input \"face\": expected one of the inputs faces, audio, present, found no such name"),
    (
      [.init("faces", [1, 8, 3, 32, 31])],
      "input \"faces\": expected float32 [N, 8, 3, 32, 32], found [1, 8, 3, 32, 31]"
    ),
    ([.init("faces", [8, 3, 32, 32])], "input \"faces\": expected float32 [N, 8, 3, 32, 32], found [8, 3, 32, 32]"),
    (
      [.init("faces", [2, 8, 3, 32, 32]), .init("audio", [1, 8, 24])],
      "input \"audio\": expected N = 2 as in the inputs before it, found 1 in [1, 8, 24]"
    ),
    (
      [.init("audio", [1, 8, 24]), .init("audio", [1, 8, 24])],
      "input \"audio\": expected it once, found it a second time"
    ),
    ([.init("audio", [0, 8, 24])], "input \"audio\": expected extents of at least 1, found [0, 8, 24]"),
    ([], "inputs: expected at least one of faces, audio, found none; give one"),
    ([.init("present", [1, 2])], "inputs: expected at least one of faces, audio, found none; give one"),
  ]

  @Test(arguments: refusals.indices) func `inputs that do not fit are refused by name`(index: Int) throws {
    let refusal = SessionTests.refusals[index]
    let session = try Session(NarrowDualBranch(clips: 1).program)
    let error = #expect(throws: RuntimeError.self) { try session.bind(refusal.shapes) }
    #expect(error?.description == refusal.message)
  }

  @Test func `a unimodal network requires its input`() throws {
    var parameters = AudioBranchParameters()
    parameters.temporal = narrowParameters().temporal
    let session = try Session(Program(validating: Network.audioBranch(parameters).initialised(seed: 1)))
    let error = #expect(throws: RuntimeError.self) { try session.bind([]) }
    #expect(error?.description == "input \"audio\": expected float32 [N, 32, 1024], found nothing; give it")
  }

  @Test func `an instruction set this processor lacks is refused with those it has`() throws {
    var options = SessionOptions()
    options.instructionSet = "altivec"
    let error = #expect(throws: RuntimeError.self) { try Session(NarrowDualBranch(clips: 1).program, options: options) }
    #expect(error?.description.hasPrefix("instruction set: expected one of scalar") == true)
    #expect(error?.description.hasSuffix("found \"altivec\"; set ERI_ISA to one of them or leave it out") == true)
  }

  @Test(arguments: [0, 1025]) func `a thread count out of range is refused`(threads: Int) throws {
    let error = #expect(throws: RuntimeError.self) {
      try Session(NarrowDualBranch(clips: 1).program, options: options(threads: threads))
    }
    #expect(error?.description == "threads: expected 1 to 1024, found \(threads)")
  }
}
