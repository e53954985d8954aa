import CAVFormat

/// One decoded picture as the decoder left it: coded size, coded orientation, its own pixel format.
///
/// It shares the decoder's buffer, so keeping one costs memory but no copy.
final class VideoFrame {
  let av: UnsafeMutablePointer<AVFrame>
  private var convertedGrey: [UInt8]?

  /// Takes over a frame that has data.
  init(owning frame: UnsafeMutablePointer<AVFrame>) {
    av = frame
  }

  deinit {
    var freed: UnsafeMutablePointer<AVFrame>? = av
    av_frame_free(&freed)
  }

  var width: Int { Int(av.pointee.width) }
  var height: Int { Int(av.pointee.height) }
  var format: AVPixelFormat { AVPixelFormat(rawValue: av.pointee.format) }

  /// Bytes that the picture's buffers hold.
  var byteCount: Int {
    var total = 0
    withUnsafeBytes(of: &av.pointee.buf) { raw in
      for buffer in raw.bindMemory(to: UnsafeMutablePointer<AVBufferRef>?.self) {
        guard let buffer else { continue }
        total += Int(clamping: buffer.pointee.size)
      }
    }
    return total
  }

  /// Calls `body` with 8-bit grey pixels in coded orientation: the luma plane itself where there is one.
  ///
  /// Limited-range luma is used as it is: the detector compares gradients within the picture, which a constant factor
  /// and offset do not change.
  func withGrey<Result>(
    path: String, _ body: (UnsafePointer<UInt8>, _ stride: Int) throws(MediaError) -> Result
  ) throws(MediaError) -> Result {
    if hasBytePlaneOfLuma, let plane = av.pointee.data.0, Int(av.pointee.linesize.0) >= width {
      return try body(UnsafePointer(plane), Int(av.pointee.linesize.0))
    }
    if convertedGrey == nil {
      let region = PixelRegion(x: 0, y: 0, width: width, height: height)
      convertedGrey = try converted(region, to: AV_PIX_FMT_GRAY8, bytesPerPixel: 1, path: path)
    }
    let grey = convertedGrey ?? []
    let stride = width
    return try grey.withUnsafeBufferPointer { pixels throws(MediaError) in
      guard let base = pixels.baseAddress else { throw MediaError.outOfMemory(path) }
      return try body(base, stride)
    }
  }

  /// Whether the first plane holds one byte of luma per pixel (4:2:0, 4:2:2, 4:4:4, NV12, grey).
  private var hasBytePlaneOfLuma: Bool {
    guard let descriptor = av_pix_fmt_desc_get(format) else { return false }
    let foreign = UInt64(
      AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL)
    let luma = descriptor.pointee.comp.0
    return descriptor.pointee.flags & foreign == 0 && luma.depth == 8 && luma.step == 1 && luma.plane == 0
      && luma.offset == 0 && luma.shift == 0
  }

  /// The region grown so that it can be converted on its own to the same pixels as within the whole picture, or the
  /// whole picture where its format cannot be cut.
  ///
  /// Chroma is interpolated from neighbours, which the margin provides; the left edge stays on a multiple of 32 pixels
  /// for swscale's vector code, the top on whole chroma rows.
  func convertible(_ region: PixelRegion) -> PixelRegion {
    guard let descriptor = av_pix_fmt_desc_get(format),
      descriptor.pointee.flags & UInt64(AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_PAL) == 0
    else { return PixelRegion(x: 0, y: 0, width: width, height: height) }
    let margin = 16
    let left = max(0, region.x - margin) & ~31
    let top = max(0, region.y - margin) & ~15
    let right = min(width, (region.x + region.width + margin + 15) & ~15)
    let bottom = min(height, (region.y + region.height + margin + 15) & ~15)
    return PixelRegion(x: left, y: top, width: right - left, height: bottom - top)
  }

  /// Converts a region (as `convertible` gives it) to a packed format, rows close together.
  func converted(
    _ region: PixelRegion, to target: AVPixelFormat, bytesPerPixel: Int, path: String
  ) throws(MediaError) -> [UInt8] {
    let cut = try cutPlanes(region, path: path)
    var source = format
    var fullRange = av.pointee.color_range == AVCOL_RANGE_JPEG
    // swscale deprecates the formats that imply a range; the range is told to it apart.
    if let plain = Self.plainFormats[source.rawValue] {
      source = plain
      fullRange = true
    }
    let flags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT
    guard
      let context = sws_getContext(
        Int32(region.width), Int32(region.height), source, Int32(region.width), Int32(region.height), target, flags,
        nil, nil, nil)
    else {
      throw MediaError(
        .unsupported, path: path, place: "video", expected: "a pixel format that swscale converts",
        found: "'\(formatName)'", advice: "convert the clip, for example with ffmpeg -pix_fmt yuv420p")
    }
    defer { sws_freeContext(context) }
    // Refused for formats without a matrix, such as RGB, where there is nothing to set.
    _ = sws_setColorspaceDetails(
      context, sws_getCoefficients(Int32(bitPattern: av.pointee.colorspace.rawValue)), fullRange ? 1 : 0,
      sws_getCoefficients(Int32(SWS_CS_DEFAULT)), 1, 0, 1 << 16, 1 << 16)

    let stride = region.width * bytesPerPixel
    // swscale's vector code may write a few bytes past the last row.
    let slack = 64
    var pixels = [UInt8](repeating: 0, count: stride * region.height + slack)
    let status = pixels.withUnsafeMutableBufferPointer { output in
      let sources = cut.planes.map { UnsafePointer($0) }
      let destination: [UnsafeMutablePointer<UInt8>?] = [output.baseAddress, nil, nil, nil]
      let strides: [Int32] = [Int32(stride), 0, 0, 0]
      return sws_scale(context, sources, cut.strides, 0, Int32(region.height), destination, strides)
    }
    guard status == Int32(region.height) else {
      throw MediaError(
        .damaged, path: path, place: "video", expected: "\(region.height) rows from the conversion of '\(formatName)'",
        found: "\(status)", advice: "convert the clip, for example with ffmpeg -pix_fmt yuv420p")
    }
    return pixels
  }

  private var formatName: String {
    guard let name = av_get_pix_fmt_name(format) else { return "unknown" }
    return String(cString: name)
  }

  private static let plainFormats: [Int32: AVPixelFormat] = [
    AV_PIX_FMT_YUVJ420P.rawValue: AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ422P.rawValue: AV_PIX_FMT_YUV422P,
    AV_PIX_FMT_YUVJ444P.rawValue: AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUVJ440P.rawValue: AV_PIX_FMT_YUV440P,
    AV_PIX_FMT_YUVJ411P.rawValue: AV_PIX_FMT_YUV411P,
  ]

  /// The planes' pointers at a region's first pixel.
  private func cutPlanes(
    _ region: PixelRegion, path: String
  ) throws(MediaError) -> (planes: [UnsafeMutablePointer<UInt8>?], strides: [Int32]) {
    // libavutil knows each format's planes: a reference is cropped, which moves its pointers and copies nothing.
    guard let reference = av_frame_clone(av) else { throw MediaError.outOfMemory(path) }
    defer {
      var freed: UnsafeMutablePointer<AVFrame>? = reference
      av_frame_free(&freed)
    }
    reference.pointee.crop_left = region.x
    reference.pointee.crop_top = region.y
    reference.pointee.crop_right = width - region.x - region.width
    reference.pointee.crop_bottom = height - region.y - region.height
    let status = av_frame_apply_cropping(reference, Int32(AV_FRAME_CROP_UNALIGNED))
    guard status >= 0 else {
      throw MediaError(
        .damaged, path: path, place: "video", expected: "a region inside a picture of \(width)x\(height)",
        found: "\(region.width)x\(region.height) at (\(region.x), \(region.y))",
        advice: "convert the clip, for example with ffmpeg -pix_fmt yuv420p")
    }
    let data = reference.pointee.data
    let lines = reference.pointee.linesize
    return ([data.0, data.1, data.2, data.3], [lines.0, lines.1, lines.2, lines.3])
  }
}

/// A rectangle of whole pixels.
struct PixelRegion: Equatable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int
}
