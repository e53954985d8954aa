import ERIFormat

// What calls in a pickle of PyTorch stand for. Each is answered by a description of its result; none is made.
extension PickleMachine {
  /// Replaces the name on top of the stack by what a call with these arguments stands for.
  /// - Parameter isNew: an instance of a class is asked for.
  mutating func call(_ arguments: [PickleValue], isNew: Bool) throws(FormatError) {
    let callee = try pop()
    guard let node = node(callee) else { throw expected("a function or class to call", "something else") }
    switch node.kind {
    case .placeholder(let name):
      try account(name.utf8.count)
      try pushNode(.placeholder(name), arguments)
    case .global(let global):
      try call(global, arguments)
    case .list, .tuple, .dictionary, .set, .module, .storage, .tensor, .opaque:
      throw expected("a function or class to call", "something else")
    }
  }

  private mutating func call(_ global: TorchGlobal, _ arguments: [PickleValue]) throws(FormatError) {
    switch global.meaning {
    case .orderedDictionary: try pushOrderedDictionary(arguments)
    case .tensor(let form): try pushTensor(form, global, arguments)
    case .parameter:
      guard let value = arguments.first, let tensor = node(value), case .tensor = tensor.kind else {
        throw expected("a parameter of a tensor", "one of something else")
      }
      try push(value, bytes: 0)
    case .size:
      guard let value = arguments.first, let extents = items(value) else {
        throw expected("a size of a tuple", "one of something else")
      }
      try pushNode(.tuple, extents)
    case .device: try pushNode(.opaque("a device"))
    case .encode:
      guard case .text(let text) = arguments.first else { throw expected("a string to encode", "something else") }
      try push(.bytes(Array(text.utf8)), bytes: text.utf8.count)
    case .set:
      var members: [PickleValue] = []
      if let value = arguments.first {
        guard let items = items(value) else { throw expected("a list of a set's members", "something else") }
        members = items
      }
      try pushNode(.set, members)
    case .wrapper:
      guard let value = arguments.first else { throw expected("an argument of \(global.name)", "none") }
      try push(value, bytes: 0)
    case .module: try pushNode(.module(global.name), arguments)
    case .opaque(let kind): try pushNode(.opaque(kind))
    case .storageType, .elementType, .foreignType:
      throw expected("a function or class to call", "the type \"\(global.name)\"")
    }
  }

  private mutating func pushOrderedDictionary(_ arguments: [PickleValue]) throws(FormatError) {
    guard let value = arguments.first else { return try pushNode(.dictionary) }
    guard arguments.count == 1, let entries = items(value) else {
      throw expected("an ordered dictionary of a list of pairs", "something else")
    }
    var pairs: [PickleValue] = []
    for entry in entries {
      guard let pair = items(entry), pair.count == 2 else {
        throw expected("an ordered dictionary of a list of pairs", "something else")
      }
      pairs += pair
    }
    try pushNode(.dictionary, pairs)
  }

  private func integer(_ value: PickleValue, _ what: String) throws(FormatError) -> Int {
    guard case .integer(let number) = value, number >= 0, let result = Int(exactly: number) else {
      throw expected("\(what) from 0 to \(Int.max)", value.kind)
    }
    return result
  }

  private func integers(_ value: PickleValue, _ what: String) throws(FormatError) -> [Int] {
    guard let items = items(value) else { throw expected("a tuple for \(what)", value.kind) }
    guard items.count <= Limits.rank else {
      throw FormatError(
        .limitExceeded, at: "", "expected at most \(Limits.rank) dimensions, found \(items.count)")
    }
    var numbers: [Int] = []
    for item in items { numbers.append(try integer(item, what)) }
    return numbers
  }

  /// BINPERSID: ('storage', class, key, location, count[, view]).
  mutating func pushPersistent() throws(FormatError) {
    guard let items = items(try pop()), items.count == 5 || items.count == 6, case .text("storage") = items[0],
      case .text(let key) = items[2]
    else {
      throw expected("a storage's class, key, location and count", "something else")
    }
    guard let type = node(items[1]), case .global(let global) = type.kind,
      case .storageType(let storageType) = global.meaning
    else {
      throw expected("a storage's class", "something else")
    }
    let count = try integer(items[4], "a count")
    var storage = TorchStorage(
      type: storageType, typeName: global.name, key: key, count: count, viewCount: count)
    if items.count == 6, let view = self.items(items[5]) {
      guard view.count == 3 else { throw expected("a view's key, offset and size", "\(view.count) values") }
      storage.viewOffset = try integer(view[1], "a view's offset")
      storage.viewCount = try integer(view[2], "a view's size")
      guard storageType != .untyped, storage.viewOffset <= count, storage.viewCount <= count - storage.viewOffset else {
        throw expected(
          "a view inside the storage's \(count) elements", "\(storage.viewCount) from \(storage.viewOffset)")
      }
    }
    try account(key.utf8.count + MemoryLayout<TorchStorage>.stride)
    try pushNode(.storage(storage))
  }

  /// (storage, offset, size, stride, requires_grad, hooks[, type][, metadata])
  private mutating func pushTensor(
    _ form: TorchGlobal.TensorForm, _ global: TorchGlobal, _ arguments: [PickleValue]
  ) throws(FormatError) {
    guard arguments.count >= 4, let node = node(arguments[0]), case .storage(let storage) = node.kind else {
      throw expected("a storage, offset, size and stride for \(global.name)", "something else")
    }
    let dtype: DType
    switch form {
    case .plain:
      guard case .typed(let type) = storage.type else { throw foreign(storage.typeName) }
      dtype = type
    case .typed:
      guard arguments.count >= 7, let type = self.node(arguments[6]), case .global(let name) = type.kind else {
        throw expected("an element type for \(global.name)", "none")
      }
      guard case .elementType(let element) = name.meaning, storage.type == .untyped else { throw foreign(name.name) }
      dtype = element
    }
    var tensor = TorchTensor(
      dtype: dtype, storage: storage, offset: try integer(arguments[1], "an offset"),
      shape: try integers(arguments[2], "a size"), strides: try integers(arguments[3], "a stride"))
    try check(tensor)
    // An empty tensor is nowhere, whatever it says.
    if tensor.shape.contains(0) { tensor.offset = 0 }
    try account(MemoryLayout<TorchTensor>.stride + 2 * tensor.shape.count * MemoryLayout<Int>.stride + 64)
    try pushNode(.tensor(tensor))
  }

  private func foreign(_ name: String) -> FormatError {
    FormatError(
      .unsupported, at: "",
      "expected a tensor of float16 to float64, bfloat16, an integer type or bool, found \"\(name)\"; convert it first")
  }

  /// A tensor lies inside its storage: no reading relies on anything else.
  private func check(_ tensor: TorchTensor) throws(FormatError) {
    guard tensor.shape.count == tensor.strides.count else {
      throw expected("\(tensor.shape.count) strides", "\(tensor.strides.count)")
    }
    guard let count = elementProduct(tensor.shape) else {
      throw FormatError(
        .limitExceeded, at: "", "expected at most \(Limits.elements) elements, found shape \(shapeText(tensor.shape))")
    }
    let itemBytes = tensor.storage.type == .untyped ? tensor.dtype.byteCount : 1
    guard tensor.storage.viewCount % itemBytes == 0 else {
      throw expected("a storage of whole \(tensor.dtype.name) elements", "\(tensor.storage.viewCount) bytes")
    }
    guard count > 0 else { return }
    var (last, overflow) = (tensor.offset, false)
    for (extent, stride) in zip(tensor.shape, tensor.strides) {
      let (span, productOverflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, sumOverflow) = last.addingReportingOverflow(span)
      last = sum
      overflow = overflow || productOverflow || sumOverflow
    }
    guard !overflow, last < tensor.storage.viewCount / itemBytes else {
      throw expected(
        "a tensor inside its storage of \(tensor.storage.viewCount / itemBytes) elements",
        "offset \(tensor.offset), size \(shapeText(tensor.shape)), stride \(shapeText(tensor.strides))")
    }
  }
}
