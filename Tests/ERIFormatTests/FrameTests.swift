import CZstd
import ERIFormat
import Testing

@Suite("Frames")
struct FrameTests {
  @Test(
    "The most bytes that a frame stores are zstd's own bound",
    arguments: [0, 1, 255, 256, 4096, 131_071, 131_072, 131_073, 1_000_000, Limits.frameBytes])
  func bound(unpackedBytes: Int) {
    #expect(Frame.largestStored(unpackedBytes) == ZSTD_compressBound(unpackedBytes))
  }
}
