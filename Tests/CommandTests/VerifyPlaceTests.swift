import ERIConvert
import ERIFormat
import ERITestSupport
import Foundation
import Testing

/// `verify --drop-in`, `verify --self`, `verify --html` and `compat`.
@Suite struct VerifyPlaceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ name: String, _ change: (inout Model) throws -> Void = { _ in }) throws {
    var model = try SmallModel.model()
    try change(&model)
    try model.write(to: folder.path(name))
  }

  private func dropIn(_ change: (inout Model) throws -> Void) throws -> Tool.Outcome {
    try write("a.eri")
    try write("b.eri", change)
    return try Tool.eri.run("verify a.eri b.eri --drop-in", in: folder)
  }

  // MARK: --drop-in

  @Test func `a model takes its own place`() throws {
    #expect(
      try dropIn { _ in }
        == Tool.Outcome(
          """
            inputs: yes, B takes every input as A takes it
            outputs: yes, B gives every output that A gives
            labels: yes, the labels are the same in the same order
            preprocessing: yes, the preprocessing is the same
            operators: yes, B needs no operator that A does not need
            format: yes, B needs no newer format and no other feature than A
          drop-in: what runs A can run B in its place

          """))
  }

  @Test func `labels in another order do not fit`() throws {
    let outcome = try dropIn { $0.labels = ["right", "left"] }
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("  labels: no, the labels are the same in another order: right, left\n"))
    #expect(outcome.output.hasSuffix("drop-in: what runs A cannot run B in its place: labels\n"))
  }

  @Test func `another input, omission or operator does not fit`() throws {
    let outcome = try dropIn { model in
      model.graph?.symbols = ["M"]
      model.graph?.values[1] = Value(
        "scale", .input(Input(ValueType(.f32, [Dimension(symbol: 0), Dimension(2)]))))
      model.graph?.nodes[1].op = .unary(Unary(.tanh))
      model.graph?.nodes[2].op = .concat(Concat(axis: 1))
    }
    #expect(outcome.status == 1)
    let lines = outcome.output.split(separator: "\n").map { String($0) }
    #expect(
      lines.prefix(2) == [
        "  inputs: no, input \"scale\" is 1.0 if left out in A, required in B",
        "  outputs: no, output \"y/scaled\" is float32 [N, 2] in A, float32 [M, 4] in B",
      ])
    #expect(
      lines.contains("  operators: no, B needs concat version 1, which format 1.0 brought and A does not need"))
  }

  @Test func `an unpacked file asks for a feature that the packed one does not`() throws {
    try write("a.eri")
    _ = try Tool.eri.run("unpack a.eri b.eri", in: folder)
    let outcome = try Tool.eri.run("verify a.eri b.eri --drop-in --json", in: folder)
    #expect(outcome.status == 1)
    let answers = try #require(try object(outcome.output)["answers"] as? [[String: Any]])
    #expect(
      answers.filter { $0["fits"] as? Bool == false }.compactMap { $0["sentence"] as? String } == [
        "B needs the feature \"unpacked payload\", which A does not need"
      ])
  }

  @Test func `a file that is no model cannot take a place`() throws {
    try write("a.eri")
    try SafetensorsWriter.write([Tensor("w", [1], floats: [1])], to: folder.path("w.safetensors"))
    #expect(
      try Tool.eri.run("verify a.eri w.safetensors --drop-in", in: folder)
        == Tool.Outcome(
          errors:
            "eri: w.safetensors: expected an .eri file to run in another's place, found safetensors; bring it in with "
            + "`eri convert`\n", status: 3))
  }

  // MARK: --self

  @Test func `a frozen file is what it says of itself`() throws {
    let file = Checkout.path("Tests/Golden/v1/narrow-dual-branch.eri")
    let outcome = try Tool.eri.run(["verify", "--self", file], in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains(": 232 tensors, each with the SHA-256 that the file records\n"))
    #expect(outcome.output.contains("\nthe graph of 197 operators is valid\n"))
    #expect(outcome.output.hasSuffix(": same\nthe same as it says of itself\n"))
  }

  @Test func `a golden that differs ends with 1`() throws {
    try write("m.eri") { model in
      var golden = Golden()
      golden.name = "wrong"
      golden.inputs = [Golden.Values("x", .f32, [1, 3], [UInt8](repeating: 0, count: 12))]
      golden.outputs = [Golden.Values("y/scaled", .f32, [1, 2], [0, 0, 0x80, 0x3F, 0, 0, 0, 0])]
      model.goldens = [golden]
    }
    let outcome = try Tool.eri.run("verify --self m.eri --json", in: folder)
    #expect(outcome.status == 1)
    let report = try object(outcome.output)
    #expect(report["verdict"] as? String == "different")
    #expect((report["goldens"] as? [[String: Any]])?.first?["same"] as? Bool == false)
  }

  @Test func `a damaged tensor ends with 2 and is named`() throws {
    try write("m.eri")
    _ = try Tool.eri.run("unpack m.eri u.eri", in: folder)
    var bytes = try folder.bytes("u.eri")
    let weight: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40]
    let start = try #require((0..<bytes.count - 12).first { Array(bytes[$0..<$0 + 12]) == weight })
    bytes[start] = 1
    _ = try folder.write("u.eri", bytes)
    let outcome = try Tool.eri.run("verify --self u.eri", in: folder)
    #expect(outcome.status == 2)
    #expect(outcome.errors.hasPrefix("eri: u.eri: tensor \"layer/weight\": frame 0: expected CRC32C "))
  }

  @Test func `a file without goldens says that nothing was run`() throws {
    try write("m.eri")
    let outcome = try Tool.eri.run("verify --self m.eri", in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("\nno goldens in the file, so nothing was run\n"))
  }

  // MARK: --html

  @Test func `the page stands alone and escapes every name`() throws {
    let name = "<script>alert('&')</script>\u{1B}[31m"
    try SafetensorsWriter.write([Tensor(name, [1], floats: [1])], to: folder.path("a.safetensors"))
    try SafetensorsWriter.write([Tensor(name, [1], floats: [2])], to: folder.path("b.safetensors"))
    let outcome = try Tool.eri.run("verify a.safetensors b.safetensors --html report.html", in: folder)
    #expect(outcome.status == 1)
    let page = String(decoding: try folder.bytes("report.html"), as: UTF8.self)
    #expect(page.hasPrefix("<!doctype html>"))
    #expect(!page.contains("<script"))
    #expect(page.contains("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;\\x1b[31m"))
    #expect(!page.contains("\u{1B}"))
    #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("url("))
    #expect(page.contains("<svg "))
    #expect(page.contains("prefers-color-scheme:dark"))
  }

  // MARK: compat

  @Test func `a release that has all a file needs runs it`() throws {
    try write("m.eri")
    #expect(
      try Tool.eri.run("compat m.eri", in: folder)
        == Tool.Outcome(
          """
          m.eri: format 1.0
          needs: type float32, operator linear version 1, operator unary version 1, operator binary version 1
          release 0.1.0, format 1.0: runs it

          """))
  }

  @Test func `compat's JSON has the documented members`() throws {
    try write("m.eri")
    _ = try Tool.eri.run("unpack m.eri u.eri", in: folder)
    let report = try object(Tool.eri.run("compat u.eri --json", in: folder).output)
    #expect(report["format"] as? String == "1.0")
    #expect(report["graph"] as? Bool == true)
    let needs = try #require(report["needs"] as? [[String: Any]])
    #expect(needs.first?["kind"] as? String == "feature")
    #expect(needs.first?["name"] as? String == "unpacked payload")
    let releases = try #require(report["releases"] as? [[String: Any]])
    #expect(releases.map { $0["runs"] as? Bool } == [true])
    #expect(releases.map { $0["missing"] as? [String] } == [[]])
  }

  @Test func `another container is no model file`() throws {
    try SafetensorsWriter.write([Tensor("w", [1], floats: [1])], to: folder.path("w.safetensors"))
    #expect(
      try Tool.eri.run("compat w.safetensors", in: folder)
        == Tool.Outcome(
          errors:
            "eri: w.safetensors: expected an .eri model file, found safetensors, which no release of the runtime runs; "
            + "bring it in with `eri convert`\n", status: 3))
  }

  // MARK: names on a terminal

  @Test func `control characters of names do not reach the terminal`() throws {
    try SafetensorsWriter.write(
      [Tensor("a\u{1B}[2J\u{9B}\u{7F}b", [1], floats: [1])], to: folder.path("w.safetensors"))
    let text = try Tool.eri.run("inspect w.safetensors", in: folder).output
    #expect(text.contains("a\\x1b[2J\\x9b\\x7fb"))
    let json = try Tool.eri.run("inspect w.safetensors --json", in: folder).output
    #expect(
      json.unicodeScalars.allSatisfy {
        $0 == "\n" || !(0x00...0x1F).contains($0.value) && !(0x7F...0x9F).contains($0.value)
      })
    let tensors = try #require(try object(json)["tensors"] as? [[String: Any]])
    #expect(tensors.first?["name"] as? String == "a\u{1B}[2J\u{9B}\u{7F}b")
    try SafetensorsWriter.write([Tensor("c", [1], floats: [1])], to: folder.path("x.safetensors"))
    #expect(
      try Tool.eri.run("verify w.safetensors x.safetensors", in: folder).output.contains(
        "a\\x1b[2J\\x9b\\x7fb is c under another name, values bit-equal\n"))
  }
}
