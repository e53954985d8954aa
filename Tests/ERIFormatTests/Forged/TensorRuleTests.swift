import CERISchema
import Testing

@testable import ERIFormat

@Suite struct `Forged tensors` {
  static let descriptions = [
    Forgery(.limitExceeded, "directory: expected at most 65536 tensors, found 65537") {
      $0.directory.pointee.n_tensors = Limits.tensors + 1
      $0.directory.pointee.tensors = try $0.repeated($0.directory.pointee.tensors, Limits.tensors + 1)
    },
    Forgery(.invalid, "directory: tensor 1: expected a name of 1 to 512 bytes, found 0") {
      try $0.tensor(1) { $0.name = nil }
    },
    Forgery(.limitExceeded, "directory: tensor 1: expected a name of at most 512 bytes, found 513") { file in
      try file.tensor(1) { $0.name = try file.text(count: 513) }
    },
    Forgery(.invalid, "directory: tensor 1: expected a name of its own, found \"m\" a second time") { file in
      try file.tensor(1) { $0.name = try file.arena.string("m") }
    },
    Forgery(.invalid, "directory: tensor 1: expected a dtype, found number 0") {
      try $0.tensor(1) { $0.dtype = ERI__DTYPE__DTYPE_UNSPECIFIED }
    },
    Forgery(
      .unsupported,
      "directory: tensors 1: dtype: expected a DType that this reader knows, found number 20; read it with a newer release"
    ) { try $0.tensor(1) { $0.dtype = Eri__DType(20) } },
    Forgery(
      .unsupported,
      "directory: tensors 1: role: expected a Role that this reader knows, found number 3; read it with a newer release"
    ) { try $0.tensor(1) { $0.role = Eri__Role(3) } },
    Forgery(
      .unsupported,
      "directory: tensors 1: expected the fields of Tensor that this reader knows, found number 10; read it with a newer release"
    ) { file in try file.tensor(1) { try file.addUnknownField(10, to: &$0.base) } },
    Forgery(.limitExceeded, "directory: tensor 1: expected at most 8 dimensions, found 9") { file in
      try file.tensor(1) { ($0.n_shape, $0.shape) = (9, try file.repeated(UInt64(1), 9)) }
    },
    Forgery(
      .limitExceeded, "directory: tensor 1: expected an extent from 0 to 2147483647, found 2147483648"
    ) { try $0.tensor(1) { $0.shape[0] = 1 << 31 } },
    Forgery(
      .limitExceeded, "directory: tensor 1: expected an extent from 0 to 2147483647, found 18446744073709551615"
    ) { try $0.tensor(1) { $0.shape[1] = .max } },
    Forgery(
      .limitExceeded,
      "directory: tensor \"w\": expected at most 8 dimensions and 2147483647 elements, found [65536, 32768]"
    ) { try $0.tensor(1) { ($0.shape[0], $0.shape[1]) = (65_536, 32_768) } },
    Forgery(
      .invalid, "directory: tensor \"w\": expected optimiser state after all other tensors, found it before"
    ) { try $0.tensor(0) { $0.role = ERI__ROLE__ROLE_OPTIMIZER_STATE } },
    Forgery(.invalid, "directory: tensor 1: expected a SHA-256 of 32 bytes, found 31") {
      try $0.tensor(1) { $0.sha256.len = 31 }
    },
    Forgery(.invalid, "directory: tensor 1: expected a SHA-256 of 32 bytes, found 0") {
      try $0.tensor(1) { $0.sha256.len = 0 }
    },
    Forgery(.limitExceeded, "directory: tensor 1: expected at most 32 bytes of SHA-256, found 33") { file in
      try file.tensor(1) { ($0.sha256.len, $0.sha256.data) = (33, try file.repeated(UInt8(0), 33)) }
    },
  ]

  static let places = [
    Forgery(.limitExceeded, "directory: tensor 1: expected a first frame from 0 to 1048576, found 1048577") {
      try $0.tensor(1) { $0.first_frame = UInt32(Limits.frames) + 1 }
    },
    Forgery(.limitExceeded, "directory: tensor 1: expected frames from 0 to 1048576, found 4294967295") {
      try $0.tensor(1) { $0.frame_count = .max }
    },
    Forgery(.limitExceeded, "directory: tensor 1: expected an offset in a frame from 0 to 1048576, found 1048577") {
      try $0.tensor(1) { $0.frame_offset = UInt32(Limits.frameBytes) + 1 }
    },
    // Over another tensor's bytes, past a hole, and inside a frame.
    Forgery(
      .invalid, "directory: tensor \"w\": expected bytes from frame 2, offset 0, found frame 1, offset 0"
    ) { try $0.tensor(1) { $0.first_frame = 1 } },
    Forgery(
      .invalid, "directory: tensor \"w\": expected bytes from frame 2, offset 0, found frame 3, offset 0"
    ) { try $0.tensor(1) { $0.first_frame = 3 } },
    Forgery(
      .invalid, "directory: tensor \"w\": expected bytes from frame 2, offset 0, found frame 2, offset 4"
    ) { try $0.tensor(1) { $0.frame_offset = 4 } },
    Forgery(
      .invalid, "directory: tensor \"q\": expected bytes from frame 3, offset 160, found frame 3, offset 156"
    ) { try $0.tensor(3) { $0.frame_offset = 156 } },
    Forgery(
      .invalid, "directory: tensor \"q\": expected bytes from frame 3, offset 160, found frame 3, offset 161"
    ) { try $0.tensor(3) { $0.frame_offset = 161 } },
    Forgery(.invalid, "directory: tensor \"w\": expected frames below 4, found 0 from frame 2") {
      try $0.tensor(1) { $0.frame_count = 0 }
    },
    Forgery(.invalid, "directory: tensor \"w\": expected frames below 4, found 3 from frame 2") {
      try $0.tensor(1) { $0.frame_count = 3 }
    },
    Forgery(.invalid, "directory: tensor \"w\": expected frames of 6400 bytes in all, found others") {
      try $0.tensor(1) { $0.frame_count = 2 }
    },
    Forgery(.invalid, "directory: tensor \"w\": expected frames of 6404 bytes in all, found others") {
      try $0.tensor(1) {
        $0.n_shape = 1
        $0.shape[0] = 1601
      }
    },
    Forgery(.invalid, "directory: tensor \"o\": expected 8 bytes from offset 192, found 4") {
      try $0.tensor(4) { $0.shape[0] = 2 }
    },
    Forgery(
      .invalid,
      "directory: tensor \"w\": expected a shared frame of at most 65536 bytes with tensors under 4096, "
        + "found 4096 of 6400 bytes"
    ) {
      try $0.tensor(1) {
        $0.n_shape = 1
        $0.shape[0] = 1024
      }
    },
    Forgery(
      .invalid,
      "directory: tensor \"b\": expected a shared frame of at most 65536 bytes with tensors under 4096, "
        + "found 160 of 65537 bytes"
    ) { try $0.frame(3) { $0.unpacked_bytes = UInt32(Limits.sharedFrameBytes) + 1 } },
    Forgery(.invalid, "directory: tensor \"o\": expected no frames for no bytes, found 1 from frame 3") {
      try $0.tensor(4) { $0.shape[0] = 0 }
    },
    Forgery(.invalid, "directory: expected tensors that fill all 4 data frames, found bytes left in frame 3") {
      $0.directory.pointee.n_tensors = 4
    },
  ]

  static let quantizations = [
    Forgery(.invalid, "directory: tensor 3: expected a quantization scheme, found none") {
      try $0.quantization { $0.scheme = ERI__QUANTIZATION_SCHEME__QUANTIZATION_SCHEME_UNSPECIFIED }
    },
    Forgery(
      .unsupported,
      "directory: tensors 3: quantization: scheme: expected a QuantizationScheme that this reader knows, found number 2; "
        + "read it with a newer release"
    ) { try $0.quantization { $0.scheme = Eri__QuantizationScheme(2) } },
    Forgery(
      .unsupported,
      "directory: tensors 3: quantization: expected the fields of Quantization that this reader knows, found number 9; "
        + "read it with a newer release"
    ) { file in try file.quantization { try file.addUnknownField(9, to: &$0.base) } },
    Forgery(.invalid, "directory: tensor 3: expected a dtype, found number 0") {
      try $0.quantization { $0.stored = ERI__DTYPE__DTYPE_UNSPECIFIED }
    },
    Forgery(
      .invalid,
      "directory: tensor \"q\": expected values of type uint8 as the quantization has it, found int8"
    ) { try $0.quantization { $0.stored = ERI__DTYPE__DTYPE_U8 } },
    Forgery(
      .invalid, "directory: tensor \"q\": expected quantization to integers of 8 to 32 bits, found bool"
    ) { file in
      try file.tensor(3) { $0.dtype = ERI__DTYPE__DTYPE_BOOL }
      try file.quantization { $0.stored = ERI__DTYPE__DTYPE_BOOL }
    },
    Forgery(.limitExceeded, "directory: tensor 3: expected at most 4194304 scales, found 4194305") { file in
      try file.quantization {
        ($0.n_scales, $0.scales) = (Limits.scales + 1, try file.repeated(Float(1), Limits.scales + 1))
      }
    },
    Forgery(.limitExceeded, "directory: tensor 3: expected at most 4194304 zero points, found 4194305") { file in
      try file.quantization {
        ($0.n_zero_points, $0.zero_points) = (Limits.scales + 1, try file.repeated(Int32(1), Limits.scales + 1))
      }
    },
    Forgery(.limitExceeded, "directory: tensor 3: expected an axis from 0 to 8, found -1") {
      try $0.quantization { $0.axis = -1 }
    },
    Forgery(.limitExceeded, "directory: tensor 3: expected an axis from 0 to 8, found 9") {
      try $0.quantization { $0.axis = 9 }
    },
    Forgery(.limitExceeded, "directory: tensor 3: expected a block from 0 to 2147483647, found 2147483648") {
      try $0.quantization { $0.block = 1 << 31 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected a range within -128...127, found -129 to 127") {
      try $0.quantization { $0.minimum = -129 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected a range within -128...127, found -127 to 128") {
      try $0.quantization { $0.maximum = 128 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected a range within -128...127, found 5 to 4") {
      try $0.quantization { ($0.minimum, $0.maximum) = (5, 4) }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected scales and no or as many zero points, found 0 and 4") {
      try $0.quantization { $0.n_scales = 0 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected scales and no or as many zero points, found 4 and 3") {
      try $0.quantization { $0.n_zero_points = 3 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected finite scales above 0, found 0.0") {
      try $0.quantization { $0.scales[2] = 0 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected finite scales above 0, found -1.0") {
      try $0.quantization { $0.scales[2] = -1 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected finite scales above 0, found inf") {
      try $0.quantization { $0.scales[2] = .infinity }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected finite scales above 0, found nan") {
      try $0.quantization { $0.scales[2] = .nan }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected zero points within -128...127, found 128") {
      try $0.quantization { $0.zero_points[3] = 128 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected zero points within -128...127, found -129") {
      try $0.quantization { $0.zero_points[3] = -129 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected a quantization axis below 2, found 2") {
      try $0.quantization { $0.axis = 2 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected 1 or 8 scales along axis 1, found 4") {
      try $0.quantization { $0.axis = 1 }
    },
    Forgery(.invalid, "directory: tensor \"q\": expected 1 or 3 scales along axis 1, found 4") {
      try $0.quantization { ($0.axis, $0.block) = (1, 3) }
    },
  ]

  @Test(arguments: descriptions)
  func `descriptions are refused by what they break`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }

  @Test(arguments: places)
  func `places with a hole, an overlap or another size are refused`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }

  @Test(arguments: quantizations)
  func `quantizations are refused by what they break`(forgery: Forgery) throws {
    #expect(try forgery.refusal() == forgery.expected)
  }

  @Test func `two scales for blocks of four along an axis of eight are read`() throws {
    let file = try ForgedFile()
    try file.quantization { ($0.axis, $0.block, $0.n_scales, $0.n_zero_points) = (1, 4, 2, 0) }
    #expect(try file.refusal() == nil)
  }
}
