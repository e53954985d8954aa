import ERIFormat
import ERINetworks
import ERITestSupport
import Testing

@testable import ERIConvert

@Suite struct FittingFailureTests {
  let foreign: ForeignNames

  init() throws { foreign = try ForeignNames() }

  private static let advice = "; --propose-map FILE writes a map to look through and to give with --map"

  /// Fits a file that no map explains; returns the sentence without its advice, having required that the proposed map explains
  /// the file, if it can.
  private func refusal(
    _ path: String, _ network: Network, explained expected: Model? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    var options = FittingOptions()
    options.proposalPath = foreign.folder.path("proposed.map")
    let error = #expect(throws: FormatError.self, sourceLocation: sourceLocation) {
      try Conversion(reading: path, fittedTo: FittingTarget(network), options: options)
    }
    let message = try #require(error?.message, sourceLocation: sourceLocation)
    #expect(error?.place == path && error?.kind == .invalid, sourceLocation: sourceLocation)
    #expect(message.hasSuffix(Self.advice), sourceLocation: sourceLocation)
    var again = FittingOptions()
    again.map = try NameMap(reading: foreign.folder.path("proposed.map"))
    if let expected {
      let conversion = try Conversion(reading: path, fittedTo: FittingTarget(network), options: again)
      #expect(try ForeignNames.differences(conversion.model, expected) == [], sourceLocation: sourceLocation)
    } else {
      #expect(throws: FormatError.self, sourceLocation: sourceLocation) {
        try Conversion(reading: path, fittedTo: FittingTarget(network), options: again)
      }
    }
    return String(message.dropLast(Self.advice.count))
  }

  @Test func `a prefix that nobody knows is proposed`() throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    let path = try foreign.write(model, { "teacher.net.\($0)" })
    #expect(
      try refusal(path, ForeignNames.stem, explained: model)
        == "expected the 75 weights of resnet18-stem, found by the closest map, native, all of them under another name; "
        + "likely every name begins with \"teacher.net.\"")
  }

  @Test func `norms named gamma and beta are proposed`() throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    let path = try foreign.write(
      model, { ForeignNames.dan($0).replacing(".1.weight", with: ".1.gamma").replacing("bn2.bias", with: "bn2.beta") })
    #expect(
      try refusal(path, ForeignNames.stem, explained: model).hasSuffix(
        "; likely 9 tensors of norms named gamma, beta, moving_mean or moving_variance"))
  }

  @Test func `a transposed matrix is proposed`() throws {
    let network = Network.mtcnn(.refinement)
    let model = try ForeignNames.distinct(network)
    var tensors = model.tensors
    let index = try #require(tensors.firstIndex { $0.name == "dense4.weight" })
    tensors[index] = Tensor(
      "dense4.weight", .f32, [576, 128], values: .source(PermutedSource(model.tensors[index], axes: [1, 0])))
    #expect(
      try refusal(foreign.write(tensors), network, explained: model)
        == "expected the 16 weights of mtcnn-r, found by the closest map, native, 1 of another shape "
        + "(\"dense4.weight\" [576, 128] for [128, 576]); likely \"dense4.weight\" [576, 128] is transposed")
  }

  @Test func `kernels that lie height first are proposed`() throws {
    let network = Network.mtcnn(.proposal)
    let model = try ForeignNames.distinct(network)
    let tensors = model.tensors.map { tensor in
      guard tensor.shape.count == 4 else { return tensor }
      let axes = [2, 3, 1, 0]
      return Tensor(
        tensor.name, .f32, axes.map { tensor.shape[$0] }, values: .source(PermutedSource(tensor, axes: axes)))
    }
    #expect(
      try refusal(foreign.write(tensors), network, explained: model).hasSuffix(
        "; likely \"conv1.weight\" [3, 3, 3, 10] is transposed, as 4 others would be"))
  }

  @Test func `a renamed block is proposed, and what lies in it under other names`() throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    let counter = Tensor("stage2.0.bn1.num_batches_tracked", .i64, [], values: .bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    let path = try foreign.write(
      model,
      { $0.replacing("layer2.", with: "stage2.").replacing("stage2.0.downsample.0.weight", with: "stage2.0.skip") },
      beside: [counter])
    let sentence = try refusal(path, ForeignNames.stem, explained: model)
    #expect(
      sentence.hasPrefix(
        "expected the 75 weights of resnet18-stem, found by the closest map, native, 25 missing "
          + "(\"layer2.0.conv1.weight\", \"layer2.0.bn1.weight\", \"layer2.0.bn1.bias\", \"layer2.0.bn1.running_mean\", "
          + "\"layer2.0.bn1.running_var\" and 20 more), 25 unexpected ("))
    #expect(
      sentence.hasSuffix(
        "; likely \"stage2.\" is named \"layer2.\" in the network (24 tensors), and \"stage2.0.skip\" is the only tensor "
          + "left of [16, 8, 1, 1], as \"layer2.0.downsample.0.weight\" is"))
  }

  @Test func `counters under a map without them are proposed to be dropped, and so is what nothing is like`() throws {
    let model = try ForeignNames.distinct(ForeignNames.stem)
    let extras = [
      Tensor("bn1.num_batches_tracked", .i64, [], values: .bytes([1, 0, 0, 0, 0, 0, 0, 0])),
      Tensor("ema decay", [], floats: [1]), Tensor("head_2", [3], floats: [1, 2, 3]),
    ]
    let path = try foreign.write(model, ForeignNames.mindcv, beside: Array(extras[..<1]))
    #expect(
      try refusal(path, ForeignNames.stem, explained: model)
        == "expected the 75 weights of resnet18-stem, found by the closest map, mindspore, 1 unexpected "
        + "(\"bn1.num_batches_tracked\"); likely 1 counter of batches, which the network does without")
    let other = try foreign.write(model, { $0 }, beside: [extras[2]])
    #expect(
      try refusal(other, ForeignNames.stem, explained: model)
        == "expected the 75 weights of resnet18-stem, found by the closest map, native, 1 unexpected (\"head_2\")")
    // No map can say a name with a space.
    let unsayable = try foreign.write(model, { $0 }, beside: [extras[1]])
    #expect(
      try refusal(unsayable, ForeignNames.stem)
        == "expected the 75 weights of resnet18-stem, found by the closest map, native, 1 unexpected (\"ema decay\")")
    #expect(
      String(decoding: try foreign.folder.bytes("proposed.map"), as: UTF8.self).contains(
        "# no rule can be written for the name ema decay\n"))
  }

  @Test func `another width is proposed`() throws {
    let path = try foreign.write(ForeignNames.distinct(ForeignNames.stem), { $0 })
    var wide = narrowStemParameters()
    wide.baseWidth = 16
    #expect(
      try refusal(path, .resNet18Stem(wide)).hasSuffix(
        "and 70 more); likely another width, --set spatial.base_width=8"))
    let mtcnn = try foreign.write([Tensor("conv1.bias", [3], floats: [1, 2, 3])])
    #expect(try refusal(mtcnn, .mtcnn(.proposal)).hasSuffix("; likely other widths, which --set gives"))
  }

  @Test func `an attention without biases is proposed`() throws {
    var parameters = narrowVideoParameters()
    parameters.spatial.attentionBias = false
    let path = try foreign.write(ForeignNames.distinct(.videoBranch(parameters)), { $0 })
    parameters.spatial.attentionBias = true
    #expect(
      try refusal(path, .videoBranch(parameters)).hasSuffix(
        "; likely an attention without biases, --set spatial.attention_bias=false"))
  }

  @Test func `one tensor for two places, or two for one, is refused`() throws {
    let network = Network.mtcnn(.proposal)
    let model = try ForeignNames.distinct(network)
    var extra = model.tensors[1]
    extra.name = "again.bias"
    let path = try foreign.write(model.tensors + [extra])
    var options = FittingOptions()
    options.map = try NameMap(Array("map m\nrename again.bias -> conv1.bias\nkeep {n**}".utf8), at: "m")
    let error = #expect(throws: FormatError.self) {
      try Conversion(reading: path, fittedTo: FittingTarget(network), options: options)
    }
    #expect(
      error?.message.hasPrefix(
        "expected the 13 weights of mtcnn-p, found by the closest map, m, 1 given twice (\"conv1.bias\")") == true)
  }

  @Test func `nothing is written where a proposal cannot be`() throws {
    let path = try foreign.write([Tensor("x", [1], floats: [1])])
    var options = FittingOptions()
    options.proposalPath = foreign.folder.path("no/folder.map")
    #expect(
      throws: FormatError(
        .inputOutput, at: foreign.folder.path("no/folder.map"),
        "expected a file that can be written, found \"No such file or directory\"")
    ) { try Conversion(reading: path, fittedTo: FittingTarget(.mtcnn(.proposal)), options: options) }
  }
}

@Suite struct UserMapTests {
  let foreign: ForeignNames

  init() throws { foreign = try ForeignNames() }

  private func fit(_ tensors: [Tensor], _ map: String) throws -> Model {
    var options = FittingOptions()
    options.map = try NameMap(Array(map.utf8), at: "user")
    return try Conversion(
      reading: foreign.write(tensors), fittedTo: FittingTarget(.mtcnn(.refinement)), options: options
    ).model
  }

  @Test func `matrices are split, merged and transposed as they are read`() throws {
    let model = try ForeignNames.distinct(.mtcnn(.refinement))
    var tensors = model.tensors
    func take(_ name: String) throws -> Tensor {
      tensors.remove(at: try #require(tensors.firstIndex { $0.name == name }))
    }
    // Two heads' biases of 2 and 4 lie in one, a matrix in halves, a kernel and a matrix in other orders.
    let dense = try take("dense4.weight")
    let half = [64, 576]
    tensors.append(Tensor("dense.b", .f32, half, values: .source(PartSource(dense, part: 1))))
    tensors.append(Tensor("dense.a", .f32, half, values: .source(PartSource(dense, part: 0))))
    let (slope, bias) = (try take("prelu4.weight"), try take("dense4.bias"))
    tensors.append(Tensor("both", .f32, [256], values: .source(JoinedSource([slope, bias]))))
    let kernel = try take("conv2.weight")
    tensors.append(
      Tensor("kernel2", .f32, [3, 3, 28, 48], values: .source(PermutedSource(kernel, axes: [2, 3, 1, 0]))))
    let head = try take("dense5_2.weight")
    tensors.append(Tensor("head", .f32, [128, 4], values: .source(PermutedSource(head, axes: [1, 0]))))
    let found = try fit(
      tensors,
      """
      merge {d*}.a, {d}.b -> {d}4.weight
      split both -> prelu4.weight, dense4.bias
      transpose 3,2,0,1 kernel{i} -> conv{i}.weight
      transpose head -> dense5_2.weight
      keep {name**}
      """)
    #expect(try ForeignNames.differences(found, model) == [])
  }

  @Test func `a part that is missing leaves the others unexpected`() throws {
    let model = try ForeignNames.distinct(.mtcnn(.refinement))
    let error = #expect(throws: FormatError.self) {
      try fit(model.tensors + [Tensor("x.a", [1], floats: [1])], "merge {d*}.a, {d}.b -> {d}4.weight\nkeep {n**}")
    }
    #expect(error?.message.contains("1 unexpected (\"x.a\")") == true)
  }

  @Test func `a matrix that cannot be split evenly is of another shape`() throws {
    let model = try ForeignNames.distinct(.mtcnn(.refinement))
    var tensors = model.tensors.filter { $0.name != "dense5_1.bias" && $0.name != "dense5_2.bias" }
    tensors.append(Tensor("both", [6], floats: [1, 2, 3, 4, 5, 6]))
    let error = #expect(throws: FormatError.self) {
      try fit(tensors, "split both -> dense5_1.bias, dense5_2.bias\nkeep {n**}")
    }
    #expect(error?.message.contains("2 of another shape (\"both\" [6] for [2], \"both\" [6] for [4])") == true)
  }
}
