import CAVFormat
import Glibc

/// How far a coded picture is turned before it is shown.
struct Orientation: Equatable {
  /// Clockwise quarter turns, 0 to 3.
  var quarterTurns: Int
  /// Degrees that the quarter turns leave over; 0 in sane files.
  var leftOver: Double
  /// Whether the matrix also mirrors the picture, which is not undone here.
  var mirrored: Bool

  static let upright = Orientation(quarterTurns: 0, leftOver: 0, mirrored: false)

  init(quarterTurns: Int, leftOver: Double, mirrored: Bool) {
    self.quarterTurns = quarterTurns
    self.leftOver = leftOver
    self.mirrored = mirrored
  }

  /// The whole clockwise rotation that the file asks for.
  var degrees: Double { Double(90 * quarterTurns) + leftOver }

  /// Reads libav's 3x3 display matrix of 32-bit integers; one that is singular means upright.
  init(matrix: UnsafePointer<UInt8>) {
    let values = UnsafeRawPointer(matrix)
    let entries = (0..<9).map { values.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
    // libav gives the angle anticlockwise.
    let clockwise = entries.withUnsafeBufferPointer { -av_display_rotation_get($0.baseAddress) }
    guard clockwise.isFinite else {
      self = .upright
      return
    }
    let turns = (clockwise / 90).rounded()
    quarterTurns = ((Int(turns) % 4) + 4) % 4
    let rest = clockwise - 90 * turns
    // Matrices are fixed-point numbers; below a tenth of a degree nothing is meant.
    leftOver = abs(rest) < 0.1 ? 0 : rest
    mirrored = Double(entries[0]) * Double(entries[4]) - Double(entries[1]) * Double(entries[3]) < 0
  }
}

/// A rectangle with fractional edges.
struct Rectangle: Equatable {
  var left: Double
  var top: Double
  var width: Double
  var height: Double
}

/// Where the shown picture (upright, square pixels) lies in a coded one.
struct DisplayGeometry: Equatable {
  /// Size of the shown picture.
  var width: Int
  var height: Int
  var codedWidth: Int
  var codedHeight: Int
  var quarterTurns: Int

  /// The geometry of a clip whose first picture has these properties: pixels are made square by changing the width.
  init(codedWidth: Int, codedHeight: Int, pixelAspect: Double, quarterTurns: Int) {
    let squareWidth = max(1, Int((Double(codedWidth) * pixelAspect).rounded()))
    self.codedWidth = codedWidth
    self.codedHeight = codedHeight
    self.quarterTurns = quarterTurns
    (width, height) = quarterTurns % 2 == 0 ? (squareWidth, codedHeight) : (codedHeight, squareWidth)
  }

  /// The same shown size for a later picture of another coded size or orientation.
  func adapted(codedWidth: Int, codedHeight: Int, quarterTurns: Int) -> DisplayGeometry {
    var other = self
    other.codedWidth = codedWidth
    other.codedHeight = codedHeight
    other.quarterTurns = quarterTurns
    return other
  }

  /// Whether shown and coded pixels are the same.
  var isIdentity: Bool { quarterTurns == 0 && width == codedWidth && height == codedHeight }

  /// The coded rectangle that becomes a shown one when it is turned.
  func coded(_ shown: Rectangle) -> Rectangle {
    let (w, h) = (Double(width), Double(height))
    let (right, bottom) = (w - shown.left - shown.width, h - shown.top - shown.height)
    // Each case: the turned-back rectangle, and the size of the turned-back picture.
    let (x, y, turnedWidth, turnedHeight): (Double, Double, Double, Double) =
      switch quarterTurns {
      case 1: (shown.top, right, shown.height, shown.width)
      case 2: (right, bottom, shown.width, shown.height)
      case 3: (bottom, shown.left, shown.height, shown.width)
      default: (shown.left, shown.top, shown.width, shown.height)
      }
    let scaleX = Double(codedWidth) / (quarterTurns % 2 == 0 ? w : h)
    let scaleY = Double(codedHeight) / (quarterTurns % 2 == 0 ? h : w)
    return Rectangle(left: x * scaleX, top: y * scaleY, width: turnedWidth * scaleX, height: turnedHeight * scaleY)
  }
}

/// Turns an image clockwise by quarter turns.
/// - Returns: the turned pixels; width and height change places for odd turns.
func turned(_ pixels: [UInt8], width: Int, height: Int, channels: Int, quarterTurns: Int) -> [UInt8] {
  if quarterTurns == 0 { return pixels }
  var result = [UInt8](repeating: 0, count: width * height * channels)
  let turnedWidth = quarterTurns % 2 == 0 ? width : height
  pixels.withUnsafeBufferPointer { source in
    result.withUnsafeMutableBufferPointer { target in
      for y in 0..<height {
        for x in 0..<width {
          let (tx, ty) =
            switch quarterTurns {
            case 1: (height - 1 - y, x)
            case 2: (width - 1 - x, height - 1 - y)
            default: (y, width - 1 - x)
            }
          let from = (y * width + x) * channels
          let to = (ty * turnedWidth + tx) * channels
          for channel in 0..<channels { target[to + channel] = source[from + channel] }
        }
      }
    }
  }
  return result
}
