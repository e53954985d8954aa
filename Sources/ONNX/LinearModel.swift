import CERISystem
import ERIFormat

/// LinearRegressor and LinearClassifier of ai.onnx.ml: products of a table's rows with a model's, what becomes of them, and for a
/// classifier the label of the greatest.
extension ONNXNode {
  func linearModelKernel() throws(FormatError) -> ONNXKernel {
    try arity(1, 1)
    let x = try operand(0, "x")
    try require(x, "x", [.f32, .f64, .i64, .i32])
    guard x.shape.count == 2 || x.shape.count == 1 else {
      throw contractError("expected x of 1 or 2 dimensions, found \(shapeText(x.shape))")
    }
    let isClassifier = op.name == "LinearClassifier"
    try outputs(isClassifier ? 2 : 1)
    guard try texts("classlabels_strings")?.isEmpty ?? true else {
      throw FormatError(.unsupported, at: "", "expected classlabels_ints, found labels of text, which no tensor holds")
    }
    return try numberKernel(x, "x", try LinearModel(self, x.shape, isClassifier: isClassifier))
  }
}

private struct LinearModel: NumberKernel {
  enum Transform: String {
    case none = "NONE"
    case softmax = "SOFTMAX"
    case logistic = "LOGISTIC"
    case softmaxZero = "SOFTMAX_ZERO"
  }

  let rows: Int
  let columns: Int
  /// Rows of the model.
  let targets: Int
  let coefficients: [Double]
  let intercepts: [Double]
  let transform: Transform
  /// Nil: a regression.
  let labels: [Int64]?

  /// Scores by row: one row of a model that tells two classes apart scores both.
  var scores: Int { labels?.count == 2 && targets == 1 ? 2 : targets }

  init(_ node: ONNXNode, _ shape: [Int], isClassifier: Bool) throws(FormatError) {
    rows = shape.count == 1 ? 1 : shape[0]
    columns = shape[shape.count - 1]
    coefficients = (try node.numbers("coefficients") ?? []).map { Double($0) }
    targets = isClassifier ? coefficients.count / max(columns, 1) : try node.integer("targets", default: 1)
    guard targets > 0, columns > 0, columns <= Limits.attributeElements, coefficients.count % columns == 0,
      coefficients.count / columns == targets
    else {
      throw contractError(
        "expected coefficients for rows of \(columns) values, found \(coefficients.count) for \(targets)")
    }
    let given = (try node.numbers("intercepts") ?? []).map { Double($0) }
    guard given.isEmpty || given.count == targets else {
      throw contractError("expected \(counted(targets, "intercept")), found \(given.count)")
    }
    intercepts = given.isEmpty ? [Double](repeating: 0, count: targets) : given
    let name = try node.text("post_transform", default: "NONE")
    guard let transform = Transform(rawValue: name) else {
      throw FormatError(
        .unsupported, at: "", "expected post_transform NONE, SOFTMAX, LOGISTIC or SOFTMAX_ZERO, found \(name)")
    }
    self.transform = transform
    labels = isClassifier ? (try node.integers("classlabels_ints") ?? []).map { Int64($0) } : nil
    if let labels, labels.count != targets, !(targets == 1 && labels.count == 2) {
      throw contractError("expected a class label for each of \(targets) scores, found \(labels.count)")
    }
  }

  func kernel<Element: ONNXNumber>(_ element: Element.Type) throws(FormatError) -> ONNXKernel {
    let (model, scores, isClassifier) = (self, scores, labels != nil)
    let table = try BoundType(.f32, [rows, scores])
    let results = isClassifier ? [try BoundType(.i64, [rows]), table] : [table]
    return ONNXKernel(results, scratchBytes: 8 * scores) { memory in
      let line: UnsafeMutablePointer<Double> = memory.scratch()
      let y: UnsafeMutablePointer<Float> = memory.output(isClassifier ? 1 : 0)
      for row in 0..<model.rows {
        model.score(memory.input(0, as: Element.self) + row &* model.columns, line)
        if isClassifier { memory.output(0, as: Int64.self)[row] = model.label(line, scores) }
        model.finish(line, scores)
        for index in 0..<scores { y[row &* scores &+ index] = Float(line[index]) }
      }
      return nil
    }
  }

  private func score<Element: ONNXNumber>(_ x: UnsafePointer<Element>, _ line: UnsafeMutablePointer<Double>) {
    for target in 0..<targets {
      var sum = intercepts[target]
      for column in 0..<columns { sum += x[column].wide * coefficients[target &* columns &+ column] }
      line[target] = sum
    }
    if scores > targets { (line[0], line[1]) = (-line[0], line[0]) }
  }

  /// The first of the greatest; every transform keeps their order.
  private func label(_ line: UnsafeMutablePointer<Double>, _ count: Int) -> Int64 {
    guard let labels else { return 0 }
    // A single score stands for its class from 0 on, which logistic makes a half.
    if count == 1 { return line[0] >= 0 ? labels[0] : 0 }
    var best = 0
    for index in 1..<max(count, 1) where line[index] > line[best] { best = index }
    return labels[best]
  }

  private func finish(_ line: UnsafeMutablePointer<Double>, _ count: Int) {
    switch transform {
    case .none: break
    case .logistic: for index in 0..<count { line[index] = 1 / (1 + eri_exp(-line[index])) }
    case .softmax, .softmaxZero:
      var largest = line[0]
      for index in 0..<count { largest = max(largest, line[index]) }
      var sum = 0.0
      for index in 0..<count {
        // What is as good as 0 stays so.
        let stays = transform == .softmaxZero && abs(line[index]) <= 1e-7
        line[index] = stays ? line[index] * eri_exp(-largest) : eri_exp(line[index] - largest)
        sum += line[index]
      }
      for index in 0..<count { line[index] = sum == 0 ? 0.5 : line[index] / sum }
    }
  }
}
