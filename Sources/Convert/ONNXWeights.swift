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
    let model = try ONNXModelMessage(file)
    var reader = ONNXGraphReader(file, path: path, summary: model.summary)
    do throws(FormatError) { try reader.read(model.graph) } catch { throw error.inside("graph") }
    var checkpoint = Checkpoint(.onnx, path: path, entries: reader.entries, notes: reader.notes)
    reader.summary.operatorTypes = reader.types.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    checkpoint.details = .onnx(reader.summary)
    return checkpoint
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
        let input = try ONNXValueInfo(try graph.message(field, "an input"), "input")
        summary.inputs.append((input.name, input.summary))
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
}
