package import ERIFormat

/// What a container of another framework holds: tensors by name, whose values stay in the file until they are asked for.
package struct Checkpoint: Sendable {
  /// A tensor and how its container speaks of it.
  package struct Entry: Sendable {
    package var tensor: Tensor
    /// The container's own name of the type ("float32", "FLOAT", "F32").
    package var dtypeName: String

    package init(_ tensor: Tensor, dtypeName: String) {
      self.tensor = tensor
      self.dtypeName = dtypeName
    }
  }

  package var container: Container
  package var path: String
  /// In the container's order.
  package var entries: [Entry]
  /// What the container holds beside tensors and was left behind, a sentence each: nothing is dropped silently.
  package var notes: [String]

  package init(_ container: Container, path: String, entries: [Entry] = [], notes: [String] = []) {
    self.container = container
    self.path = path
    self.entries = entries
    self.notes = notes
  }
}
