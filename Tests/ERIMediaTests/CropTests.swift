import CAVFormat
import ERITestSupport
import Testing

@testable import ERIMedia

/// A small generator for test pictures; the seed fixes them.
struct TestPixels {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// The value of an output pixel by its definition: the mean over its area of a picture whose pixels are unit squares
/// (shrinking axis), or the linear blend of the two nearest pixel centres (enlarging axis), edge repeated without end.
private func slowSample(
  _ pixels: [UInt8], width: Int, height: Int, channels: Int, channel: Int, rectangle: Rectangle, outputs: (Int, Int),
  at: (Int, Int)
) -> Double {
  func taps(_ start: Double, _ length: Double, _ outputs: Int, _ index: Int) -> [(Int, Double)] {
    let step = length / Double(outputs)
    if step <= 1 {
      let centre = start + (Double(index) + 0.5) * step - 0.5
      let low = centre.rounded(.down)
      return [(Int(low), 1 - (centre - low)), (Int(low) + 1, centre - low)]
    }
    let from = start + Double(index) * step
    let to = from + step
    return (Int(from.rounded(.down))...Int(to.rounded(.up))).map { pixel in
      (pixel, max(0, min(to, Double(pixel + 1)) - max(from, Double(pixel))) / step)
    }
  }
  var sum = 0.0
  for (y, yWeight) in taps(rectangle.top, rectangle.height, outputs.1, at.1) {
    for (x, xWeight) in taps(rectangle.left, rectangle.width, outputs.0, at.0) {
      let pixel = min(max(y, 0), height - 1) * width + min(max(x, 0), width - 1)
      sum += yWeight * xWeight * Double(pixels[pixel * channels + channel])
    }
  }
  return sum
}

struct `Crop` {
  @Test(arguments: [
    // Shrinking inside, enlarging inside, across each border, wholly outside, mixed axes, one pixel.
    Rectangle(left: 3.25, top: 5.5, width: 40.7, height: 31.2),
    Rectangle(left: 10.1, top: 11.9, width: 7.3, height: 6.1),
    Rectangle(left: -12.5, top: -9.75, width: 50, height: 44.4),
    Rectangle(left: 30.3, top: 22.2, width: 61.5, height: 55.5),
    Rectangle(left: -40, top: 60, width: 20, height: 25),
    Rectangle(left: 2, top: 3, width: 50.5, height: 5.5),
    Rectangle(left: 20, top: 20, width: 0.5, height: 0.5),
  ])
  func `equals the exact area integral, or the linear blend when enlarging, with the border repeated`(
    rectangle: Rectangle
  ) {
    let (width, height, channels, outputs) = (57, 43, 3, (13, 11))
    var random = TestPixels(state: 7)
    let pixels = random.bytes(width * height * channels)
    let fast = resample(
      pixels, stride: width * channels, channels: channels,
      xs: AxisWeights(start: rectangle.left, length: rectangle.width, outputs: outputs.0, size: width),
      ys: AxisWeights(start: rectangle.top, length: rectangle.height, outputs: outputs.1, size: height))
    for y in 0..<outputs.1 {
      for x in 0..<outputs.0 {
        for channel in 0..<channels {
          let exact = slowSample(
            pixels, width: width, height: height, channels: channels, channel: channel, rectangle: rectangle,
            outputs: outputs, at: (x, y))
          // Rounding adds at most a half; Float sums of a few hundred terms below 256 err by far less than 0.01.
          #expect(abs(Double(fast[(y * outputs.0 + x) * channels + channel]) - exact) < 0.51)
        }
      }
    }
  }

  @Test func `halves are rounded up`() {
    let fast = resample(
      [10, 11], stride: 2, channels: 1, xs: AxisWeights(start: 0, length: 2, outputs: 1, size: 2),
      ys: AxisWeights(start: 0, length: 1, outputs: 1, size: 1))
    #expect(fast == [11])
  }

  @Test func `a crop of the picture's own pixels changes nothing`() {
    var random = TestPixels(state: 11)
    let pixels = random.bytes(20 * 10)
    let same = resample(
      pixels, stride: 20, channels: 1, xs: AxisWeights(start: 0, length: 20, outputs: 20, size: 20),
      ys: AxisWeights(start: 0, length: 10, outputs: 10, size: 10))
    #expect(same == pixels)
  }

  @Test func `far outside the picture there is only its corner`() {
    var random = TestPixels(state: 13)
    let pixels = random.bytes(20 * 10)
    let corner = resample(
      pixels, stride: 20, channels: 1, xs: AxisWeights(start: 500, length: 64, outputs: 4, size: 20),
      ys: AxisWeights(start: -900, length: 64, outputs: 4, size: 10))
    #expect(corner == [UInt8](repeating: pixels[19], count: 16))
  }

  @Test func `the square is 1.2 times the longer side around the box's centre`() {
    let box = FaceBox(left: 100, top: 50, right: 180, bottom: 150)
    #expect(box == FaceBox(centreX: 140, centreY: 100, side: 100))
    #expect(box.square(1.2) == Rectangle(left: 80, top: 40, width: 120, height: 120))
  }

  @Test(arguments: ["yuv420p", "yuv422p", "yuv444p", "yuyv422", "yuv420p10le", "rgb24", "gray", "nv12"])
  func `converting only the region around a crop gives the pixels of converting the whole picture`(
    format: String
  ) throws {
    let clips = try TemporaryFolder()
    let clip = try clips.make(
      "clip.nut", "-f lavfi -i testsrc2=size=322x242:rate=5:duration=0.2 -pix_fmt \(format) -c:v rawvideo")
    let picture = try #require(try shownPictures(clip).pictures.first)
    for rectangle in [
      Rectangle(left: 101.5, top: 63.2, width: 90.5, height: 90.5),
      Rectangle(left: -20, top: 190, width: 60, height: 90),
      Rectangle(left: 270, top: -15, width: 100, height: 100),
    ] {
      let region = PixelRegion(x: 0, y: 0, width: 322, height: 242)
      let whole = try picture.frame.converted(region, to: AV_PIX_FMT_RGB24, bytesPerPixel: 3, path: clip)
      let expected = resample(
        whole, stride: 3 * 322, channels: 3,
        xs: AxisWeights(start: rectangle.left, length: rectangle.width, outputs: 112, size: 322),
        ys: AxisWeights(start: rectangle.top, length: rectangle.height, outputs: 112, size: 242))
      #expect(try picture.rgb(rectangle, side: 112) == expected)
    }
  }

  @Test(arguments: [
    ("yuv420p", "tv", "bt709"), ("yuv420p", "pc", "bt709"), ("yuv444p", "tv", "smpte170m"),
    ("yuvj420p", "pc", "bt470bg"),
  ])
  func `colours follow the clip's range and matrix`(format: String, range: String, matrix: String) throws {
    let clips = try TemporaryFolder()
    // A flat colour survives every matrix and range within the rounding of 8-bit YUV.
    let clip = try clips.make(
      "clip.mkv",
      "-f lavfi -i color=c=0xC86432:size=64x64:rate=5:duration=0.2,format=gbrp"
        + " -vf scale=out_range=\(range):out_color_matrix=\(matrix)"
        + " -pix_fmt \(format) -color_range \(range) -colorspace \(matrix) -c:v ffv1")
    let picture = try #require(try shownPictures(clip).pictures.first)
    let pixels = try picture.rgb(Rectangle(left: 10, top: 10, width: 30, height: 30), side: 4)
    for (index, expected) in [200, 100, 50].enumerated() {
      let values = stride(from: index, to: pixels.count, by: 3).map { Int(pixels[$0]) }
      #expect(values.allSatisfy { abs($0 - expected) <= 3 }, "\(values)")
    }
  }
}
