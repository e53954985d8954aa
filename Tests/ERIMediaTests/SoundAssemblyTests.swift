import Foundation
import Testing

@testable import ERIMedia

@Suite struct SoundAssemblyTests {
  @Test(arguments: [1, 7, 1000, 4096, 44_100])
  func `the result does not depend on the size of the pieces`(size: Int) throws {
    let clip = (0..<44_100).map { Float(sin(Double($0) * 0.05) * 0.4) }
    func assemble(_ size: Int) throws -> [Float] {
      var assembly = SoundAssembly(path: "a", longestSeconds: 10)
      for start in stride(from: 0, to: clip.count, by: size) {
        var piece = Array(clip[start..<min(start + size, clip.count)])
        try piece.withUnsafeMutableBufferPointer { try assembly.append($0, rate: 44_100, channels: 1) }
      }
      #expect(try assembly.finish() == [])
      return assembly.samples
    }
    #expect(try assemble(size) == assemble(5000))
  }

  @Test func `without soxr the own filter is used and comes near`() throws {
    let clip = (0..<44_100).map { Float(sin(Double($0) * 0.05) * 0.4) }
    func resample(_ engine: SoundResampler.Engine) throws -> [Float] {
      let resampler = try #require(SoundResampler(rate: 44_100, preferring: engine))
      #expect(resampler.engine == engine)
      var samples: [Float] = []
      clip.withUnsafeBufferPointer { #expect(resampler.push($0, into: &samples)) }
      #expect(resampler.finish(into: &samples))
      return samples
    }
    let (soxr, polyphase) = (try resample(.soxr), try resample(.polyphase))
    #expect(soxr.count == 22_050)
    #expect(polyphase.count == 22_050)
    // Away from the ends the tone lies far inside both pass bands.
    for index in 500..<21_500 { #expect(abs(soxr[index] - polyphase[index]) < 1e-4) }
  }

  @Test(arguments: [(0.0, "0.00"), (4.254, "4.25"), (-0.1, "-0.10"), (59.999, "60.00"), (-0.001, "0.00")])
  func `seconds have two decimals`(seconds: Double, text: String) {
    #expect(secondsText(seconds) == text)
  }
}
