import ERIFormat

/// Reads a pickle of protocol 0 to 5 into an inert tree: it makes containers, tensors' descriptions and placeholders, and
/// has no way to call anything. Opcodes that it does not know end it.
struct PickleMachine {
  var input: PickleInput
  private(set) var nodes: [PickleNode] = []
  private(set) var requestedCode: [String] = []
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [UInt32: PickleValue] = [:]
  private var opcodes = 0
  private var memory = 0

  /// How many names of code are kept for the sentence that refuses them.
  private static let longestWishes = 64

  private let start: UInt64

  init(_ input: PickleInput) {
    self.input = input
    start = input.offset
  }

  /// Reads up to the pickle's STOP.
  /// - Parameter allowInert: whether code that the pickle names may stay as placeholders.
  /// - Throws: `FormatError` `.invalid` for bytes that are no pickle or, unless allowed, a pickle that asks for code,
  ///   `.limitExceeded`, `.unsupported` for tensors that this tool has no type for.
  mutating func run(allowInert: Bool) throws(FormatError) -> PickleTree {
    var position = input.offset
    var byte: UInt8?
    do throws(FormatError) {
      while true {
        position = input.offset
        byte = try input.byte()
        guard let opcode = byte else { throw ended("an opcode") }
        opcodes += 1
        guard opcodes <= Limits.pickleOpcodes else { throw beyond("opcodes", Limits.pickleOpcodes) }
        guard input.offset - start <= UInt64(Limits.pickleBytes) else { throw beyond("bytes", Limits.pickleBytes) }
        if opcode == 0x2e { break }
        try step(opcode)
        guard stack.count <= Limits.pickleStack else { throw beyond("values on the stack", Limits.pickleStack) }
      }
      let root = try pop()
      guard allowInert || requestedCode.isEmpty else { throw codeRefusal(requestedCode) }
      return PickleTree(root: root, nodes: nodes, requestedCode: requestedCode)
    } catch {
      // What a pickle asks for matters more than that it is damaged as well.
      guard allowInert || requestedCode.isEmpty else { throw codeRefusal(requestedCode) }
      let name = byte.map { PickleOpcode.name($0) }
      throw error.inside(name.map { "pickle byte \(position) (\($0))" } ?? "pickle byte \(position)")
    }
  }

  private mutating func step(_ opcode: UInt8) throws(FormatError) {
    switch opcode {
    case 0x80:  // PROTO
      let version = try fixed(1)
      guard version <= 5 else {
        throw FormatError(.unsupported, at: "", "expected protocol 0 to 5, found \(version); save it with protocol 2")
      }
    case 0x95: _ = try fixed(8)  // FRAME: a hint for buffering
    case 0x28:  // MARK
      guard marks.count < Limits.pickleStack else { throw beyond("marks", Limits.pickleStack) }
      marks.append(stack.count)
    case 0x30:  // POP: a mark counts as a value
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case 0x31: _ = try popToMark()  // POP_MARK
    case 0x32: stack.append(try top())  // DUP
    case 0x4e: stack.append(.none)
    case 0x88: stack.append(.boolean(true))
    case 0x89: stack.append(.boolean(false))
    case 0x4b: stack.append(.integer(Int64(try fixed(1))))  // BININT1
    case 0x4d: stack.append(.integer(Int64(try fixed(2))))  // BININT2
    case 0x4a: stack.append(.integer(Int64(Int32(truncatingIfNeeded: try fixed(4)))))  // BININT
    case 0x8a: try pushInteger(count: try fixed(1))  // LONG1
    case 0x8b: try pushInteger(count: try fixed(4))  // LONG4
    case 0x47: stack.append(.float(Double(bitPattern: try fixed(8).byteSwapped)))  // BINFLOAT, the only big-endian one
    case 0x49, 0x4c: try pushDecimal(opcode)  // INT, LONG
    case 0x46: try pushDecimalFloat()  // FLOAT
    case 0x58: try pushText(count: try fixed(4))  // BINUNICODE
    case 0x8c: try pushText(count: try fixed(1))  // SHORT_BINUNICODE
    case 0x8d: try pushText(count: try fixed(8))  // BINUNICODE8
    case 0x56: try push(.text(try line("a string")), bytes: 0)  // UNICODE
    case 0x53: try pushQuoted()  // STRING
    case 0x55: try pushByteText(count: try fixed(1))  // SHORT_BINSTRING
    case 0x54: try pushByteText(count: try fixed(4))  // BINSTRING
    case 0x43: try pushBytes(count: try fixed(1))  // SHORT_BINBYTES
    case 0x42: try pushBytes(count: try fixed(4))  // BINBYTES
    case 0x8e, 0x96: try pushBytes(count: try fixed(8))  // BINBYTES8, BYTEARRAY8
    case 0x5d: try pushNode(.list)
    case 0x29: try pushNode(.tuple)
    case 0x7d: try pushNode(.dictionary)
    case 0x8f: try pushNode(.set)
    case 0x6c: try pushNode(.list, try popToMark())  // LIST
    case 0x74: try pushNode(.tuple, try popToMark())  // TUPLE
    case 0x64: try pushNode(.dictionary, try pairs(popToMark()))  // DICT
    case 0x91: try pushNode(.set, try popToMark())  // FROZENSET
    case 0x85: try pushTuple(1)
    case 0x86: try pushTuple(2)
    case 0x87: try pushTuple(3)
    case 0x61:  // APPEND
      let item = try pop()
      try extend([item], isPairs: false)
    case 0x65: try extend(try popToMark(), isPairs: false)  // APPENDS
    case 0x90: try extend(try popToMark(), isPairs: false)  // ADDITEMS
    case 0x73:  // SETITEM
      let value = try pop()
      try extend([try pop(), value], isPairs: true)
    case 0x75: try extend(try pairs(popToMark()), isPairs: true)  // SETITEMS
    case 0x70: try remember(try decimalIndex())  // PUT
    case 0x71: try remember(UInt32(try fixed(1)))  // BINPUT
    case 0x72: try remember(UInt32(truncatingIfNeeded: try fixed(4)))  // LONG_BINPUT
    case 0x94: try remember(UInt32(clamping: memo.count))  // MEMOIZE
    case 0x67: try recall(try decimalIndex())  // GET
    case 0x68: try recall(UInt32(try fixed(1)))  // BINGET
    case 0x6a: try recall(UInt32(truncatingIfNeeded: try fixed(4)))  // LONG_BINGET
    case 0x63:  // GLOBAL
      let module = try line("a module's name")
      try pushGlobal(module, try line("a name"))
    case 0x93: try pushStackGlobal()
    case 0x69:  // INST
      let module = try line("a module's name")
      let name = try line("a name")
      let arguments = try popToMark()
      try pushGlobal(module, name)
      try call(arguments, isNew: true)
    case 0x6f:  // OBJ
      var items = try popToMark()
      guard !items.isEmpty else { throw expected("a class", "none") }
      stack.append(items.removeFirst())
      try call(items, isNew: true)
    case 0x52: try call(try popTuple(), isNew: false)  // REDUCE
    case 0x81: try call(try popTuple(), isNew: true)  // NEWOBJ
    case 0x92:  // NEWOBJ_EX
      let keywords = try pop()
      let arguments = try popTuple()
      try call(arguments + [keywords], isNew: true)
    case 0x62: try build()
    case 0x51: try pushPersistent()  // BINPERSID
    default:
      throw FormatError(
        .invalid, at: "", "expected an opcode of plain data, found \(PickleOpcode.name(opcode)); it is not read")
    }
  }
}

// The stack, the memo and the account of memory.
extension PickleMachine {
  func expected(_ what: String, _ found: String) -> FormatError {
    FormatError(.invalid, at: "", "expected \(what), found \(found)")
  }

  func ended(_ what: String) -> FormatError { expected(what, "the end of the pickle") }

  func beyond(_ what: String, _ limit: Int) -> FormatError {
    FormatError(.limitExceeded, at: "", "expected at most \(limit) \(what), found more")
  }

  /// Takes memory off the allowance before it is allocated.
  mutating func account(_ bytes: Int) throws(FormatError) {
    memory += bytes
    guard memory <= Limits.pickleMemory else { throw beyond("bytes of values", Limits.pickleMemory) }
  }

  mutating func push(_ value: PickleValue, bytes: Int) throws(FormatError) {
    try account(bytes)
    stack.append(value)
  }

  mutating func pushNode(_ kind: PickleNode.Kind, _ items: [PickleValue] = []) throws(FormatError) {
    try account(MemoryLayout<PickleNode>.stride + items.count * MemoryLayout<PickleValue>.stride)
    nodes.append(PickleNode(kind, items))
    stack.append(.node(nodes.count - 1))
  }

  func top() throws(FormatError) -> PickleValue {
    guard let value = stack.last, stack.count > marks.last ?? 0 else { throw expected("a value on the stack", "none") }
    return value
  }

  mutating func pop() throws(FormatError) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  mutating func popToMark() throws(FormatError) -> [PickleValue] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw expected("a mark on the stack", "none") }
    let items = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  func pairs(_ items: [PickleValue]) throws(FormatError) -> [PickleValue] {
    guard items.count % 2 == 0 else { throw expected("a value for every key", "a key without one") }
    return items
  }

  func node(_ value: PickleValue) -> PickleNode? {
    guard case .node(let index) = value, nodes.indices.contains(index) else { return nil }
    return nodes[index]
  }

  /// The items of a tuple or list, or nil for anything else.
  func items(_ value: PickleValue) -> [PickleValue]? {
    guard let node = node(value) else { return nil }
    switch node.kind {
    case .tuple, .list: return node.items
    case .dictionary, .set, .global, .placeholder, .module, .storage, .tensor, .opaque: return nil
    }
  }

  mutating func popTuple() throws(FormatError) -> [PickleValue] {
    guard let items = items(try pop()) else { throw expected("a tuple of arguments", "something else") }
    return items
  }

  mutating func pushTuple(_ count: Int) throws(FormatError) {
    var items: [PickleValue] = []
    for _ in 0..<count { items.append(try pop()) }
    try pushNode(.tuple, items.reversed())
  }

  /// Adds items to the container on top of the stack.
  mutating func extend(_ items: [PickleValue], isPairs: Bool) throws(FormatError) {
    guard case .node(let index) = try top(), nodes.indices.contains(index) else {
      throw expected("a container to add to", "something else")
    }
    let accepts =
      switch nodes[index].kind {
      case .list, .set: !isPairs
      case .dictionary: isPairs
      case .placeholder, .module: true
      case .opaque: true
      case .tuple, .global, .storage, .tensor: false
      }
    guard accepts else {
      throw expected(isPairs ? "a dictionary to add to" : "a list or set to add to", "something else")
    }
    if case .opaque = nodes[index].kind { return }
    try account(items.count * MemoryLayout<PickleValue>.stride)
    nodes[index].items += items
  }

  mutating func remember(_ index: UInt32) throws(FormatError) {
    let value = try top()
    guard memo.count < Limits.pickleMemo || memo[index] != nil else { throw beyond("memo entries", Limits.pickleMemo) }
    if memo.updateValue(value, forKey: index) == nil { try account(2 * MemoryLayout<PickleValue>.stride) }
  }

  mutating func recall(_ index: UInt32) throws(FormatError) {
    guard let value = memo[index] else { throw expected("a remembered value \(index)", "none") }
    stack.append(value)
  }

  /// Gives the object on top of the stack its state.
  mutating func build() throws(FormatError) {
    let state = try pop()
    guard case .node(let index) = try top(), nodes.indices.contains(index) else {
      throw expected("an object to give a state to", "something else")
    }
    switch nodes[index].kind {
    case .placeholder, .module:
      try account(MemoryLayout<PickleValue>.stride)
      nodes[index].items.append(state)
    case .dictionary, .list, .set:
      guard let attributes = node(state), case .dictionary = attributes.kind else {
        throw expected("a dictionary of attributes", "something else")
      }
      for position in stride(from: 0, to: attributes.items.count, by: 2) {
        guard case .text(let name) = attributes.items[position] else { continue }
        try account(MemoryLayout<String>.stride)
        nodes[index].attributes.append(name)
      }
    case .opaque: break
    case .tuple, .global, .storage, .tensor:
      throw expected("an object to give a state to", "something else")
    }
  }

  /// Puts a name on the stack: one that is understood, or a placeholder that the file will be refused for.
  mutating func pushGlobal(_ module: String, _ name: String) throws(FormatError) {
    if let global = TorchGlobal(module: module, name: name) {
      try pushNode(.global(global))
      return
    }
    let full = "\(module == "__builtin__" ? "builtins" : module).\(name)"
    if requestedCode.count < PickleMachine.longestWishes && !requestedCode.contains(full) { requestedCode.append(full) }
    try account(full.utf8.count)
    try pushNode(.placeholder(full))
  }

  private mutating func pushStackGlobal() throws(FormatError) {
    guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
      throw expected("a module's name and a name in it", "something else")
    }
    try pushGlobal(module, name)
  }
}
