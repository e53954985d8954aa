package import CERIKernels
package import ERIFormat

/// How a value lies in memory. The file's semantics are row-major NCHW; other forms are private to the plan.
package enum Layout: Equatable {
  /// Row-major in the value's own axes.
  case rowMajor
  /// Axis 1 last: [N, spatial…, C], with `halo` zeroed pixels around two-dimensional images.
  case channelsLast(halo: Int)
}

/// A value's storage while a plan is made and run.
package final class Slot {
  /// Where the storage lies; decided last.
  package enum Place {
    case none
    /// Constant memory owned by the plan's weights.
    case constant(UnsafeMutablePointer<Float>)
    /// In the arena, all items; the offset counts floats.
    case shared(Int)
    /// In each thread's workspace, the items of one outer chunk.
    case outer(Int)
    /// In each thread's workspace, the items of one inner chunk.
    case inner(Int)
  }

  package let name: String
  /// Logical extents.
  package let shape: [Int]
  package let layout: Layout
  /// Other types than float32 lie row-major in whole floats of memory, as one item.
  package let dtype: DType
  /// What the bytes stand for where a float32 value is held as u8; an item then begins at a whole float.
  let codes: UniformGrid?
  /// The axis whose extent a run decides, and where it puts it.
  var dataSized: (axis: Int, extent: UnsafePointer<Int>)?
  /// The slot whose memory this one shares, if it is another view of it.
  private let base: Slot?
  /// Set on the root only.
  package var place = Place.none
  /// The constant memory this slot stands for.
  private var block: FloatBlock?

  package convenience init(
    _ name: String, shape: [Int], layout: Layout, dtype: DType = .f32, viewOf base: Slot? = nil
  ) {
    self.init(name, shape: shape, layout: layout, codes: nil, dtype: dtype, viewOf: base)
  }

  init(
    _ name: String, shape: [Int], layout: Layout, codes: UniformGrid?, dtype: DType = .f32, viewOf base: Slot? = nil
  ) {
    self.name = name
    self.codes = codes
    self.shape = shape
    self.layout = layout
    self.dtype = dtype
    self.base = base
  }

  /// The slot that owns the memory.
  package var root: Slot {
    var slot = self
    while let base = slot.base { slot = base }
    return slot
  }

  /// Extent of the leading axis.
  package var items: Int { dtype == .f32 ? shape.first ?? 1 : 1 }
  /// Floats from one index of the leading axis to the next.
  package var itemFloats: Int {
    if dtype != .f32 { return (byteCount + 3) / 4 }
    return codes == nil ? itemNumbers : (itemNumbers + 3) / 4
  }
  /// Numbers from one index of the leading axis to the next, halo included.
  private var itemNumbers: Int {
    switch layout {
    case .rowMajor: return shape.dropFirst().reduce(1, *)
    case .channelsLast(let halo):
      if halo == 0 { return shape.dropFirst().reduce(1, *) }
      return (shape[2] + 2 * halo) * (shape[3] + 2 * halo) * shape[1]
    }
  }
  /// Elements without halo.
  package var elements: Int { shape.reduce(1, *) }
  /// Bytes of the elements without halo.
  var byteCount: Int { elements * dtype.byteCount }
  /// Extents as the last run left them.
  var actualShape: [Int] {
    guard let dataSized else { return shape }
    var actual = shape
    actual[dataSized.axis] = min(dataSized.extent.pointee, shape[dataSized.axis])
    return actual
  }
  /// Extent of the last axis.
  package var lastExtent: Int { shape.last ?? 1 }

  /// Makes the slot stand for constant memory, which it keeps alive.
  func hold(_ block: FloatBlock) {
    self.block = block
    place = .constant(block.pointer)
  }

  var isConstant: Bool { if case .constant = root.place { true } else { false } }

  /// Height, width and channels of an image or a sequence [N, C, T] (height 1) in channels-last form.
  package func image(at data: UnsafeMutablePointer<Float>) -> eri_f32_image {
    var halo = 0
    if case .channelsLast(let border) = layout { halo = border }
    let isSequence = shape.count == 3
    return eri_f32_image(
      data: data, height: isSequence ? 1 : shape[2], width: isSequence ? shape[2] : shape[3], channels: shape[1],
      halo: halo)
  }
}

/// A slot as a step uses it.
package struct Operand {
  package let slot: Slot
  /// Whether the step's items index the slot's leading axis; false for weights and broadcast operands.
  package let sliced: Bool

  package init(_ slot: Slot, sliced: Bool) {
    self.slot = slot
    self.sliced = sliced
  }
}

/// What a step sees of memory while it runs on a range of items.
package struct Frame {
  package let kernels: OpaquePointer
  package let arena: UnsafeMutablePointer<Float>
  package let workspace: UnsafeMutablePointer<Float>
  /// First item of this range, and of the outer chunk it belongs to.
  package let item: Int
  package let outerItem: Int

  package init(
    kernels: OpaquePointer, arena: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>, item: Int,
    outerItem: Int
  ) {
    self.kernels = kernels
    self.arena = arena
    self.workspace = workspace
    self.item = item
    self.outerItem = outerItem
  }

  /// Address of the operand's first item of this range.
  package func address(_ operand: Operand) -> UnsafeMutablePointer<Float> {
    let slot = operand.slot
    let first = operand.sliced ? item &* slot.itemFloats : 0
    switch slot.root.place {
    case .constant(let memory): return memory + first
    case .shared(let offset): return arena + (offset &+ first)
    case .outer(let offset):
      return workspace + (offset &+ (operand.sliced ? (item &- outerItem) &* slot.itemFloats : 0))
    case .inner(let offset): return workspace + offset
    case .none: return workspace
    }
  }
}
