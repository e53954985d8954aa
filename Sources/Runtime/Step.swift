/// One kernel call of a plan: reads its operands, writes its output for a range of units.
///
/// A unit is the smallest piece of work that may run on a thread of its own (an output row, an attention head); an item is one index of
/// the leading axis and has `unitsPerItem` of them. Results do not depend on how units are divided.
package class Step {
  /// Index of the graph's node this step computes, for messages and profiles.
  package let node: Int
  package let operands: [Operand]
  package let output: Operand
  /// Outputs beside the first.
  package let moreOutputs: [Operand]
  /// Extent of the leading axis over which the step's items are independent; 1 if they are not.
  package let items: Int
  package let unitsPerItem: Int
  /// Floats of scratch memory that each running thread needs.
  package let scratchCount: Int
  /// Multiply-adds per item, to judge whether threads pay and to report the rate.
  package let workPerItem: Int
  /// Items per call below which weights would be read too often.
  package let minimumItems: Int
  /// Set when the plan is laid out: the scratch's place in the workspace.
  package var scratchOffset = 0

  init(
    node: Int, operands: [Operand], output: Operand, moreOutputs: [Operand] = [], items: Int, unitsPerItem: Int,
    scratchCount: Int = 0, workPerItem: Int, minimumItems: Int = 1
  ) {
    self.node = node
    self.operands = operands
    self.output = output
    self.moreOutputs = moreOutputs
    self.items = items
    self.unitsPerItem = unitsPerItem
    self.scratchCount = scratchCount
    self.workPerItem = workPerItem
    self.minimumItems = minimumItems
  }

  /// What runs, for profiles: "conv winograd".
  var kernelName: String { "" }

  /// Whether what an operand holds can stop a run.
  var canFail: Bool { false }

  /// Why the last run stopped, if what an operand held stopped it.
  var fault: String? { nil }

  /// Computes units `begin..<end`, counted from the frame's first item.
  package func run(_ frame: Frame, _ begin: Int, _ end: Int) {}

  final func scratch(_ frame: Frame) -> UnsafeMutablePointer<Float> { frame.workspace + scratchOffset }
}
