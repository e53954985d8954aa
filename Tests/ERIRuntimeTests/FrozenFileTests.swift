import CERIKernels
import ERIFormat
import ERIRuntime
import ERITestSupport
import Foundation
import Testing

@Suite struct FrozenFileTests {
  /// Lines of digests.txt: weights digest, logical digest, path below Tests/Golden.
  static let frozen: [[String]] = {
    let root = Checkout.path("Tests/Golden")
    let versions =
      (try? FileManager.default.contentsOfDirectory(atPath: root).filter { $0.hasPrefix("v") }.sorted()) ?? []
    return versions.flatMap { version -> [[String]] in
      let text = (try? String(contentsOfFile: "\(root)/\(version)/digests.txt", encoding: .utf8)) ?? ""
      return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }
  }()

  private func model(_ line: [String]) throws -> Model { try Model(reading: Checkout.path("Tests/Golden/\(line[2])")) }

  @Test func `there is a frozen file for every released format`() {
    #expect(FrozenFileTests.frozen.map { $0.count } == [3])
  }

  @Test(arguments: frozen) func `a frozen file keeps its digests`(line: [String]) throws {
    let digests = try model(line).digests()
    #expect([digests.weights.text, digests.logical.text] == [String](line[..<2]))
  }

  @Test(arguments: frozen) func `a frozen file gives its outputs on every instruction set`(line: [String]) throws {
    let model = try model(line)
    let program = try Program(validating: model)
    let golden = try #require(model.goldens.first)
    for variant in 0..<eri_kernels_variant_count() where eri_kernels_variant(variant) != nil {
      var options = SessionOptions()
      options.instructionSet = String(cString: eri_kernels_variant_name(variant))
      let session = try Session(program, options: options)
      let inputs = golden.drawnInputs(program)
      try session.bind(inputs.map { Session.InputShape($0.name, $0.shape) })
      for input in inputs {
        _ = session.withInput(input.name) { buffer in
          for (index, value) in input.values.enumerated() { buffer[index] = value }
        }
      }
      #expect(session.run() == .done)
      for (index, expected) in golden.outputs.enumerated() {
        let values = session.withOutput(index) { [Float]($0) } ?? []
        let wanted = expected.bytes.withUnsafeBytes { bytes in
          (0..<(bytes.count / 4)).map { Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
        }
        #expect(relativeDifference(values, wanted) <= golden.tolerance, "\(options.instructionSet ?? "")")
      }
    }
  }
}

extension Golden {
  /// The inputs the seed stands for, as FORMAT.md describes them.
  fileprivate func drawnInputs(_ program: Program) -> [(name: String, shape: [Int], values: [Float])] {
    program.inputs.compactMap { index in
      guard case .input(let input) = program.graph.values[index].source else { return nil }
      if case .filled = input.omission { return nil }
      let shape = input.type.shape.map { $0.evaluated(bindings.map { $0.size }) ?? 0 }
      let name = program.graph.values[index].name
      var random = SeededRandom(seed: seed, stream: name)
      return (name, shape, (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) })
    }
  }
}
