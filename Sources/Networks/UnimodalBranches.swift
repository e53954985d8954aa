import ERIFormat

extension VideoBranchParameters {
  /// The video branch with a head of its own.
  ///
  /// Input: faces [N, T, 3, H, W].
  func build(in builder: inout NetworkBuilder) throws(FormatError) {
    let steps = reaction.steps
    let size = Dimension(spatial.imageSize)
    let faces = builder.input("faces", [NetworkBuilder.batch, Dimension(steps), Dimension(3), size, size])
    let vectors = try builder.spatialNetwork("video", faces, steps: steps, spatial)
    let seen = try builder.temporalNetwork("video", vectors, from: spatial.width, steps: steps, temporal)
    builder.output(
      try builder.head("video.head", seen, width: temporal.width, labels: reaction.labels.count))
  }
}

extension AudioBranchParameters {
  /// The audio branch with a head of its own.
  ///
  /// Input: audio [N, T, width].
  func build(in builder: inout NetworkBuilder) throws(FormatError) {
    let steps = reaction.steps
    let audio = builder.input("audio", [NetworkBuilder.batch, Dimension(steps), Dimension(sound.width)])
    let heard = try builder.temporalNetwork("audio", audio, from: sound.width, steps: steps, temporal)
    builder.output(
      try builder.head("audio.head", heard, width: temporal.width, labels: reaction.labels.count))
  }
}
