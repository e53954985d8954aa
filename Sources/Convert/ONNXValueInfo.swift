import ERIFormat

/// What an ONNX model says of a value: its name and its type.
struct ONNXValueInfo {
  enum Extent: Equatable {
    case constant(Int64)
    /// The same wherever it bears the same name.
    case named(String)
    case open
  }

  enum Declared {
    /// A tensor's element type by number, and its extents; nil: of any rank.
    case tensor(UInt64, [Extent]?)
    /// "a sequence", which is no tensor.
    case other(String)
    case none
  }

  var name = ""
  var declared = Declared.none

  /// Reads a ValueInfoProto: name 1, type 2.
  init(_ message: ProtobufReader, _ what: String) throws(FormatError) {
    var message = message
    while let field = try message.next() {
      switch field.number {
      case 1: name = try message.text(field, limit: Limits.nameBytes, "\(what)'s name")
      case 2:
        do throws(FormatError) { declared = try ONNXValueInfo.type(try message.message(field, "a type")) } catch {
          throw error.inside("\(what) \"\(brief(name))\"")
        }
      default: break
      }
    }
  }

  /// Reads a TypeProto, a oneof of tensor 1, sequence 4, map 5, opaque 7, sparse tensor 8, optional 9; the last one counts.
  private static func type(_ message: ProtobufReader) throws(FormatError) -> Declared {
    var message = message
    var declared = Declared.none
    while let field = try message.next() {
      switch field.number {
      case 1: declared = try tensor(try message.message(field, "a tensor's type"))
      case 4: declared = .other("a sequence")
      case 5: declared = .other("a map")
      case 7: declared = .other("an opaque type")
      case 8: declared = .other("a sparse tensor")
      case 9: declared = .other("an optional value")
      default: break
      }
    }
    return declared
  }

  private static func tensor(_ message: ProtobufReader) throws(FormatError) -> Declared {
    var message = message
    var type: UInt64 = 0
    var shape: [Extent]?
    while let field = try message.next() {
      switch field.number {
      case 1: type = try message.integer(field, "an element type")
      case 2: shape = try self.shape(try message.message(field, "a shape"))
      default: break
      }
    }
    return .tensor(type, shape)
  }

  /// TensorShapeProto: dim 1, each a value 1 or a name 2.
  private static func shape(_ message: ProtobufReader) throws(FormatError) -> [Extent] {
    var message = message
    var shape: [Extent] = []
    while let field = try message.next() {
      guard field.number == 1 else { continue }
      guard shape.count < Limits.rank else {
        throw FormatError(.limitExceeded, at: "", "expected at most \(Limits.rank) dimensions, found more")
      }
      var dimension = try message.message(field, "a dimension")
      var extent = Extent.open
      while let field = try dimension.next() {
        switch field.number {
        case 1:
          let value = Int64(bitPattern: try dimension.integer(field, "an extent"))
          // Exporters write -1 for what a caller chooses.
          extent = value < 0 ? .open : .constant(value)
        case 2:
          let name = try dimension.text(field, limit: Limits.nameBytes, "a dimension's name")
          extent = name.isEmpty ? .open : .named(name)
        default: break
        }
      }
      shape.append(extent)
    }
    return shape
  }

  /// The extents, -1 for what a caller chooses; none where no shape is said.
  var summary: [Int] {
    guard case .tensor(_, let shape?) = declared else { return [] }
    return shape.map { if case .constant(let value) = $0 { Int(clamping: value) } else { -1 } }
  }
}
