/// What quantisation makes of numbers: a tensor's integers are read as reals, and a value holds the nearest real that an integer stands for.
extension Quantization {
  /// The index among the scales for element `index` of row-major values of this shape.
  package func place(ofElement index: Int, shape: [Int]) -> Int {
    guard scales.count > 1, axis >= 0, axis < shape.count else { return 0 }
    var stride = 1
    for extent in shape[(axis + 1)...] { stride *= max(extent, 1) }
    let position = index / stride % max(shape[axis], 1)
    return min(block > 0 ? position / block : position, scales.count - 1)
  }

  /// The zero point beside scale `place`.
  package func zeroPoint(_ place: Int) -> Int32 { place < zeroPoints.count ? zeroPoints[place] : 0 }

  /// The number that an integer stands for.
  package func real(_ stored: Double, place: Int) -> Double {
    Double(scales[place]) * (stored - Double(zeroPoint(place)))
  }

  /// The integer that stands for a number: nearest, ties to even, within the range; the minimum for what is no number.
  package func stored(_ real: Double, place: Int) -> Double {
    let zero = Double(zeroPoint(place))
    let nearest = (real / Double(scales[place])).rounded(.toNearestOrEven) + zero
    guard nearest >= Double(minimum) else { return Double(minimum) }
    return nearest <= Double(maximum) ? nearest : Double(maximum)
  }

  /// What a value with this quantisation holds in a number's place.
  package func held(_ real: Double, place: Int) -> Double { self.real(stored(real, place: place), place: place) }
}

extension Tensor {
  /// The type of a value that comes from the tensor: float32 where its integers stand for reals.
  package var valueType: DType { quantization == nil ? dtype : .f32 }

  /// The reals that a quantised tensor's integers stand for, each rounded to float32.
  /// - Parameter reader: for values in a model file, this thread's; nil: one for this call.
  /// - Throws: `FormatError` if the values cannot be read or memory has another number of elements.
  package func readReals(
    into reals: UnsafeMutableBufferPointer<Float>, with reader: TensorReader? = nil
  ) throws(FormatError) {
    guard let quantization, reals.count == elementCount else {
      throw contractError("expected memory for the reals of a quantized tensor, found \(reals.count) elements of it")
    }
    let block = try TensorBlock(self, with: reader)
    guard let stored = block.bytes.baseAddress else { return }
    // Elements that share a scale lie side by side in runs.
    let axes = shape.indices.contains(quantization.axis) ? shape[(quantization.axis + 1)...] : []
    let run = quantization.scales.count > 1 ? axes.reduce(1, *) : reals.count
    var first = 0
    while first < reals.count {
      let place = quantization.place(ofElement: first, shape: shape)
      for index in first..<min(first + max(run, 1), reals.count) {
        reals[index] = Float(quantization.real(dtype.number(at: index, of: stored), place: place))
      }
      first += max(run, 1)
    }
  }
}
