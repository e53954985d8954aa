import CERISchema
import Testing

@testable import ERIFormat

@Suite struct `A forged graph` {
  private static let newer = "; read it with a newer release"

  static let counts = [
    Forgery(.limitExceeded, "directory: graph: expected at most 64 symbols, found 65") { file in
      let symbol = try file.arena.string("N")
      try file.graph { ($0.n_symbols, $0.symbols) = (65, try file.repeated(symbol, 65)) }
    },
    Forgery(.limitExceeded, "directory: graph: expected at most 262144 values, found 262145") { file in
      try file.graph {
        ($0.n_values, $0.values) = (Limits.values + 1, try file.repeated($0.values, Limits.values + 1))
      }
    },
    Forgery(.limitExceeded, "directory: graph: expected at most 131072 nodes, found 131073") { file in
      try file.graph { ($0.n_nodes, $0.nodes) = (Limits.nodes + 1, try file.repeated($0.nodes, Limits.nodes + 1)) }
    },
    Forgery(.limitExceeded, "directory: graph: expected at most 1024 outputs of the graph, found 1025") { file in
      try file.graph { ($0.n_outputs, $0.outputs) = (1025, try file.repeated(UInt32(1), 1025)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 1: expected at most 1024 inputs of a node, found 1025") { file in
      try file.node(1) { ($0.n_inputs, $0.inputs) = (1025, try file.repeated(UInt32(1), 1025)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 1: expected at most 1024 outputs of a node, found 1025") { file in
      try file.node(1) { ($0.n_outputs, $0.outputs) = (1025, try file.repeated(UInt32(1), 1025)) }
    },
    Forgery(.limitExceeded, "directory: graph: expected a symbol's name of at most 512 bytes, found 513") { file in
      try file.graph { $0.symbols[0] = try file.text(count: 513) }
    },
    Forgery(.limitExceeded, "directory: graph: value 2: expected a name of at most 512 bytes, found 513") { file in
      try file.value(1) { $0.name = try file.text(count: 513) }
    },
    Forgery(
      .unsupported, "directory: graph: expected the fields of Graph that this reader knows, found number 5\(newer)"
    ) { file in try file.graph { try file.addUnknownField(5, to: &$0.base) } },
  ]

  static let values = [
    Forgery(.limitExceeded, "directory: graph: value 5: expected a tensor's index from 0 to 65536, found 65537") {
      try $0.value(4) { $0.tensor = UInt32(Limits.tensors) + 1 }
    },
    Forgery(
      .unsupported,
      "directory: graph: values 4: expected the fields of Value that this reader knows, found number 6\(newer)"
    ) { file in try file.value(4) { try file.addUnknownField(6, to: &$0.base) } },
    Forgery(.invalid, "directory: graph: value 2: expected a dtype, found number 0") {
      try $0.input { $0.dtype = ERI__DTYPE__DTYPE_UNSPECIFIED }
    },
    Forgery(
      .unsupported,
      "directory: graph: values 1: input: omission: expected a Omission that this reader knows, found number 3\(newer)"
    ) { try $0.input { $0.omission = Eri__Omission(3) } },
    Forgery(
      .invalid,
      "directory: graph: value 2: expected a fill value only for an input that may be left out and filled, found 1.0"
    ) { try $0.input { $0.omission = ERI__OMISSION__OMISSION_GATED } },
    Forgery(.limitExceeded, "directory: graph: value 2: expected at most 8 dimensions, found 9") { file in
      try file.input { ($0.n_shape, $0.shape) = (9, try file.repeated($0.shape, 9)) }
    },
    Forgery(
      .limitExceeded, "directory: graph: value 2: expected an extent of at most 2147483647, found 2147483648"
    ) { try $0.dimension(1) { $0.coefficient = 1 << 31 } },
    Forgery(
      .limitExceeded,
      "directory: graph: value 2: expected an extent of at most 2147483647, found 18446744073709551615"
    ) { try $0.dimension(1) { $0.coefficient = .max } },
    Forgery(.limitExceeded, "directory: graph: value 2: expected at most 8 symbols, found 9") { file in
      try file.dimension(0) { ($0.n_symbols, $0.symbols) = (9, try file.repeated(UInt32(0), 9)) }
    },
    Forgery(
      .invalid,
      "directory: graph: value 2: expected a dimension's symbols ascending, and none beside 0, found 1 times [1, 0]"
    ) { file in try file.dimension(0) { ($0.n_symbols, $0.symbols) = (2, try file.arena.copy([1, 0])) } },
    Forgery(
      .invalid,
      "directory: graph: value 2: expected a dimension's symbols ascending, and none beside 0, found 0 times [0]"
    ) { try $0.dimension(0) { $0.coefficient = 0 } },
  ]

  static let nodes = [
    Forgery(.invalid, "directory: graph: node 1: expected an operator, found none") {
      try $0.node(1) { $0.operator_case = ERI__NODE__OPERATOR__NOT_SET }
    },
    Forgery(
      .unsupported, "directory: graph: node 1: expected an operator that this reader knows, found number 99\(newer)"
    ) { file in
      try file.node(1) {
        $0.operator_case = ERI__NODE__OPERATOR__NOT_SET
        try file.addUnknownField(99, to: &$0.base)
      }
    },
    Forgery(
      .unsupported,
      "directory: graph: node 1: expected an operator that this reader knows, found \"spline\" (number 99), "
        + "which format 1.4 brought\(newer)"
    ) { file in
      try file.node(1) {
        $0.operator_case = ERI__NODE__OPERATOR__NOT_SET
        try file.addUnknownField(99, to: &$0.base)
      }
      try file.operatorUse(0) {
        ($0.number, $0.name, $0.since_minor) = (99, try file.arena.string("spline"), 4)
      }
    },
    Forgery(
      .unsupported,
      "directory: graph: node 1: expected the fields of Node that this reader knows, found number 4\(newer)"
    ) { file in try file.node(1) { try file.addUnknownField(4, to: &$0.base) } },
    Forgery(
      .unsupported,
      "directory: graph: nodes 1: unary: expected the fields of Unary that this reader knows, found number 2\(newer)"
    ) { file in
      try file.node(1) {
        let unary = try #require($0.unary)
        try file.addUnknownField(2, to: &unary.pointee.base)
      }
    },
    Forgery(.invalid, "directory: graph: node 1: expected a version of unary, found 0") {
      try $0.node(1) { $0.version = 0 }
    },
    Forgery(
      .unsupported, "directory: graph: node 1: expected unary of version 1 at most, found 2\(newer)"
    ) { file in
      try file.node(1) { $0.version = 2 }
      try file.budget { $0.n_operators = 0 }
    },
    Forgery(
      .unsupported,
      "directory: graph: node 1: expected unary of version 1 at most, found 2, which format 1.2 brought\(newer)"
    ) { file in
      try file.node(1) { $0.version = 2 }
      try file.operatorUse(0) { ($0.version, $0.since_minor) = (2, 2) }
    },
    Forgery(.invalid, "directory: graph: node 1: expected a unary function, found number 0") {
      try $0.node(1) { $0.unary.pointee.function = ERI__UNARY_FUNCTION__UNARY_FUNCTION_UNSPECIFIED }
    },
    Forgery(
      .unsupported,
      "directory: graph: nodes 1: unary: function: expected a UnaryFunction that this reader knows, found number 7\(newer)"
    ) { try $0.node(1) { $0.unary.pointee.function = Eri__UnaryFunction(7) } },
    Forgery(.invalid, "directory: graph: node 0: expected a binary function, found number 0") {
      try $0.node(0) { $0.binary.pointee.function = ERI__BINARY_FUNCTION__BINARY_FUNCTION_UNSPECIFIED }
    },
    Forgery(
      .unsupported,
      "directory: graph: nodes 0: binary: function: expected a BinaryFunction that this reader knows, found number 5\(newer)"
    ) { try $0.node(0) { $0.binary.pointee.function = Eri__BinaryFunction(5) } },
    Forgery(.invalid, "directory: graph: node 1: expected outputs of a node counted from 1, found 0") {
      try $0.node(1) { $0.outputs[0] = 0 }
    },
    Forgery(.invalid, "directory: graph: expected outputs of the graph counted from 1, found 0") {
      try $0.graph { $0.outputs[0] = 0 }
    },
    Forgery(.limitExceeded, "directory: expected at most 1024 operators, found 1025") { file in
      try file.budget { ($0.n_operators, $0.operators) = (1025, try file.repeated($0.operators, 1025)) }
    },
    Forgery(
      .limitExceeded, "directory: operator 1: expected an operator's name of at most 512 bytes, found 513"
    ) { file in try file.operatorUse(1) { $0.name = try file.text(count: 513) } },
  ]

  /// Attributes that repeat are held to a tensor's dimensions before they are copied.
  static let attributes = [
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 strides, found 9") { file in
      try file.setConv { ($0.n_strides, $0.strides) = (9, try file.repeated(UInt32(1), 9)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 dilations, found 9") { file in
      try file.setConv { ($0.n_dilations, $0.dilations) = (9, try file.repeated(UInt32(1), 9)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 pads, found 9") { file in
      try file.setConv { ($0.n_pads_begin, $0.pads_begin) = (9, try file.repeated(UInt32(1), 9)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 pads, found 10") { file in
      try file.setConv { ($0.n_pads_end, $0.pads_end) = (10, try file.repeated(UInt32(1), 10)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 kernel extents, found 9") { file in
      try file.setPool { ($0.n_kernel, $0.kernel) = (9, try file.repeated(UInt32(1), 9)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 strides, found 9") { file in
      try file.setPool { ($0.n_strides, $0.strides) = (9, try file.repeated(UInt32(1), 9)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 dilations, found 9") { file in
      try file.setPool { ($0.n_dilations, $0.dilations) = (9, try file.repeated(UInt32(1), 9)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 pads, found 9") { file in
      try file.setPool { ($0.n_pads_begin, $0.pads_begin) = (9, try file.repeated(UInt32(1), 9)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 pads, found 10") { file in
      try file.setPool { ($0.n_pads_end, $0.pads_end) = (10, try file.repeated(UInt32(1), 10)) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 axes, found 9") { file in
      let transpose = try file.arena.message(eri__transpose__init)
      (transpose.pointee.n_permutation, transpose.pointee.permutation) = (9, try file.repeated(UInt32(1), 9))
      try file.node(0) { ($0.operator_case, $0.transpose) = (ERI__NODE__OPERATOR_TRANSPOSE, transpose) }
    },
    Forgery(.limitExceeded, "directory: graph: node 0: expected at most 8 dimensions, found 9") { file in
      let reshape = try file.arena.message(eri__reshape__init)
      try file.input { (reshape.pointee.n_shape, reshape.pointee.shape) = (9, try file.repeated($0.shape, 9)) }
      try file.node(0) { ($0.operator_case, $0.reshape) = (ERI__NODE__OPERATOR_RESHAPE, reshape) }
    },
  ]

  @Test(arguments: counts)
  func `counts and names are held to the limits`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }

  @Test(arguments: values)
  func `values are refused by what they break`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }

  @Test(arguments: nodes)
  func `nodes are refused by what they break, unknown operators by name`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }

  @Test(arguments: attributes)
  func `attributes that repeat are held to the limits`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }
}

extension ForgedFile {
  /// Makes the first node a convolution.
  fileprivate func setConv(_ body: (inout Eri__Conv) throws -> Void) throws {
    let conv = try arena.message(eri__conv__init)
    try body(&conv.pointee)
    try node(0) { ($0.operator_case, $0.conv) = (ERI__NODE__OPERATOR_CONV, conv) }
  }

  /// Makes the first node a pool.
  fileprivate func setPool(_ body: (inout Eri__MaxPool) throws -> Void) throws {
    let pool = try arena.message(eri__max_pool__init)
    try body(&pool.pointee)
    try node(0) { ($0.operator_case, $0.max_pool) = (ERI__NODE__OPERATOR_MAX_POOL, pool) }
  }
}
