import CERIKernels
import ERITestSupport

/// A batch of channels-last images in a guarded array, halo included.
final class Images<Element: BitwiseCopyable> {
  let count: Int, height: Int, width: Int, channels: Int, halo: Int
  let buffer: GuardedArray<Element>

  /// Everything is `filler` but the interior, if there is one.
  init(
    count: Int, height: Int, width: Int, channels: Int, halo: Int, interior: [Element]? = nil, filler: Element
  ) {
    (self.count, self.height, self.width, self.channels, self.halo) = (count, height, width, channels, halo)
    buffer = GuardedArray(count * (height + 2 * halo) * (width + 2 * halo) * channels)
    buffer.pointer.update(repeating: filler, count: buffer.count)
    guard let interior else { return }
    for (i, at) in places.enumerated() { buffer.pointer[at] = interior[i] }
  }

  /// Where the interior's elements lie, in order.
  var places: [Int] {
    var result: [Int] = []
    result.reserveCapacity(count * height * width * channels)
    for row in 0..<count * height {
      let line = row / height * (height + 2 * halo) + row % height + halo
      let begin = (line * (width + 2 * halo) + halo) * channels
      result.append(contentsOf: begin..<begin + width * channels)
    }
    return result
  }

  var interior: [Element] { places.map { buffer.pointer[$0] } }
}

extension Images where Element == UInt8 {
  var c: eri_i8_image {
    eri_i8_image(data: buffer.pointer, height: height, width: width, channels: channels, halo: halo)
  }
  /// Whether every element outside the interior is that byte.
  func haloIs(_ byte: UInt8) -> Bool {
    var all = buffer.values
    for at in places { all[at] = byte }
    return all.allSatisfy { $0 == byte } && buffer.isIntact
  }
}

extension Images where Element == Float {
  var c: eri_f32_image {
    eri_f32_image(data: buffer.pointer, height: height, width: width, channels: channels, halo: halo)
  }
}

extension Random {
  /// Activations: any, or extremes only.
  mutating func bytes(_ count: Int, extreme: Bool) -> [UInt8] {
    (0..<count).map { _ in
      let byte = UInt8.random(in: 0...255, using: &self)
      return extreme ? (byte < 128 ? 0 : 255) : byte
    }
  }

  /// Weights of four kinds: any; 127 and -127 only; small enough for pairs to fit int16; all 127.
  mutating func weights(_ count: Int, kind: Int) -> [Int8] {
    (0..<count).map { _ in
      let weight = Int8.random(in: -127...127, using: &self)
      switch kind % 4 {
      case 0: return weight
      case 1: return weight < 0 ? -127 : 127
      case 2: return weight / 2
      default: return 127
      }
    }
  }
}
