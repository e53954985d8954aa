import ERIFormat

/// Tensors on a finer or coarser grid: Resize, and Upsample before it.
extension ONNXNode {
  func resizeKernel() throws(FormatError) -> ONNXKernel {
    let x = try operand(0, "x")
    let resize = try Resize(self, x)
    let result = try BoundType(x.dtype, resize.axes.map { $0.output })
    guard x.type.elements > 0 || result.elements == 0 else {
      throw contractError("expected elements to resize, found \(x.type.text)")
    }
    switch resize.mode {
    case .nearest:
      let places = resize.axes.map { axis in axis.isSame ? Array(0..<axis.input) : axis.nearest(resize.nearest) }
      let copy = TabledCopy(source: x.shape, places: places)
      return try TabledCopyKernel(result: result, copy: copy, fill: try bits(of: resize.extrapolation, x.dtype))
        .kernel(for: x.dtype)
    case .linear, .cubic:
      var passes: [ResizePass] = []
      var shape = x.shape
      for (index, axis) in resize.axes.enumerated() where !axis.isSame {
        passes.append(ResizePass(shape, axis: index, axis.weighted(resize)))
        shape[index] = axis.output
        // What lies between two passes keeps to the limits too.
        _ = try BoundType(x.dtype, shape)
      }
      return try numberKernel(x, "x", ResizeKernel(x: x.type, result: result, passes: passes))
    }
  }
}

/// What a node's attributes and operands ask for.
struct Resize {
  enum Mode: String {
    case nearest, linear, cubic
  }

  enum Nearest: String {
    case preferFloor = "round_prefer_floor"
    case preferCeil = "round_prefer_ceil"
    case floor, ceil
    /// Up where elements get fewer, else down: before operator set 11, which chose one for all.
    case byDirection = ""
  }

  enum Coordinates: String {
    case halfPixel = "half_pixel"
    case symmetric = "half_pixel_symmetric"
    case pytorch = "pytorch_half_pixel"
    case alignCorners = "align_corners"
    case asymmetric
    case tensorFlow = "tf_half_pixel_for_nn"
    case cropped = "tf_crop_and_resize"
  }

  var mode: Mode
  var nearest = Nearest.byDirection
  var antialiases = false
  var excludesOutside = false
  var cubic = -0.75
  var extrapolation: Float = 0
  var axes: [ResizeAxis] = []

  init(_ node: ONNXNode, _ x: ONNXOperand) throws(FormatError) {
    var name = try node.text("mode", default: "nearest")
    if name == "bilinear" { name = "linear" }
    guard let mode = Mode(rawValue: name) else {
      throw contractError("expected mode nearest, linear or cubic, found \"\(name)\"")
    }
    self.mode = mode
    if node.op.name == "Upsample" || node.op.opset < 11 {
      try node.arity(1, 2)
      let scales = try node.op.opset < 9 ? node.numbers("scales")?.map { Double($0) } : node.numbers(1, "scales")
      axes = try Resize.scaled(x.shape, Array(x.shape.indices), scales ?? [], .asymmetric, nil)
      return
    }
    try node.arity(1, 4)
    let nearestName = try node.text("nearest_mode", default: "round_prefer_floor")
    let coordinatesName = try node.text("coordinate_transformation_mode", default: "half_pixel")
    guard let nearest = Nearest(rawValue: nearestName), nearest != .byDirection,
      let coordinates = Coordinates(rawValue: coordinatesName)
    else {
      throw contractError(
        "expected a nearest_mode and a coordinate_transformation_mode of ONNX, found \"\(nearestName)\" and \"\(coordinatesName)\""
      )
    }
    self.nearest = nearest
    antialiases = try node.flag("antialias")
    excludesOutside = try node.flag("exclude_outside")
    cubic = Double(try node.number("cubic_coeff_a", default: -0.75))
    extrapolation = try node.number("extrapolation_value", default: 0)
    let chosen = try node.axes(try node.integers("axes") ?? Array(x.shape.indices), rank: x.shape.count)
    var region: [Double]?
    if coordinates == .cropped {
      guard let given = try node.numbers(1, "a region"), given.count == 2 * chosen.count else {
        throw contractError("expected a region of \(2 * chosen.count) numbers, found none or another count")
      }
      region = given
    }
    let scales = try node.numbers(2, "scales") ?? []
    let sizes = try node.integers(3, "sizes") ?? []
    guard scales.isEmpty != sizes.isEmpty || chosen.isEmpty else {
      throw contractError("expected either scales or sizes, found \(scales.isEmpty ? "neither" : "both")")
    }
    if sizes.isEmpty {
      axes = try Resize.scaled(x.shape, chosen, scales, coordinates, region)
    } else {
      let policy = try node.text("keep_aspect_ratio_policy", default: "stretch")
      axes = try Resize.sized(x.shape, chosen, sizes, policy, coordinates, region)
    }
  }

  private static func scaled(
    _ shape: [Int], _ chosen: [Int], _ scales: [Double], _ coordinates: Coordinates, _ region: [Double]?
  ) throws(FormatError) -> [ResizeAxis] {
    guard scales.count == chosen.count else {
      throw contractError("expected \(counted(chosen.count, "scale")), found \(scales.count)")
    }
    var axes = shape.map { ResizeAxis($0) }
    for (index, axis) in chosen.enumerated() {
      // In single precision, as the scales are: 10 · 0.7 is 7 there.
      let extent = Double((Float(shape[axis]) * Float(scales[index])).rounded(.down))
      guard scales[index] > 0, extent <= Double(Limits.elements) else {
        throw contractError(
          "expected scales above 0 to at most \(Limits.elements) elements, found \(scales[index]) of \(shape[axis])")
      }
      axes[axis].resize(to: Int(extent), scale: scales[index], coordinates, Resize.part(region, index))
    }
    return axes
  }

  private static func sized(
    _ shape: [Int], _ chosen: [Int], _ sizes: [Int], _ policy: String, _ coordinates: Coordinates, _ region: [Double]?
  ) throws(FormatError) -> [ResizeAxis] {
    guard sizes.count == chosen.count else {
      throw contractError("expected \(counted(chosen.count, "size")), found \(sizes.count)")
    }
    _ = try BoundType(.u8, sizes)
    var axes = shape.map { ResizeAxis($0) }
    var scales = zip(sizes, chosen).map { Double($0) / Double(max(shape[$1], 1)) }
    var extents = sizes
    switch policy {
    case "stretch": break
    case "not_larger", "not_smaller":
      let scale = policy == "not_larger" ? scales.min() ?? 1 : scales.max() ?? 1
      guard scale * Double(shape.max() ?? 1) <= Double(Limits.elements) else {
        throw contractError("expected sizes of at most \(Limits.elements) elements, found \(shapeText(sizes))")
      }
      scales = scales.map { _ in scale }
      extents = chosen.map { Int((scale * Double(shape[$0]) + 0.5).rounded(.down)) }
    default:
      throw contractError(
        "expected keep_aspect_ratio_policy stretch, not_larger or not_smaller, found \"\(policy)\"")
    }
    for (index, axis) in chosen.enumerated() {
      axes[axis].resize(to: extents[index], scale: scales[index], coordinates, Resize.part(region, index))
    }
    return axes
  }

  /// Where a region begins and ends along one of its axes.
  private static func part(_ region: [Double]?, _ index: Int) -> (start: Double, end: Double)? {
    region.map { ($0[index], $0[$0.count / 2 + index]) }
  }
}
