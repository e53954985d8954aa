import ERIFormat
import Testing

@testable import ERIONNX

@Suite struct ProductTests {
  /// Whole numbers, whose products and sums float32 holds exactly.
  private func numbers(_ count: Int) -> [Float] { (0..<count).map { Float($0 * 7 % 11 - 5) } }

  private func product(_ a: [Float], _ b: [Float], _ m: Int, _ n: Int, _ k: Int) -> [Float] {
    var c = [Float](repeating: 0, count: m * n)
    for row in 0..<m {
      for column in 0..<n {
        for index in 0..<k { c[row * n + column] += a[row * k + index] * b[index * n + column] }
      }
    }
    return c
  }

  @Test(arguments: [(1, 5, 3), (4, 16, 7), (9, 19, 33), (3, 1, 1)])
  func `a product is the sum over rows and columns`(m: Int, n: Int, k: Int) throws {
    let (a, b) = (numbers(m * k), numbers(k * n))
    let result = try Application("MatMul", opset: 13).run([.f32([m, k], a), .f32([k, n], b)])
    #expect(result.results[0].values(Float.self) == product(a, b, m, n, k))
  }

  @Test(arguments: [(1, 5, 3), (9, 19, 33)])
  func `transposed operands give the same product`(m: Int, n: Int, k: Int) throws {
    let (a, b) = (numbers(m * k), numbers(k * n))
    let left = (0..<(m * k)).map { a[$0 % m * k + $0 / m] }
    let right = (0..<(k * n)).map { b[$0 % k * n + $0 / k] }
    let attributes = [ONNXAttribute("transA", .integer(1)), ONNXAttribute("transB", .integer(1))]
    let result = try Application("Gemm", opset: 13, attributes).run([.f32([k, m], left), .f32([n, k], right)])
    #expect(result.results[0].values(Float.self) == product(a, b, m, n, k))
  }

  @Test func `leading axes repeat`() throws {
    let result = try Application("MatMul", opset: 13).run([
      .f32([2, 1, 1, 2], [1, 2, 3, 4]), .f32([2, 2, 1], [1, 0, 0, 1]),
    ])
    #expect(result.results[0].shape == [2, 2, 1, 1])
    #expect(result.results[0].values(Float.self) == [1, 2, 3, 4])
  }

  @Test func `a sum of no products is 0`() throws {
    let result = try Application("MatMul", opset: 13).run([.f32([5, 0], 0), .f32([0, 2], 0)])
    #expect(result.results[0].values(Float.self) == [Float](repeating: 0, count: 10))
  }

  @Test func `matrices that do not fit are refused`() {
    #expect(
      text(Application("MatMul", opset: 13), [.f32([2, 3], 0), .f32([4, 2], 0)])
        == "expected as many rows on the right as columns on the left, found [2, 3] and [4, 2]")
  }

  @Test func `integers of 8 bits lose their zero points first`() throws {
    let a = Application.Operand(.u8, [1, 2], [UInt8(0), 255])
    let result = try Application("MatMulInteger", opset: 10).run([
      a, .init(.i8, [2, 1], [Int8(2), -3]), .init(.u8, [], [UInt8(1)]), .init(.i8, [], [Int8(1)]),
    ])
    #expect(result.results[0].values(Int32.self) == [-1 - 254 * 4])
  }

  @Test(arguments: [
    ("ij,jk->ik", [2, 2], [7, 10, 15, 22] as [Float]), ("ij,jk", [2, 2], [7, 10, 15, 22]), ("ij,ij->", [], [30]),
    ("...j,...j->...", [2], [5, 25]),
  ])
  func `an equation tells which axes are summed`(equation: String, shape: [Int], expected: [Float]) throws {
    let x = Application.Operand.f32([2, 2], [1, 2, 3, 4])
    let result = try Application("Einsum", opset: 12, [ONNXAttribute("equation", .text(equation))]).run([x, x])
    #expect(result.results[0].shape == shape)
    #expect(result.results[0].values(Float.self) == expected)
  }

  @Test func `a letter with two extents is refused`() {
    #expect(
      text(
        Application("Einsum", opset: 12, [ONNXAttribute("equation", .text("ij,jk"))]),
        [.f32([2, 3], 0), .f32([2, 2], 0)])
        == "expected one extent for each letter of \"ij,jk\", found 3 and 2")
  }

  @Test func `the determinant of a matrix with equal rows is 0`() throws {
    let result = try Application("Det", opset: 22).run([.f32([2, 2, 2], [0, 1, 2, 0, 1, 2, 1, 2])])
    #expect(result.results[0].values(Float.self) == [-2, 0])
  }
}
