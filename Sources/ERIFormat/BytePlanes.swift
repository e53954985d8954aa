import CERISystem

/// The filter that puts all first bytes of the elements before all second bytes, and so on: the exponents of floats, which repeat,
/// come together.
enum BytePlanes {
  /// Splits elements into planes; both buffers hold at least `bytes.count`, a multiple of `elementBytes`.
  static func split(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, elementBytes: Int) {
    guard let source = bytes.baseAddress, let target = target.baseAddress else { return }
    let count = bytes.count / elementBytes
    var plane = 0
    while plane < elementBytes {
      var from = source + plane
      let to = (target + plane * count).assumingMemoryBound(to: UInt8.self)
      var index = 0
      while index < count {
        to[index] = from.load(as: UInt8.self)
        from += elementBytes
        index &+= 1
      }
      plane += 1
    }
  }

  /// Undoes `split`.
  static func join(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, elementBytes: Int) {
    guard let source = bytes.baseAddress, let target = target.baseAddress else { return }
    eri_planes_join(source, bytes.count / elementBytes, elementBytes, target)
  }
}
