import ERIFormat
import ERIRuntime
import ERITestSupport
import Testing

@Suite struct PlanChoicesTests {
  private static let inputs = [Session.InputShape("x0", [3, 16, 9, 9])]

  /// One 3×3 convolution that the rule transforms.
  private func convolution() throws -> (bench: Bench, program: Program) {
    var bench = Bench()
    let x = bench.input([3, 16, 9, 9])
    let conv = Conv(strides: [1, 1], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1])
    let y = try bench.apply(.conv(conv), [x, bench.weight([16, 16, 3, 3]), nil])
    return (bench, try bench.program(outputs: [y]))
  }

  private func tuned(threads: Int, _ choices: PlanChoices) throws -> TunedPlans {
    let (_, program) = try convolution()
    let name = try Session(program).instructionSet
    var plans = TunedPlans(model: "m")
    plans[TunedPlans.Key(instructionSet: name, threads: threads, inputs: Self.inputs)] = choices
    return plans
  }

  private var direct: PlanChoices {
    var choices = PlanChoices()
    choices.direct = [0]
    return choices
  }

  @Test func `a convolution that was measured to be quicker directly is computed directly`() throws {
    let (bench, program) = try convolution()
    var options = SessionOptions()
    options.tuned = try tuned(threads: 1, direct)
    let session = try bench.session(program, options)
    #expect(session.usesTunedPlan)
    #expect(session.kernelNames.contains("conv direct"))
    var exact = SessionOptions()
    exact.exact = true
    #expect(try bench.run(program, options) == bench.run(program, exact))
  }

  @Test func `choices for another number of threads are not used`() throws {
    let (bench, program) = try convolution()
    var options = SessionOptions()
    options.tuned = try tuned(threads: 2, direct)
    let session = try bench.session(program, options)
    #expect(!session.usesTunedPlan)
    #expect(session.kernelNames.contains("conv winograd 6x6"))
  }

  @Test(arguments: [1, 3], [(1, 1), (2, 4096), (64, 1 << 22)])
  func `sizes of chunks change no bit`(threads: Int, sizes: (Int, Int)) throws {
    let network = try NarrowDualBranch(clips: 2)
    var options = SessionOptions()
    options.threads = threads
    let expected = try network.output(options)
    var choices = PlanChoices()
    (choices.outerItems, choices.cacheBytes) = sizes
    options.choices = choices
    #expect(try network.output(options) == expected)
  }

  @Test func `what is written is read back`() throws {
    var plans = TunedPlans(model: "abc")
    var choices = PlanChoices()
    for threads in 1...3 {
      choices.direct.append(threads * 7)
      choices.outerItems += threads
      plans[TunedPlans.Key(instructionSet: "avx2", threads: threads, inputs: Self.inputs)] = choices
    }
    #expect(try TunedPlans(parsing: Array(plans.text.utf8)) == plans)
  }

  @Test(
    arguments: [
      ("", FormatError(.invalid, at: "", "expected a last line that ends, found none")),
      ("eri-plan 2\n", FormatError(.unsupported, at: "line 1", "expected \"eri-plan 1\", found another")),
      ("eri-plan 1\n", FormatError(.invalid, at: "line 2", "expected a release and a model, found others")),
      (
        "eri-plan 1\nrelease 0.0.0\nmodel m\n",
        FormatError(.unsupported, at: "line 2", "expected release \(ERIVersion), found another")
      ),
      (
        "eri-plan 1\nrelease \(ERIVersion)\nmodel m\nplan avx2 1 k\n",
        FormatError(.invalid, at: "line 4", "expected three lines for each plan, found others")
      ),
      (
        "eri-plan 1\nrelease \(ERIVersion)\nmodel m\nplan avx2 0 k\nchunks 1 1\ndirect\n",
        FormatError(.invalid, at: "line 4", "expected a plan's instruction set, threads and inputs, found others")
      ),
      (
        "eri-plan 1\nrelease \(ERIVersion)\nmodel m\nplan avx2 1 k\nchunks 0 1\ndirect\n",
        FormatError(.invalid, at: "line 5", "expected the sizes of chunks, found others")
      ),
      (
        "eri-plan 1\nrelease \(ERIVersion)\nmodel m\nplan avx2 1 k\nchunks 1 99999999999999999999\ndirect\n",
        FormatError(.invalid, at: "line 5", "expected the sizes of chunks, found others")
      ),
      (
        "eri-plan 1\nrelease \(ERIVersion)\nmodel m\nplan avx2 1 k\nchunks 1 1\ndirect 4 4\n",
        FormatError(.invalid, at: "line 6", "expected nodes in ascending order, found others")
      ),
      (
        "eri-plan 1\nrelease \(ERIVersion)\nmodel m\nplan a 1 k\nchunks 1 1\ndirect\nplan a 1 k\nchunks 1 1\ndirect\n",
        FormatError(.invalid, at: "line 7", "expected each plan once, found it twice")
      ),
    ])
  func `a damaged or older file is refused by its line`(text: String, error: FormatError) {
    #expect(throws: error) { try TunedPlans(parsing: Array(text.utf8)) }
  }
}
