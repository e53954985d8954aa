/// FNV-1a over bytes, 64 bits: enough to see that a drawn picture or a voice has changed.
func digest(_ bytes: some Sequence<UInt8>) -> UInt64 {
  bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
}

/// The same over the bit patterns of samples, low bytes first.
func digest(_ samples: [Float]) -> UInt64 {
  digest(samples.lazy.flatMap { sample in (0..<4).map { UInt8(truncatingIfNeeded: sample.bitPattern >> (8 * $0)) } })
}
