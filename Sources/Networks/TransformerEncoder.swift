import ERIFormat

/// The pre-norm transformer encoder of both the spatial and the temporal part.
struct EncoderLayout {
  var blocks: Int
  var width: Int
  var heads: Int
  var feedForward: Int
  var activation: Unary.Function
  var attentionBias = true
  var finalNorm = true
  var normForm = TemporalParameters.NormForm.standard
  var band: Attention.Band?
  /// Of probabilities, of the feed-forward part and of what is added to the residual, in training.
  var dropout = 0.0
}

extension NetworkBuilder {
  /// x + attention(norm(x)), then x + ffn(norm(x)), `blocks` times over [M, S, width].
  mutating func encoder(_ prefix: String, _ tokens: Int, _ layout: EncoderLayout) throws(FormatError) -> Int {
    var x = tokens
    for block in 0..<layout.blocks { x = try encoderBlock("\(prefix).blocks.\(block)", x, layout) }
    return layout.finalNorm ? try layerNorm("\(prefix).norm", x, width: layout.width, form: layout.normForm) : x
  }

  private mutating func encoderBlock(
    _ name: String, _ x: Int, _ layout: EncoderLayout
  ) throws(FormatError) -> Int {
    let width = layout.width
    let normed = try layerNorm("\(name).norm1", x, width: width, form: layout.normForm)
    var projections: [Int?] = []
    for projection in ["q", "k", "v"] {
      projections.append(
        try linear("\(name).attn.\(projection)", normed, from: width, to: width, bias: layout.attentionBias))
    }
    let attention = Attention(
      heads: layout.heads, scale: Float(1 / Double(width / layout.heads).squareRoot()), band: layout.band)
    let context = try apply(.attention(attention), projections, name: "\(name).attn.context")
    drop(context, rate: layout.dropout)
    let projected = try linear("\(name).attn.o", context, from: width, to: width)
    drop(projected, rate: layout.dropout)
    let attended = try add("\(name).attn.sum", x, projected)
    var y = try layerNorm("\(name).norm2", attended, width: width, form: layout.normForm)
    y = try linear("\(name).ffn.fc1", y, from: width, to: layout.feedForward)
    y = try apply(.unary(Unary(layout.activation)), [y], name: "\(name).ffn.activation")
    drop(y, rate: layout.dropout)
    y = try linear("\(name).ffn.fc2", y, from: layout.feedForward, to: width)
    drop(y, rate: layout.dropout)
    return try add("\(name).out", attended, y)
  }
}
