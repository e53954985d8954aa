import CERISchema
import Testing

@testable import ERIFormat

@Suite struct `Forged metadata` {
  private static func tooLong(_ place: String, _ what: String, _ limit: Int) -> String {
    "directory: \(place)expected \(what) of at most \(limit) bytes, found \(limit + 1)"
  }

  private static func tooMany(_ place: String, _ what: String, _ limit: Int) -> String {
    "directory: \(place)expected at most \(limit) \(what), found \(limit + 1)"
  }

  static let texts: [Forgery] = [
    Forgery(.limitExceeded, tooLong("", "a producer's name", 512)) {
      $0.directory.pointee.producer = try $0.text(count: 513)
    },
    Forgery(.limitExceeded, tooLong("", "a label", 512)) { $0.directory.pointee.labels[1] = try $0.text(count: 513) },
    Forgery(.invalid, "directory: label 1: expected a name of 1 to 512 bytes, found 0") {
      $0.directory.pointee.labels[1] = try $0.text(count: 0)
    },
    Forgery(.invalid, "directory: label 1: expected a name of its own, found \"one\" a second time") {
      $0.directory.pointee.labels[1] = $0.directory.pointee.labels[0]
    },
    Forgery(.limitExceeded, tooLong("", "a licence", 1 << 20)) {
      $0.directory.pointee.licence = try $0.text(count: (1 << 20) + 1)
    },
    Forgery(.limitExceeded, tooLong("provenance: ", "a network's name", 512)) { file in
      try file.provenance { $0.network = try file.text(count: 513) }
    },
    Forgery(.limitExceeded, tooLong("provenance: ", "a digest", 512)) { file in
      try file.provenance { $0.dataset_sha256 = try file.text(count: 513) }
    },
    Forgery(.limitExceeded, tooLong("provenance: parameter 0: ", "a parameter's name", 512)) { file in
      try file.parameter { $0.name = try file.text(count: 513) }
    },
    Forgery(.limitExceeded, tooLong("provenance: parameter 0: ", "a parameter's text", 1 << 20)) { file in
      try file.parameter { $0.text = try file.text(count: (1 << 20) + 1) }
    },
    Forgery(.limitExceeded, tooLong("lineage step 0: ", "an action", 512)) { file in
      try file.lineage { $0.action = try file.text(count: 513) }
    },
    Forgery(.limitExceeded, tooLong("lineage step 0: ", "a detail", 1 << 20)) { file in
      try file.lineage { $0.detail = try file.text(count: (1 << 20) + 1) }
    },
    Forgery(.limitExceeded, tooLong("lineage step 0: ", "a source", 1 << 20)) { file in
      try file.lineage { $0.source = try file.text(count: (1 << 20) + 1) }
    },
    Forgery(.limitExceeded, tooLong("lineage step 0: ", "a digest", 512)) { file in
      try file.lineage { $0.source_sha256 = try file.text(count: 513) }
    },
    Forgery(.limitExceeded, tooLong("golden 0: ", "a name", 512)) { file in
      try file.golden { $0.name = try file.text(count: 513) }
    },
    Forgery(.limitExceeded, tooLong("golden 0: binding 0: ", "a symbol's name", 512)) { file in
      try file.binding { $0.symbol = try file.text(count: 513) }
    },
    Forgery(.limitExceeded, tooLong("golden 0: input 0: ", "a name", 512)) { file in
      try file.goldenInput { $0.name = try file.text(count: 513) }
    },
  ]

  static let counts: [Forgery] = [
    Forgery(.limitExceeded, tooMany("", "labels", 4_096)) {
      ($0.directory.pointee.n_labels, $0.directory.pointee.labels) = (
        4_097, try $0.repeated($0.directory.pointee.labels[0], 4_097)
      )
    },
    Forgery(.limitExceeded, tooMany("provenance: ", "parameters", 4_096)) { file in
      try file.provenance { ($0.n_parameters, $0.parameters) = (4_097, try file.repeated($0.parameters, 4_097)) }
    },
    Forgery(.limitExceeded, tooMany("provenance: ", "parameters", 4_096)) { file in
      try file.provenance { ($0.n_training, $0.training) = (4_097, try file.repeated($0.training, 4_097)) }
    },
    Forgery(.limitExceeded, tooMany("", "steps of lineage", 4_096)) {
      $0.directory.pointee.n_lineage = 4_097
      $0.directory.pointee.lineage = try $0.repeated($0.directory.pointee.lineage, 4_097)
    },
    Forgery(.limitExceeded, tooMany("", "goldens", 1_024)) {
      $0.directory.pointee.n_goldens = 1_025
      $0.directory.pointee.goldens = try $0.repeated($0.directory.pointee.goldens, 1_025)
    },
    Forgery(.limitExceeded, tooMany("golden 0: ", "bindings", 64)) { file in
      try file.golden { ($0.n_bindings, $0.bindings) = (65, try file.repeated($0.bindings, 65)) }
    },
    Forgery(.limitExceeded, tooMany("golden 0: ", "inputs", 1_024)) { file in
      try file.golden { ($0.n_inputs, $0.inputs) = (1_025, try file.repeated($0.inputs, 1_025)) }
    },
    Forgery(.limitExceeded, tooMany("golden 0: ", "outputs", 1_024)) { file in
      try file.golden { ($0.n_outputs, $0.outputs) = (1_025, try file.repeated($0.outputs, 1_025)) }
    },
    Forgery(.limitExceeded, tooMany("golden 0: input 0: ", "dimensions", 8)) { file in
      try file.goldenInput { ($0.n_shape, $0.shape) = (9, try file.repeated(UInt64(1), 9)) }
    },
  ]

  static let values: [Forgery] = [
    Forgery(
      .limitExceeded, "directory: golden 0: binding 0: expected a size from 0 to 2147483647, found 2147483648"
    ) { try $0.binding { $0.size = 1 << 31 } },
    Forgery(
      .limitExceeded, "directory: golden 0: input 0: expected an extent from 0 to 2147483647, found 2147483648"
    ) { try $0.goldenInput { $0.shape[0] = 1 << 31 } },
    Forgery(.invalid, "directory: golden 0: input 0: expected a dtype, found number 0") {
      try $0.goldenInput { $0.dtype = ERI__DTYPE__DTYPE_UNSPECIFIED }
    },
    Forgery(.invalid, "directory: golden 0: input 0: expected the values of uint8 [3], found 2 bytes") {
      try $0.goldenInput { $0.shape[0] = 3 }
    },
    Forgery(.invalid, "directory: golden 0: expected a finite tolerance of at least 0, found -1.0") {
      try $0.golden { $0.tolerance = -1 }
    },
    Forgery(.invalid, "directory: golden 0: expected a finite tolerance of at least 0, found nan") {
      try $0.golden { $0.tolerance = .nan }
    },
  ]

  @Test(arguments: texts)
  func `texts are held to the limits`(forgery: Forgery) throws { #expect(try forgery.refusal() == forgery.expected) }

  @Test(arguments: counts)
  func `counts are held to the limits`(forgery: Forgery) throws { #expect(try forgery.refusal() == forgery.expected) }

  @Test(arguments: values)
  func `goldens are refused by what they break`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }

  @Test func `fields and kinds that a newer minor version brought are passed over`() throws {
    let file = try ForgedFile()
    try file.addUnknownField(13, to: &file.directory.pointee.base)
    try file.lineage { try file.addUnknownField(9, to: &$0.base) }
    try file.provenance { try file.addUnknownField(9, to: &$0.base) }
    try file.golden { try file.addUnknownField(9, to: &$0.base) }
    try file.budget { try file.addUnknownField(9, to: &$0.base) }
    try file.operatorUse(0) { try file.addUnknownField(9, to: &$0.base) }
    try file.parameter {
      $0.value_case = ERI__PARAMETER__VALUE__NOT_SET
      try file.addUnknownField(9, to: &$0.base)
    }
    try file.goldenInput { $0.dtype = Eri__DType(20) }
    #expect(try file.refusal() == nil)
    let directory = try file.bytes().withUnsafeBytes { bytes in
      let start = 256 + file.payload.count + 8
      return try DirectoryReader.read(
        UnsafeRawBufferPointer(rebasing: bytes[start..<(bytes.count - SeekTable.byteCount(frames: 6))]), features: 0)
    }
    #expect(directory.model.provenance?.parameters == [])
    #expect(directory.model.goldens == [])
    #expect(directory.model.lineage.count == 1)
  }
}
