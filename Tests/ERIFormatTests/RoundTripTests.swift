import ERITestSupport
import Testing

@testable import ERIFormat

@Suite struct RoundTrip {
  @Test("A tensor of one frame comes back")
  func oneFrame() throws {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    var model = Model()
    let floats = (0..<5000).map { Float($0) * 0.25 - 3 }
    model.tensors = [Tensor("a", [50, 100], floats: floats), Tensor("b", [3], floats: [1, 2, 3])]
    let digests = try model.write(to: folder.path("m.eri"))
    let read = try Model(reading: folder.path("m.eri"))
    #expect(try read.tensors[0].bytes() == model.tensors[0].bytes())
    #expect(try read.tensors[1].bytes() == model.tensors[1].bytes())
    #expect(try read.digests() == digests)
    #expect(try model.digests() == digests)
    let out = try Command.output(["zstd", "-dc", folder.path("m.eri")])
    #expect(out.count == 20012)
  }
}
