package import ERIFormat
package import ERINetworks

/// What a checkpoint's tensors become part of: a network, or a model whose other tensors stay.
package struct FittingTarget: Sendable {
  /// The network's name or the model's path.
  package let name: String
  /// The graph and its tensors, those to be given included.
  let base: Model
  /// Indices in the base of what is to be given, and of the constants among it.
  let chosen: [Int]
  /// Whether the base is a model whose history goes on.
  let isModel: Bool

  /// A whole network, all of whose weights are to be given.
  package init(_ network: Network) throws(FormatError) {
    name = network.name
    let model = try network.initialised(seed: 0)
    base = model
    chosen = model.tensors.indices.filter { model.tensors[$0].role != .optimizerState }
    isModel = false
  }

  /// A model's weights below the given prefixes; all of them if there are none.
  /// - Throws: `FormatError` `.unsupported` for a model without a graph, `.invalid` for a prefix that no weight has.
  package init(_ model: Model, path: String, only prefixes: [String]) throws(FormatError) {
    guard model.graph != nil else {
      throw FormatError(
        .unsupported, at: path, "expected a model with a graph, found tensors alone; convert it with --network")
    }
    for prefix in prefixes
    where !model.tensors.contains(where: { $0.role == .weight && FittingTarget.lies($0.name, in: prefix) }) {
      throw FormatError(
        .invalid, at: path,
        "expected a weight named \"\(brief(prefix))\" or below it for --only, found none; `eri inspect` lists them")
    }
    name = path
    base = model
    chosen = model.tensors.indices.filter { index in
      model.tensors[index].role != .optimizerState
        && (prefixes.isEmpty || prefixes.contains { FittingTarget.lies(model.tensors[index].name, in: $0) })
    }
    isModel = true
  }

  private static func lies(_ name: String, in prefix: String) -> Bool {
    let bytes = prefix.utf8.last == 0x2E ? Array(prefix.utf8.dropLast()) : Array(prefix.utf8)
    guard name.utf8.starts(with: bytes) else { return false }
    return name.utf8.count == bytes.count || name.utf8.dropFirst(bytes.count).first == 0x2E
  }

  /// Whether no weight of the base stays.
  var isWhole: Bool {
    base.tensors.filter { $0.role == .weight }.count == chosen.filter { base.tensors[$0].role == .weight }.count
  }

  /// What is to be given.
  var targets: FittingTargets { FittingTargets(chosen.map { base.tensors[$0] }) }
}
