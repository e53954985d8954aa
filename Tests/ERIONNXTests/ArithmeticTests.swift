import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct ArithmeticTests {
  @Test func `operands of different shapes repeat along the axes they lack`() throws {
    let result = try Application("Add", opset: 14).run([.f32([2, 1, 2], [1, 2, 3, 4]), .f32([3, 1], [10, 20, 30])])
    #expect(result.results[0].shape == [2, 3, 2])
    #expect(result.results[0].values(Float.self) == [11, 12, 21, 22, 31, 32, 13, 14, 23, 24, 33, 34])
  }

  @Test func `shapes that do not broadcast are refused`() {
    #expect(
      text(Application("Add", opset: 14), [.f32([2, 3], 0), .f32([2], 0)])
        == "expected shapes that broadcast together, found [2, 3] and [2]")
  }

  @Test func `an operand of another type is refused`() {
    #expect(
      text(Application("Mul", opset: 14), [.f32([2], 0), .i64([1, 2])])
        == "expected b of float32, found int64")
  }

  @Test func `integers divide towards zero and wrap around`() throws {
    let a = Application.Operand(.i32, [3], [Int32(-7), 7, .min])
    let result = try Application("Div", opset: 14).run([a, .init(.i32, [3], [Int32(2), -2, -1])])
    #expect(result.results[0].values(Int32.self) == [-3, -3, .min])
  }

  @Test func `an integer divisor of 0 stops the run`() throws {
    let result = try Application("Mod", opset: 13).run([.i64([1, 2]), .i64([1, 0])])
    #expect(result.fault == .divisionByZero)
  }

  @Test func `a remainder has the divisor's sign, or the dividend's with fmod`() throws {
    let operands: [Application.Operand] = [.i64([-7, 7]), .i64([3, -3])]
    let floored = try Application("Mod", opset: 13).run(operands)
    let cut = try Application("Mod", opset: 13, [ONNXAttribute("fmod", .integer(1))]).run(operands)
    #expect(floored.results[0].values(Int64.self) == [2, -2])
    #expect(cut.results[0].values(Int64.self) == [-1, 1])
  }

  @Test func `a power has its base's type`() throws {
    let result = try Application("Pow", opset: 15).run([.i64([2, 3]), .f32([2], [0.5, 2])])
    #expect(result.results[0].values(Int64.self) == [1, 9])
  }

  @Test func `the greater of a number and NaN is NaN`() throws {
    let result = try Application("Max", opset: 13).run([.f32([2], [.nan, 1]), .f32([2], [2, .nan])])
    #expect(result.results[0].values(Float.self).allSatisfy { $0.isNaN })
  }

  @Test func `a shift by all bits leaves what the sign fills`() throws {
    let right = [ONNXAttribute("direction", .text("RIGHT"))]
    let result = try Application("BitShift", opset: 28, right).run([.i64([-5, 5]), .i64([64, -1])])
    #expect(result.results[0].values(Int64.self) == [-1, 0])
  }

  @Test func `nothing is computed of no elements`() throws {
    let result = try Application("Add", opset: 14).run([.f32([0, 3], 0), .f32([3], 1)])
    #expect(result.results[0].shape == [0, 3])
  }

  @Test func `bounds that cross give the upper one`() throws {
    let result = try Application("Clip", opset: 13).run([.f32([2], [0, 9]), .f32([], 5), .f32([], 2)])
    #expect(result.results[0].values(Float.self) == [2, 2])
  }

  @Test func `a Clip of operator set 6 has its bounds as attributes`() throws {
    let bounds = [ONNXAttribute("min", .number(-1)), ONNXAttribute("max", .number(1))]
    let result = try Application("Clip", opset: 6, bounds).run([.f32([3], [-4, 0.5, 4])])
    #expect(result.results[0].values(Float.self) == [-1, 0.5, 1])
  }

  @Test func `a bool is not added`() {
    #expect(
      text(Application("Add", opset: 14), [.bool([1], [true]), .bool([1], [true])])
        == "expected a of float32, float64, int64, int32, int16, int8, uint64, uint32, uint16, uint8, found bool")
  }
}

/// Why an application is refused.
func text(_ application: Application, _ operands: [Application.Operand?]) -> String {
  do throws(FormatError) {
    _ = try application.kernel(operands)
    return "no refusal"
  } catch { return error.message }
}
