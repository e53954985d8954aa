/// The clip's shown size, fixed by its first picture, and what was odd about its pictures.
struct ClipGeometry {
  private var first: DisplayGeometry?
  private(set) var warnings: [String] = []
  private var count = 0
  private var sizeChanged = false

  var width: Int { first?.width ?? 0 }
  var height: Int { first?.height ?? 0 }

  mutating func shown(_ frame: VideoFrame, decoder: VideoDecoder) -> ShownFrame {
    let orientation = decoder.orientation(of: frame)
    count += 1
    if let first {
      let geometry = first.adapted(
        codedWidth: frame.width, codedHeight: frame.height, quarterTurns: orientation.quarterTurns)
      if !sizeChanged, frame.width != first.codedWidth || frame.height != first.codedHeight {
        sizeChanged = true
        warnings.append(
          "from picture \(count - 1) on the size changes from \(first.codedWidth)x\(first.codedHeight) to "
            + "\(frame.width)x\(frame.height); scaled to the first")
      }
      return ShownFrame(frame: frame, geometry: geometry, path: decoder.path)
    }
    if orientation.leftOver != 0 {
      warnings.append("a rotation by \(orientation.degrees) degrees is rounded to \(orientation.quarterTurns * 90)")
    }
    if orientation.mirrored { warnings.append("the file asks for a mirrored picture; shown unmirrored") }
    var aspect = decoder.pixelAspect(of: frame)
    if aspect < 0.1 || aspect > 10 {
      warnings.append("pixels \(aspect) times as wide as high are taken for an error; shown square")
      aspect = 1
    }
    let geometry = DisplayGeometry(
      codedWidth: frame.width, codedHeight: frame.height, pixelAspect: aspect, quarterTurns: orientation.quarterTurns)
    first = geometry
    return ShownFrame(frame: frame, geometry: geometry, path: decoder.path)
  }
}
