import Testing

@testable import ERIFormat

@Suite struct `Contract of attention` {
  private static func attention(
    heads: Int = 2, scale: Float = 1, _ band: Attention.Band? = nil
  ) -> Operator { .attention(Attention(heads: heads, scale: scale, band: band)) }

  static let accepted = [
    Application(attention(heads: 8), ["N 32 512", "N 32 512", "N 32 512"], "[N, 32, 512]"),
    Application(attention(), ["N 5 4", "N 7 4", "N 7 6"], "[N, 5, 6]"),
    Application(attention(), ["N T 4", "N T 4", "N T 4"], "[N, T, 4]"),
    Application(attention(Attention.Band(before: 3, after: 0)), ["2 5 4", "2 5 4", "2 5 4"], "[2, 5, 4]"),
    Application(attention(Attention.Band(before: 0, after: 2_147_483_647)), ["2 5 4", "2 T 4", "2 T 4"], "[2, 5, 4]"),
    Application(attention(scale: 0), ["0 5 4", "0 5 4", "0 5 4"], "[0, 5, 4]"),
    Application(attention(), ["N 0 4", "N 1 4", "N 1 4"], "[N, 0, 4]"),
    Application(attention(), ["N 5 T", "N 5 4", "N 5 T"], "[N, 5, T]"),
  ]

  @Test(arguments: accepted)
  func `gives the output its shape`(application: Application) throws {
    #expect(try application.output() == application.result)
  }

  static let refused = [
    Application(attention(), ["N 5 4", "N 5 4"], "expected 3 inputs, found 2"),
    Application(attention(), ["N 5 4", "N 5 4", "N 5 4", "N 5 4"], "expected 3 inputs, found 4"),
    Application(attention(heads: 0), ["N 5 4", "N 5 4", "N 5 4"], "expected 1 to 32767 heads, found 0"),
    Application(attention(heads: 32_768), ["N 5 4", "N 5 4", "N 5 4"], "expected 1 to 32767 heads, found 32768"),
    Application(attention(scale: .nan), ["N 5 4", "N 5 4", "N 5 4"], "expected a finite scale, found nan"),
    Application(attention(scale: -.infinity), ["N 5 4", "N 5 4", "N 5 4"], "expected a finite scale, found -inf"),
    Application(attention(), ["-", "N 5 4", "N 5 4"], "expected q at position 0, found no input"),
    Application(attention(), ["int8 N 5 4", "N 5 4", "N 5 4"], "expected q of type float32, found int8"),
    Application(attention(), ["5 4", "N 5 4", "N 5 4"], "expected q with 3 dimensions, found 2: [5, 4]"),
    Application(attention(), ["N 5 4", "-", "N 5 4"], "expected k at position 1, found no input"),
    Application(attention(), ["N 5 4", "int8 N 5 4", "N 5 4"], "expected k of type float32, found int8"),
    Application(attention(), ["N 5 4", "5 4", "N 5 4"], "expected k with 3 dimensions, found 2: [5, 4]"),
    Application(attention(), ["N 5 4", "N 5 4", "-"], "expected v at position 2, found no input"),
    Application(attention(), ["N 5 4", "N 5 4", "int8 N 5 4"], "expected v of type float32, found int8"),
    Application(attention(), ["N 5 4", "N 5 4", "5 4"], "expected v with 3 dimensions, found 2: [5, 4]"),
    Application(attention(), ["2 5 4", "3 5 4", "2 5 4"], "expected the batches of q and k to agree, found 2 and 3"),
    Application(attention(), ["2 5 4", "2 5 4", "3 5 4"], "expected the batches of q and v to agree, found 2 and 3"),
    Application(attention(), ["2 5 4", "2 5 6", "2 5 4"], "expected the widths of q and k to agree, found 4 and 6"),
    Application(attention(), ["2 5 4", "2 5 4", "2 6 4"], "expected the lengths of k and v to agree, found 5 and 6"),
    Application(attention(heads: 3), ["2 5 4", "2 5 4", "2 5 4"], "expected q's width divisible by 3 heads, found 4"),
    Application(attention(), ["2 5 4", "2 5 4", "2 5 3"], "expected v's width divisible by 2 heads, found 3"),
    Application(attention(), ["2 5 0", "2 5 0", "2 5 4"], "expected q's width divisible by 2 heads, found 0"),
    Application(attention(), ["2 5 4", "2 0 4", "2 0 4"], "expected at least one key, found none"),
    Application(
      attention(Attention.Band(before: -1, after: 0)), ["2 5 4", "2 5 4", "2 5 4"],
      "expected a band from 0 to 2147483647 keys each way, found -1 and 0"),
    Application(
      attention(Attention.Band(before: 0, after: -1)), ["2 5 4", "2 5 4", "2 5 4"],
      "expected a band from 0 to 2147483647 keys each way, found 0 and -1"),
    Application(
      attention(Attention.Band(before: 2_147_483_648, after: 0)), ["2 5 4", "2 5 4", "2 5 4"],
      "expected a band from 0 to 2147483647 keys each way, found 2147483648 and 0"),
    Application(
      attention(Attention.Band(before: 0, after: 2_147_483_648)), ["2 5 4", "2 5 4", "2 5 4"],
      "expected a band from 0 to 2147483647 keys each way, found 0 and 2147483648"),
    Application(
      attention(Attention.Band(before: 1, after: 1)), ["2 6 4", "2 5 4", "2 5 4"],
      "expected the lengths of q and k under a band to agree, found 6 and 5"),
  ]

  @Test(arguments: refused)
  func `is refused in one sentence`(application: Application) throws {
    #expect(try application.refusal() == application.expectedRefusal)
  }
}
