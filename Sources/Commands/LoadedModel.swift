package import ERIFormat

/// A model and the path that messages about it begin with.
package struct LoadedModel: Sendable {
  package let path: String
  package let model: Model

  /// Reads a file's directory; tensors are read when they are asked for.
  /// - Throws: `CommandFailure` `.invalid` if it is no model or is damaged, `.unsupported` if it needs a newer reader.
  package init(path: String) throws(CommandFailure) {
    do throws(FormatError) { model = try Model(reading: path) } catch { throw CommandFailure(error) }
    self.path = path
  }

  /// The validated graph.
  /// - Throws: `CommandFailure` `.unsupported` for a file of tensors alone, `.invalid` naming the graph's first fault.
  package func program() throws(CommandFailure) -> Program {
    do throws(FormatError) { return try Program(validating: model) } catch { throw failure(error) }
  }

  /// The digests of its meaning and of its weights.
  package func digests() throws(CommandFailure) -> Digests {
    do throws(FormatError) { return try model.digests() } catch { throw failure(error) }
  }

  /// An error inside this file.
  package func failure(_ error: FormatError) -> CommandFailure {
    CommandFailure(error.place.hasPrefix(path) ? error : error.inside(path))
  }
}
