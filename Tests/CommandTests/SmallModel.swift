import ERIFormat
import ERITestSupport

/// A model small enough to compute by hand: y = relu(x wᵀ + b) · scale.
///
/// Its inputs are x [N, 3] and scale [N, 2], which is 1 if left out.
enum SmallModel {
  static func model() throws -> Model {
    var builder = GraphBuilder(symbols: ["N"])
    let x = builder.input("x", ValueType(.f32, [Dimension(symbol: 0), Dimension(3)]))
    let scale = builder.input(
      "scale", ValueType(.f32, [Dimension(symbol: 0), Dimension(2)]), omission: .filled(1))
    let weight = builder.tensor(Tensor("layer/weight", [2, 3], floats: [1, 2, 3, -1, 0.5, 0]))
    let bias = builder.tensor(Tensor("layer/bias", [2], floats: [0.25, -1]))
    let product = try builder.apply(.linear(Linear()), [x, weight, bias], name: "product")
    let positive = try builder.apply(.unary(Unary(.relu)), [product], name: "positive")
    builder.output(try builder.apply(.binary(Binary(.multiply)), [positive, scale], name: "y/scaled"))
    var model = Model()
    model.producer = "by hand"
    model.graph = builder.graph
    model.tensors = builder.tensors
    model.labels = ["left", "right"]
    return model
  }

  /// Writes the model as model.eri.
  static func write(to folder: TemporaryFolder) throws {
    _ = try model().write(to: folder.path("model.eri"))
  }

  /// Writes an array.
  static func array(_ name: String, _ shape: [Int], _ values: [Float], to folder: TemporaryFolder) throws {
    try values.withUnsafeBytes { try writeNPY(folder.path(name), .f32, shape, $0) }
  }

  /// Shape and values of a float32 array.
  static func read(_ path: String) throws -> (shape: [Int], values: [Float]) {
    let file = try NPYFile(path: path)
    var values = [Float](repeating: .nan, count: file.header.byteCount / 4)
    try values.withUnsafeMutableBytes { try file.readValues(into: $0) }
    return (file.header.shape, values)
  }
}
