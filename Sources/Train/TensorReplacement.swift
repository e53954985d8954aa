package import ERIFormat

extension Model {
  /// The model with the tensors of another in the place of its own of the same name.
  /// - Throws: `FormatError` if one is missing here or of another type or shape.
  package func replacing(tensorsOf other: Model) throws(FormatError) -> Model {
    var model = self
    var places: [[UInt8]: Int] = [:]
    for (index, tensor) in tensors.enumerated() { places[Array(tensor.name.utf8)] = index }
    for tensor in other.tensors where tensor.role != .optimizerState {
      guard let place = places[Array(tensor.name.utf8)] else {
        throw FormatError(
          .invalid, at: "tensor \"\(tensor.name)\"",
          "expected a tensor of the network it goes into, found none of that name")
      }
      let own = tensors[place]
      guard own.dtype == tensor.dtype, own.shape == tensor.shape else {
        throw FormatError(
          .invalid, at: "tensor \"\(tensor.name)\"",
          "expected \(own.dtype.name) \(shapeText(own.shape)), found \(tensor.dtype.name) \(shapeText(tensor.shape))")
      }
      model.tensors[place].values = tensor.values
    }
    return model
  }
}
