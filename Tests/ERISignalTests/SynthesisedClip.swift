/// A clip from integers alone, equal bit for bit to `clip()` of Tests/Golden/generate/mfcc.py:
/// a rising sawtooth, noise that fades in, digital silence in the middle third.
func synthesisedClip(count: Int = 33_075) -> [Float] {
  var state: UInt32 = 12345
  var phase: UInt32 = 0
  var step: UInt32 = 0x0100_0000
  return (0..<count).map { n in
    state = state &* 1_664_525 &+ 1_013_904_223
    phase &+= step
    step &+= 40_000
    let saw = Int(phase >> 18) - 8192
    // Rounded down, as Python divides.
    let product = (Int(state >> 19) - 4096) * n
    let noise = product >= 0 ? product / count : -((-product + count - 1) / count)
    return count / 3 <= n && n < 2 * count / 3 ? 0 : Float(saw + noise) / 32768
  }
}
