import ERIFormat

/// A value of a pickle. Nothing in it can be called.
enum PickleValue {
  case none
  case boolean(Bool)
  case integer(Int64)
  /// An integer beyond 64 bits: two's complement, lowest byte first.
  case wideInteger([UInt8])
  case float(Double)
  case text(String)
  case bytes([UInt8])
  /// A container or an object, by its place among the tree's nodes: pickles share and even nest them in themselves.
  case node(Int)

  /// What it is, in a sentence.
  var kind: String {
    switch self {
    case .none: "None"
    case .boolean: "a boolean"
    case .integer, .wideInteger: "an integer"
    case .float: "a float"
    case .text: "a string"
    case .bytes: "a byte string"
    case .node: "an object"
    }
  }
}

/// A container or an object of a pickle.
struct PickleNode {
  enum Kind {
    case list
    case tuple
    /// Keys and values in turns.
    case dictionary
    case set
    /// A name that the reader understands.
    case global(TorchGlobal)
    /// The name of code that the reader does not have, or what a call of it would have made; items: its arguments and state.
    case placeholder(String)
    /// An instance of a TorchScript class; items: its state.
    case module(String)
    case storage(TorchStorage)
    case tensor(TorchTensor)
    /// A value without weights: a device, a layout, a complex number.
    case opaque(String)
  }

  var kind: Kind
  var items: [PickleValue]
  /// Names of attributes given to a dictionary or list beside its items.
  var attributes: [String] = []

  init(_ kind: Kind, _ items: [PickleValue] = []) {
    self.kind = kind
    self.items = items
  }
}

/// What a pickle holds.
struct PickleTree {
  var root: PickleValue
  var nodes: [PickleNode]
  /// Code that the pickle names and this reader does not have ("os.system"), in the order of its first mention.
  var requestedCode: [String]

  /// The node behind a value.
  func node(_ value: PickleValue) -> PickleNode? {
    guard case .node(let index) = value, nodes.indices.contains(index) else { return nil }
    return nodes[index]
  }

  /// What a value is, in a sentence.
  func kind(_ value: PickleValue) -> String {
    guard let node = node(value) else { return value.kind }
    return switch node.kind {
    case .list: "a list"
    case .tuple: "a tuple"
    case .dictionary: "a dictionary"
    case .set: "a set"
    case .global(let global): "the name \"\(global.name)\""
    case .placeholder(let name): "an object of \"\(name)\""
    case .module(let name): "a module of class \"\(name)\""
    case .storage: "a storage"
    case .tensor: "a tensor"
    case .opaque(let kind): kind
    }
  }
}

/// Refuses a pickle that names code, in a sentence that says which.
func codeRefusal(_ names: [String]) -> FormatError {
  let shown = names.prefix(8).map { "\"\($0)\"" }
  let more = names.count > shown.count ? " and \(names.count - shown.count) more" : ""
  return FormatError(
    .invalid, at: "",
    "expected tensors and plain containers, found a pickle that asks for the code of "
      + joined(Array(shown), separator: ", ") + more
      + "; nothing was executed; save the state dictionary alone, or read what is left with --allow-inert")
}
