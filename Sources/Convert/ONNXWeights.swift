import ERIFormat

/// What an ONNX model says of itself.
package struct ONNXSummary: Sendable {
  package var irVersion: UInt64 = 0
  /// Domains ("" is ONNX's own) and their versions.
  package var opset: [(domain: String, version: UInt64)] = []
  package var producerName = ""
  package var producerVersion = ""
  package var nodeCount = 0
  /// Each type once, sorted.
  package var operatorTypes: [String] = []
  /// The graph's inputs, initialised ones among them; an extent that a caller chooses is -1.
  package var inputs: [(name: String, shape: [Int])] = []
}

/// Reads the initialisers of an ONNX model's graph.
enum ONNXWeights {
  static func read(_ file: FileHandle, path: String) throws(FormatError) -> Checkpoint {
    var message = ProtobufReader(FileWindow(file), from: 0, to: file.byteCount)
    var summary = ONNXSummary()
    var graph: ProtobufReader?
    while let field = try message.next() {
      switch field.number {
      case 1: summary.irVersion = try message.integer(field, "an IR version")
      case 2: summary.producerName = try message.text(field, limit: Limits.nameBytes, "a producer's name")
      case 3: summary.producerVersion = try message.text(field, limit: Limits.nameBytes, "a producer's version")
      case 7:
        guard graph == nil else {
          throw FormatError(.invalid, at: "byte \(field.offset)", "expected one graph, found a second")
        }
        graph = try message.message(field, "a graph")
      case 8:
        guard summary.opset.count < Limits.arity else {
          throw FormatError(
            .limitExceeded, at: "byte \(field.offset)", "expected at most \(Limits.arity) operator sets, found more")
        }
        summary.opset.append(try operatorSet(try message.message(field, "an operator set")))
      default: break
      }
    }
    guard let graph else {
      throw FormatError(.invalid, at: "", "expected an ONNX model with a graph, found none; is it a single tensor?")
    }
    var reader = ONNXGraphReader(file, path: path, summary: summary)
    do throws(FormatError) { try reader.read(graph) } catch { throw error.inside("graph") }
    var checkpoint = Checkpoint(.onnx, path: path, entries: reader.entries, notes: reader.notes)
    reader.summary.operatorTypes = reader.types.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    checkpoint.details = .onnx(reader.summary)
    return checkpoint
  }

  private static func operatorSet(_ message: ProtobufReader) throws(FormatError) -> (domain: String, version: UInt64) {
    var message = message
    var set = (domain: "", version: UInt64(0))
    while let field = try message.next() {
      switch field.number {
      case 1: set.domain = try message.text(field, limit: Limits.nameBytes, "a domain")
      case 2: set.version = try message.integer(field, "a version")
      default: break
      }
    }
    return set
  }
}

/// Reads one graph's initialisers and counts the rest.
struct ONNXGraphReader {
  private(set) var entries: [Checkpoint.Entry] = []
  private(set) var notes: [String] = []
  private(set) var types: Set<String> = []
  var summary: ONNXSummary

  private let tensors: ONNXTensorReader

  init(_ file: FileHandle, path: String, summary: ONNXSummary) {
    self.summary = summary
    tensors = ONNXTensorReader(file, path: path)
  }

  mutating func read(_ graph: ProtobufReader) throws(FormatError) {
    var graph = graph
    var subgraphs = 0
    while let field = try graph.next() {
      switch field.number {
      case 1:
        summary.nodeCount += 1
        if try node(try graph.message(field, "a node")) { subgraphs += 1 }
      case 5:
        guard entries.count < Limits.tensors else {
          throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.tensors) initialisers, found more")
        }
        let message = try graph.message(field, "an initialiser")
        do throws(FormatError) {
          entries.append(try tensors.read(message))
        } catch {
          throw error.inside("initialiser \(entries.count)")
        }
      case 11:
        guard summary.inputs.count < Limits.values else {
          throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.values) inputs, found more")
        }
        summary.inputs.append(try input(try graph.message(field, "an input")))
      case 15:
        throw FormatError(
          .unsupported, at: "byte \(field.offset)",
          "expected initialisers with all their values, found a sparse one; export the model with dense tensors")
      default: break
      }
    }
    if subgraphs > 0 {
      notes.append("initialisers of \(counted(subgraphs, "graph")) within nodes left out")
    }
  }

  /// Notes an operator's type; whether it holds a graph.
  private mutating func node(_ message: ProtobufReader) throws(FormatError) -> Bool {
    var message = message
    var holdsGraph = false
    while let field = try message.next() {
      switch field.number {
      case 4: types.insert(try message.text(field, limit: Limits.nameBytes, "an operator's type"))
      case 5:
        var attribute = try message.message(field, "an attribute")
        while let field = try attribute.next() {
          if field.number == 6 || field.number == 11 { holdsGraph = true }
        }
      default: break
      }
    }
    return holdsGraph
  }

  /// ValueInfoProto: name 1, type 2.
  private func input(_ message: ProtobufReader) throws(FormatError) -> (name: String, shape: [Int]) {
    var message = message
    var name = ""
    var shape: [Int] = []
    while let field = try message.next() {
      switch field.number {
      case 1: name = try message.text(field, limit: Limits.nameBytes, "an input's name")
      case 2:
        do throws(FormatError) { shape = try self.shape(try message.message(field, "a type")) } catch {
          throw error.inside("input \"\(brief(name))\"")
        }
      default: break
      }
    }
    return (name, shape)
  }

  /// The extents of TypeProto.tensor_type 1, .shape 2, .dim 1, .dim_value 1.
  private func shape(_ type: ProtobufReader) throws(FormatError) -> [Int] {
    var shape: [Int] = []
    guard let tensor = try last(1, of: type, "a tensor's type"), var dimensions = try last(2, of: tensor, "a shape")
    else { return [] }
    while let field = try dimensions.next() {
      guard field.number == 1 else { continue }
      var dimension = try dimensions.message(field, "a dimension")
      var extent = -1
      while let field = try dimension.next() {
        guard field.number == 1 else { continue }
        extent = Int(clamping: Int64(bitPattern: try dimension.integer(field, "an extent")))
      }
      guard shape.count < Limits.rank else {
        throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.rank) dimensions, found more")
      }
      shape.append(extent)
    }
    return shape
  }

  /// The message in a field's last occurrence, which is the one that counts.
  private func last(_ number: UInt32, of message: ProtobufReader, _ what: String) throws(FormatError) -> ProtobufReader?
  {
    var message = message
    var found: ProtobufReader?
    while let field = try message.next() {
      if field.number == number { found = try message.message(field, what) }
    }
    return found
  }
}
