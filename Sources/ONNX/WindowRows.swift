/// What one tap of a window touches, for outputs in a row.
extension WindowGeometry {
  /// The place of a tap among them, counted along the last axis first.
  @inline(__always) func tap(_ index: Int) -> (depth: Int, height: Int, width: Int) {
    let column = index % width.kernel
    let rest = index / width.kernel
    return (rest / height.kernel, rest % height.kernel, column)
  }

  /// Calls `body` for each piece of a row of outputs: where it begins in the row, its length, where it begins in the plane of inputs
  /// (elements one stride apart), or nil where the tap is outside.
  @inline(__always) func forEachPiece(
    tap: (depth: Int, height: Int, width: Int), first: Int, count: Int, _ body: (Int, Int, Int?) -> Void
  ) {
    guard count > 0 else { return }
    let span = width.span(tap.width)
    var x = first % width.output
    var y = first / width.output % height.output
    var z = first / width.output / height.output
    var done = 0
    while done < count {
      let length = min(width.output &- x, count &- done)
      let inputZ = z &* depth.stride &+ depth.place(tap.depth)
      let inputY = y &* height.stride &+ height.place(tap.height)
      let lower = min(max(span.lower, x), x &+ length)
      let upper = max(min(span.upper, x &+ length), lower)
      if inputZ < 0 || inputZ >= depth.input || inputY < 0 || inputY >= height.input || lower == upper {
        body(done, length, nil)
      } else {
        if lower > x { body(done, lower &- x, nil) }
        let row = (inputZ &* height.input &+ inputY) &* width.input
        body(done &+ lower &- x, upper &- lower, row &+ lower &* width.stride &+ width.place(tap.width))
        if upper < x &+ length { body(done &+ upper &- x, x &+ length &- upper, nil) }
      }
      done &+= length
      x = 0
      y &+= 1
      if y == height.output {
        y = 0
        z &+= 1
      }
    }
  }

  /// Puts what a tap reads for a row of outputs side by side, 0 where it is outside.
  @inline(__always) func gather<Source, Element: ONNXNumber>(
    _ plane: UnsafePointer<Source>, tap: (depth: Int, height: Int, width: Int), first: Int, count: Int,
    into row: UnsafeMutablePointer<Element>, _ convert: (Source) -> Element
  ) {
    let stride = width.stride
    forEachPiece(tap: tap, first: first, count: count) { start, length, place in
      let target = row + start
      guard let place else {
        target.update(repeating: Element.nought, count: length)
        return
      }
      let source = plane + place
      var index = 0
      if stride == 1 {
        while index < length {
          target[index] = convert(source[index])
          index &+= 1
        }
      } else {
        while index < length {
          target[index] = convert(source[index &* stride])
          index &+= 1
        }
      }
    }
  }

  /// Adds a row of outputs to what a tap reads for them: the transpose of `gather`.
  @inline(__always) func scatter<Element: ONNXNumber>(
    _ row: UnsafePointer<Element>, tap: (depth: Int, height: Int, width: Int), first: Int, count: Int,
    into plane: UnsafeMutablePointer<Element>
  ) {
    let stride = width.stride
    forEachPiece(tap: tap, first: first, count: count) { start, length, place in
      guard let place else { return }
      let source = row + start
      let target = plane + place
      var index = 0
      if stride == 1 {
        while index < length {
          target[index] = target[index].plus(source[index])
          index &+= 1
        }
      } else {
        while index < length {
          target[index &* stride] = target[index &* stride].plus(source[index])
          index &+= 1
        }
      }
    }
  }

  /// Goes over the windows, a row of outputs after another: `start` and `finish` get the row's first output and how many there are,
  /// `each` gets the row, the output's place in it and what a tap reads.
  @inline(__always) func pool<Element>(
    _ x: UnsafePointer<Element>, planes: Int, start: (Int, Int) -> Void, each: (Int, Int, Element) -> Void,
    finish: (Int, Int, Int, Int) -> Void
  ) {
    var row = 0
    let stride = width.stride
    for plane in 0..<planes {
      for z in 0..<depth.output {
        for line in 0..<height.output {
          start(row, width.output)
          for a in 0..<depth.kernel {
            let inputZ = z &* depth.stride &+ depth.place(a)
            if inputZ < 0 || inputZ >= depth.input { continue }
            for b in 0..<height.kernel {
              let inputY = line &* height.stride &+ height.place(b)
              if inputY < 0 || inputY >= height.input { continue }
              let source = x + ((plane &* depth.input &+ inputZ) &* height.input &+ inputY) &* width.input
              for c in 0..<width.kernel {
                let span = width.span(c)
                let first = source + width.place(c)
                var column = span.lower
                if stride == 1 {
                  while column < span.upper {
                    each(row, column, first[column])
                    column &+= 1
                  }
                } else {
                  while column < span.upper {
                    each(row, column, first[column &* stride])
                    column &+= 1
                  }
                }
              }
            }
          }
          finish(row, z, line, width.output)
          row &+= width.output
        }
      }
    }
  }
}
