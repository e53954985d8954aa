import Foundation

/// Bytes of a WAV file.
/// - Parameters: format: 1 integer, 3 floating point · data: interleaved samples
public func waveFile(_ data: [UInt8], format: UInt16 = 1, channels: UInt16 = 1, rate: UInt32 = 22050, bits: UInt16 = 16)
  -> [UInt8]
{
  func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  func little(_ value: UInt16) -> [UInt8] { [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)] }
  let frame = UInt32(channels) * UInt32(bits) / 8
  var body: [UInt8] = Array("WAVEfmt ".utf8) + little(UInt32(16)) + little(format) + little(channels)
  body += little(rate) + little(rate * frame) + little(UInt16(frame)) + little(bits)
  body += Array("data".utf8) + little(UInt32(data.count)) + data
  return Array("RIFF".utf8) + little(UInt32(body.count)) + body
}

/// Bytes of a WAV file of one channel at 22,050 Hz.
public func waveFile(samples: [Int16]) -> [UInt8] {
  waveFile(samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
}
