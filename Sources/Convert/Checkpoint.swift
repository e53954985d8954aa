package import ERIFormat

/// What a container of another framework holds: tensors by name, whose values stay in the file until they are asked for.
package struct Checkpoint: Sendable {
  /// A tensor and how its container speaks of it.
  package struct Entry: Sendable {
    package var tensor: Tensor
    /// The container's own name of the type ("float32", "FLOAT", "F32").
    package var dtypeName: String
    /// The shape as the container has it, which differs from the tensor's for MindSpore's scalars alone.
    package var shape: [Int]

    package init(_ tensor: Tensor, dtypeName: String, shape: [Int]? = nil) {
      self.tensor = tensor
      self.dtypeName = dtypeName
      self.shape = shape ?? tensor.shape
    }
  }

  /// What one kind of container says beside its tensors.
  package enum Details: Sendable {
    case none
    /// All that an .eri file holds.
    case model(Model)
    /// The header's `__metadata__`, in its order; nil: it has none.
    case safetensors([(key: String, value: String)]?)
    case onnx(ONNXSummary)
  }

  package var container: Container
  package var path: String
  /// In the container's order.
  package var entries: [Entry]
  /// What the container holds beside tensors and was left behind, a sentence each: nothing is dropped silently.
  package var notes: [String]
  package var details = Details.none

  package init(_ container: Container, path: String, entries: [Entry] = [], notes: [String] = []) {
    self.container = container
    self.path = path
    self.entries = entries
    self.notes = notes
  }
}
