/// An open model file, from which tensors are read.
package final class ModelFile: Sendable {
  package let path: String

  package init(path: String) { self.path = path }
}
