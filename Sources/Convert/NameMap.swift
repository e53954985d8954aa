package import ERIFormat

/// How one source names its tensors: a file of rules (docs/maps.md), the first that fits a name deciding what becomes of it.
package struct NameMap: Sendable {
  /// What becomes of the tensors whose names a rule's pattern fits.
  enum Action: Equatable, Sendable {
    case rename(NameTemplate)
    /// The axes in another order; nil: reversed.
    case transpose([Int]?, NameTemplate)
    /// Equal parts along the first axis.
    case split([NameTemplate])
    /// Joined with others along the first axis.
    case merge(with: [NameTemplate], NameTemplate)
    /// Another name of a tensor that is there too, with the same values.
    case alias(of: NameTemplate)
    case drop
  }

  struct Rule: Equatable, Sendable {
    let pattern: NamePattern
    let action: Action
    /// The line, for reports.
    let text: String
    /// The line's first word.
    let word: String
  }

  /// A value for the network's tensors of some names that the source lacks by design.
  struct Fill: Equatable, Sendable {
    let value: Float
    let pattern: NamePattern
    let text: String
  }

  package internal(set) var name = ""
  /// Prefixes of the network under which the names on the right may stand, beside none.
  var places: [String] = []
  /// What a user of the source must know, a sentence each.
  var notes: [String] = []
  /// Prefixes that are taken off names that bear them.
  var strips: [String] = []
  var rules: [Rule] = []
  var fills: [Fill] = []
  /// The lines without comments and the name, from which another map can be written.
  var lines: [String] = []
}

extension NameMap {
  /// Maps of known sources, in the order in which they are tried.
  package static func builtIn() throws(FormatError) -> [NameMap] {
    var maps: [NameMap] = []
    for (file, bytes) in embedded { maps.append(try NameMap(bytes, at: "map \(file)")) }
    return maps
  }

  /// The files of Maps/, which the build embeds; simplest first, since the first that explains all names is taken.
  static var embedded: [(file: String, bytes: [UInt8])] {
    [
      ("native", PackageResources.native_map), ("torchvision", PackageResources.torchvision_map),
      ("timm", PackageResources.timm_map), ("dan", PackageResources.dan_map),
      ("former-dfer", PackageResources.former_dfer_map), ("temma", PackageResources.temma_map),
      ("mindspore", PackageResources.mindspore_map), ("hf-resnet", PackageResources.hf_resnet_map),
      ("facenet-pnet", PackageResources.facenet_pnet_map), ("facenet-rnet", PackageResources.facenet_rnet_map),
      ("facenet-onet", PackageResources.facenet_onet_map),
    ]
  }

  /// Reads a user's map.
  package init(reading path: String) throws(FormatError) {
    let bytes: [UInt8]
    do throws(FormatError) {
      let file = try FileHandle(path: path)
      guard file.byteCount <= NameMap.byteLimit else {
        throw FormatError(
          .limitExceeded, at: "", "expected a map of at most \(NameMap.byteLimit) bytes, found \(file.byteCount)")
      }
      bytes = try file.bytes(Int(file.byteCount), at: 0)
    } catch {
      throw error.inside(path)
    }
    try self.init(bytes, at: path)
    if name.isEmpty { name = fileName(of: path) }
  }

  /// Bytes of a map's file.
  private static let byteLimit: UInt64 = 1 << 20
}
