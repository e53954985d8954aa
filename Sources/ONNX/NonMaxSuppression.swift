import ERIFormat

/// NonMaxSuppression: by class the boxes with the best scores that do not overlap much with a better one.
extension ONNXNode {
  func suppressionKernel() throws(FormatError) -> ONNXKernel {
    try arity(2, 5)
    let boxes = try operand(0, "boxes")
    let scores = try operand(1, "scores")
    try require(scores, "scores", like: boxes)
    guard boxes.shape.count == 3, boxes.shape[2] == 4, scores.shape.count == 3, scores.shape[0] == boxes.shape[0],
      scores.shape[2] == boxes.shape[1]
    else {
      throw contractError(
        "expected boxes [n, count, 4] and scores [n, classes, count], found \(shapeText(boxes.shape)) and \(shapeText(scores.shape))"
      )
    }
    for index in 3..<5 {
      guard let threshold = optional(index) else { continue }
      try require(threshold, "a threshold", like: boxes)
      guard threshold.type.elements == 1 else {
        throw contractError("expected a threshold of 1 element, found \(shapeText(threshold.shape))")
      }
    }
    let most = min(max(try integer(2, "the most boxes") ?? 0, 0), boxes.shape[1])
    let rows = elementProduct([scores.shape[0], scores.shape[1], most])
    let format = try integer("center_point_box", default: 0)
    guard let rows, format == 0 || format == 1 else {
      throw contractError("expected boxes within the limits and center_point_box 0 or 1, found more, or \(format)")
    }
    return try realKernel(
      boxes, "boxes",
      SuppressionKernel(
        result: try BoundType(.i64, [rows, 3]), scores: scores.shape, most: most, isCentred: format == 1,
        hasOverlap: optional(3) != nil, hasScore: optional(4) != nil))
  }
}

private struct SuppressionKernel: RealKernel {
  let result: BoundType
  /// Samples, classes and boxes.
  let scores: [Int]
  let most: Int
  let isCentred: Bool
  let hasOverlap: Bool
  let hasScore: Bool

  func kernel<Element: ONNXReal>(_ type: Element.Type) throws(FormatError) -> ONNXKernel {
    let this = self
    let (samples, classes, count, most) = (scores[0], scores[1], scores[2], most)
    return ONNXKernel(
      [result], dataSizedAxes: [0], scratchBytes: 2 * count * MemoryLayout<Int>.stride
    ) { memory in
      let y: UnsafeMutablePointer<Int64> = memory.output(0)
      let candidates: UnsafeMutablePointer<Int> = memory.scratch()
      let overlap = this.hasOverlap ? memory.input(3, as: Element.self)[0] : 0
      let least: Element? = this.hasScore ? memory.input(4, as: Element.self)[0] : nil
      var chosen = 0
      for sample in 0..<samples {
        let boxes = memory.input(0, as: Element.self) + sample &* count &* 4
        for group in 0..<classes {
          let scores = memory.input(1, as: Element.self) + (sample &* classes &+ group) &* count
          var found = 0
          for box in 0..<count {
            if let least, !(scores[box] > least) { continue }
            candidates[found] = box
            found &+= 1
          }
          mergeSort(candidates, candidates + count, found) { scores[$0] > scores[$1] }
          let first = chosen
          var index = 0
          while index < found && chosen &- first < most {
            let box = candidates[index]
            index &+= 1
            let area = this.area(boxes + 4 &* box)
            var isHidden = false
            var other = first
            while other < chosen && !isHidden {
              isHidden = area.overlap(this.area(boxes + 4 &* Int(y[3 &* other &+ 2]))) > overlap
              other &+= 1
            }
            if isHidden { continue }
            y[3 &* chosen] = Int64(sample)
            y[3 &* chosen &+ 1] = Int64(group)
            y[3 &* chosen &+ 2] = Int64(box)
            chosen &+= 1
          }
        }
      }
      memory.extents[0] = chosen
      return nil
    }
  }

  @inline(__always) private func area<Element: ONNXReal>(_ box: UnsafePointer<Element>) -> Area<Element> {
    if isCentred {
      let (wide, high) = (box[2] / 2, box[3] / 2)
      return Area(left: box[0] - wide, right: box[0] + wide, top: box[1] - high, bottom: box[1] + high)
    }
    return Area(
      left: min(box[1], box[3]), right: max(box[1], box[3]), top: min(box[0], box[2]), bottom: max(box[0], box[2]))
  }
}

private struct Area<Element: ONNXReal> {
  let left: Element
  let right: Element
  let top: Element
  let bottom: Element

  var size: Element { (right - left) * (bottom - top) }

  /// What two have in common as a share of what they cover; 0 where there is nothing to share.
  @inline(__always) func overlap(_ other: Area) -> Element {
    let wide = min(right, other.right) - max(left, other.left)
    let high = min(bottom, other.bottom) - max(top, other.top)
    guard wide > 0, high > 0, size > 0, other.size > 0 else { return 0 }
    let common = wide * high
    let union = size + other.size - common
    return union > 0 ? common / union : 0
  }
}
