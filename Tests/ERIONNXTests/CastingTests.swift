import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct CastingTests {
  private func cast(_ operand: Application.Operand, to number: Int64, saturate: Int64 = 1) throws -> Application.Result
  {
    let attributes = [ONNXAttribute("to", .integer(number)), ONNXAttribute("saturate", .integer(saturate))]
    return try Application("Cast", opset: 21, attributes).run([operand]).results[0]
  }

  @Test(arguments: [
    (Int64(17), [0x7E, 0xFE, 0x38, 0x00] as [UInt8]), (18, [0x7F, 0xFF, 0x40, 0x00]), (19, [0x7B, 0xFB, 0x3C, 0x00]),
    (20, [0x7F, 0xFF, 0x40, 0x00]),
  ])
  func `a float of 8 bits saturates at its greatest number`(number: Int64, bits: [UInt8]) throws {
    let result = try cast(.f32([4], [1e6, -.infinity, 1, 1e-9]), to: number)
    #expect(result.values(UInt8.self) == bits)
  }

  @Test(arguments: [
    (Int64(17), [0x7F, 0xFF] as [UInt8]), (18, [0x80, 0x80]), (19, [0x7C, 0xFC]), (20, [0x80, 0x80]),
  ])
  func `without saturation it becomes infinite or NaN`(number: Int64, bits: [UInt8]) throws {
    let result = try cast(.f32([2], [1e6, -1e6]), to: number, saturate: 0)
    #expect(result.values(UInt8.self) == bits)
  }

  @Test(arguments: [
    (SmallFloat.e4m3fn, Int64(17)), (.e4m3fnuz, 18), (.e5m2, 19), (.e5m2fnuz, 20),
  ])
  func `every number of 8 bits is read and written as the same bits`(format: SmallFloat, number: Int64) throws {
    let all = (UInt8.min...UInt8.max).filter { format.decode($0).isFinite }
    let result = try cast(.f32([all.count], all.map { format.decode($0) }), to: number)
    #expect(result.values(UInt8.self) == all)
  }

  @Test func `a tie rounds to the even number of 8 bits`() throws {
    // Between 16 and 18, and between 18 and 20.
    let result = try cast(.f32([2], [17, 19]), to: 17)
    #expect(result.values(UInt8.self).map { SmallFloat.e4m3fn.decode($0) } == [16, 20])
  }

  @Test func `an integer keeps its low bits`() throws {
    #expect(try cast(.i64([300, -1]), to: 2).values(UInt8.self) == [44, 255])
  }

  @Test func `an integer of 4 bits is extended by its sign`() throws {
    #expect(try cast(.i64([7, 8, -8]), to: 22).values(Int8.self) == [7, -8, -8])
  }

  @Test func `NaN and infinities become integers without a trap`() throws {
    let result = try cast(.f32([3], [.nan, .infinity, -.infinity]), to: 7)
    #expect(result.values(Int64.self) == [0, .max, .min])
  }

  @Test func `what is not 0 is true`() throws {
    #expect(try cast(.f32([4], [0, -0.0, 0.25, .nan]), to: 9).values(UInt8.self) == [0, 0, 1, 1])
  }

  @Test func `a type that eri lacks is refused`() {
    #expect(
      text(Application("Cast", opset: 21, [ONNXAttribute("to", .integer(8))]), [.f32([1], 0)])
        == "expected attribute \"to\" to be the number of a type of numbers in .eri, found 8")
  }

  @Test func `bits are kept only between types of one size`() {
    #expect(
      text(Application("BitCast", opset: 26, [ONNXAttribute("to", .integer(7))]), [.f32([1], 0)])
        == "expected a type of 32 bits like float32, found int64")
  }
}
