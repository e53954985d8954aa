import ERIFormat
import ERITestSupport
import Testing

@Suite struct PayloadTests {
  /// Tensors that share frames, fill one and fill several.
  private static func model() -> Model {
    var random = SeededRandom(seed: 5)
    var model = Model()
    for (index, count) in [3, 700_000, 5, 40, 1025, 300_000, 0, 2].enumerated() {
      model.tensors.append(
        Tensor("t\(index)", [count], floats: (0..<count).map { _ in Float(random.normal()) }))
    }
    model.tensors.append(Tensor("bytes", .u8, [9], values: .bytes([1, 2, 3, 4, 5, 6, 7, 8, 9])))
    model.labels = ["x"]
    return model
  }

  @Test func `The bytes of a file do not depend on the number of threads`() throws {
    let folder = try TemporaryFolder()
    for threads in [1, 2, 3, 7] {
      _ = try Self.model().write(to: folder.path("\(threads)"), level: 1, threads: threads)
    }
    let first = try folder.bytes("1")
    for threads in ["2", "3", "7"] { #expect(try folder.bytes(threads) == first) }
    let read = try Model(reading: folder.path("7"))
    #expect(try read.tensors.map { try $0.bytes() } == Self.model().tensors.map { try $0.bytes() })
  }

  @Test func `A number of threads that no pool has is refused`() throws {
    let folder = try TemporaryFolder()
    #expect(throws: FormatError(.invalid, at: folder.path("a"), "expected 1 to 1024 threads, found 0")) {
      try Self.model().write(to: folder.path("a"), threads: 0)
    }
  }

  @Test func `The unpacked form has every tensor at a multiple of 64 bytes and keeps both digests`() throws {
    let folder = try TemporaryFolder()
    let model = Self.model()
    let digests = try model.write(to: folder.path("u.eri"), storage: .unpacked)
    #expect(try model.digests() == digests)
    let bytes = try folder.bytes("u.eri")
    #expect(bytes[24] == 1)
    let read = try Model(reading: folder.path("u.eri"))
    #expect(try read.digests() == digests)
    let file = try #require(read.file)
    #expect(file.frames.count == model.tensors.count - 1)
    for frame in file.frames { #expect((Int(frame.offset) + frame.headerBytes) % 64 == 0) }
    for (tensor, expected) in zip(read.tensors, model.tensors) { #expect(try tensor.bytes() == expected.bytes()) }
    #expect(try Command.output(["zstd", "-dc", folder.path("u.eri")]) == [])
    _ = try read.write(to: folder.path("p.eri"), level: 3)
    _ = try model.write(to: folder.path("q.eri"), level: 3)
    #expect(try folder.bytes("p.eri") == folder.bytes("q.eri"))
  }

  @Test func `Every changed byte and every cut of the unpacked form is noticed`() throws {
    let folder = try TemporaryFolder()
    var model = Model()
    model.tensors = [Tensor("a", [3], floats: [1, 2, 3]), Tensor("b", .u8, [2], values: .bytes([1, 2]))]
    _ = try model.write(to: folder.path("u.eri"), storage: .unpacked)
    let bytes = try folder.bytes("u.eri")
    func isRefused(_ bytes: [UInt8]) throws -> Bool {
      do {
        for tensor in try Model(reading: folder.write("damaged", bytes)).tensors { _ = try tensor.bytes() }
        return false
      } catch is FormatError {
        return true
      }
    }
    #expect(try !isRefused(bytes))
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= UInt8(1 << (index % 8))
      #expect(try isRefused(damaged), "byte \(index)")
      #expect(try isRefused([UInt8](bytes[..<index])), "cut at \(index)")
    }
  }
}
