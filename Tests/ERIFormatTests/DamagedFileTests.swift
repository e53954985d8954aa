import ERIFormat
import ERITestSupport
import Testing

@Suite struct DamagedFileTests {
  /// A small file with tensors in shared frames and in frames of their own, a graph and metadata.
  private static func make(_ folder: TemporaryFolder) throws -> String {
    var builder = GraphBuilder(symbols: ["N"])
    let x = builder.input("x", ValueType(.f32, [Dimension(symbol: 0), Dimension(40)]))
    var random = SeededRandom(seed: 3)
    let weight = builder.tensor(Tensor("w", [40, 40], floats: (0..<1600).map { _ in Float(random.normal()) }))
    let bias = builder.tensor(Tensor("b", [40], floats: (0..<40).map { Float($0) }))
    builder.output(try builder.apply(.linear(Linear()), [x, weight, bias], name: "y"))
    var model = Model()
    model.graph = builder.graph
    model.tensors = builder.tensors
    model.labels = ["one"]
    model.licence = "none"
    let path = folder.path("whole.eri")
    _ = try model.write(to: path)
    return path
  }

  /// Opens a file and reads all it holds; nil if nothing was refused.
  private static func refusal(_ path: String) -> FormatError? {
    do throws(FormatError) {
      let model = try Model(reading: path)
      for tensor in model.tensors { _ = try tensor.bytes() }
      _ = try Program(validating: model)
      return nil
    } catch {
      return error
    }
  }

  @Test func `every single changed byte is noticed`() throws {
    let folder = try TemporaryFolder()
    let bytes = try TemporaryFolder.read(try DamagedFileTests.make(folder))
    var unnoticed: [Int] = []
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= UInt8(1 << (index % 8))
      let path = try folder.write("damaged.eri", damaged)
      if DamagedFileTests.refusal(path) == nil { unnoticed.append(index) }
    }
    #expect(unnoticed == [])
  }

  @Test func `a file cut anywhere is refused`() throws {
    let folder = try TemporaryFolder()
    let bytes = try TemporaryFolder.read(try DamagedFileTests.make(folder))
    var unnoticed: [Int] = []
    for count in bytes.indices {
      let path = try folder.write("cut.eri", [UInt8](bytes[..<count]))
      if DamagedFileTests.refusal(path) == nil { unnoticed.append(count) }
    }
    #expect(unnoticed == [])
  }

  @Test func `the whole file is accepted`() throws {
    let folder = try TemporaryFolder()
    #expect(DamagedFileTests.refusal(try DamagedFileTests.make(folder)) == nil)
  }

  @Test(arguments: [
    ("", "expected an .eri file of at least 256 bytes, found 0"),
    ("some text that is no model", "expected an .eri file of at least 256 bytes, found 26"),
    (String(repeating: "text ", count: 100), "prologue: expected the first bytes of an .eri file, found others"),
  ])
  func `a file that is no model is refused in one sentence`(text: String, message: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("text.eri", [UInt8](text.utf8))
    let error = try #require(DamagedFileTests.refusal(path))
    #expect(error.description.hasPrefix("\(path): "))
    #expect(error.description.hasSuffix(message))
  }

  @Test func `one changed weight changes both digests, another level changes none, another label the logical one`()
    throws
  {
    let folder = try TemporaryFolder()
    let path = try DamagedFileTests.make(folder)
    var model = try Model(reading: path)
    let before = try model.digests()
    #expect(try model.write(to: folder.path("level.eri"), level: 1) == before)
    #expect(try Model(reading: folder.path("level.eri")).digests() == before)
    model.labels = ["two"]
    #expect(try model.digests().weights == before.weights)
    #expect(try model.digests().logical != before.logical)
    var bytes = try model.tensors[0].bytes()
    bytes[0] ^= 1
    model.labels = ["one"]
    model.tensors[0].values = .bytes(bytes)
    #expect(try model.digests().weights != before.weights)
    #expect(try model.digests().logical != before.logical)
  }

  @Test func `stock zstd prints the payload, and protoc reads the directory`() throws {
    let folder = try TemporaryFolder()
    let path = try DamagedFileTests.make(folder)
    let model = try Model(reading: path)
    let printed = try Command.output(["zstd", "-dc", path])
    #expect(printed.count == (try model.tensors.reduce(0) { $0 + (try $1.bytes().count) }))
    let file = try TemporaryFolder.read(path)
    func word(_ offset: Int) -> Int { (0..<8).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) } }
    let directory = [UInt8](file[word(48)..<(word(48) + word(56))])
    let text = try Command.output(
      ["protoc", "--decode=eri.Directory", "--proto_path=\(Checkout.path("schemas"))", "eri.proto"], input: directory)
    #expect(String(decoding: text, as: UTF8.self).contains("labels: \"one\""))
  }

  @Test func `the committed C code is protoc-c's output of the schema`() throws {
    let folder = try TemporaryFolder()
    _ = try Command.output([
      "protoc-c", "--proto_path=\(Checkout.path("schemas"))", "--c_out=\(folder.url.path)", "eri.proto",
    ])
    #expect(try folder.bytes("eri.pb-c.c") == TemporaryFolder.read(Checkout.path("Sources/CERISchema/eri.pb-c.c")))
    #expect(
      try folder.bytes("eri.pb-c.h") == TemporaryFolder.read(Checkout.path("Sources/CERISchema/include/eri.pb-c.h")))
  }
}
