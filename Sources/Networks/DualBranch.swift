import ERIFormat

extension DualBranchParameters {
  /// Both branches' features, gated by what is present, joined, and pooled to intensities.
  ///
  /// Yu et al. 2023, without the modality dropout that only training has.
  /// Inputs: faces [N, T, 3, H, W] and audio [N, T, width], each of which may be left out; present [N, 2] (audio, video).
  func build(in builder: inout NetworkBuilder) throws(FormatError) {
    let steps = reaction.steps
    let size = Dimension(spatial.imageSize)
    let faces = builder.input(
      "faces", [NetworkBuilder.batch, Dimension(steps), Dimension(3), size, size], omission: .gated)
    let audio = builder.input(
      "audio", [NetworkBuilder.batch, Dimension(steps), Dimension(sound.width)], omission: .gated)
    let present = builder.input("present", [NetworkBuilder.batch, Dimension(2)], omission: .filled(1))

    let vectors = try builder.spatialNetwork("video", faces, steps: steps, spatial)
    let seen = try builder.temporalNetwork("video", vectors, from: spatial.width, steps: steps, temporal)
    let heard = try builder.temporalNetwork("audio", audio, from: sound.width, steps: steps, temporal)

    let gatedAudio = try builder.apply(.gate(Gate(index: 0)), [heard, present], name: "fusion.audio.out")
    let gatedVideo = try builder.apply(.gate(Gate(index: 1)), [seen, present], name: "fusion.video.out")
    let joined = try builder.apply(.concat(Concat(axis: 2)), [gatedAudio, gatedVideo], name: "fusion.concat.out")
    let width = 2 * temporal.width
    let normed = try builder.layerNorm("fusion.norm", joined, width: width)
    let projected = try builder.linear("fusion.proj", normed, from: width, to: fusion.width)
    builder.output(
      try builder.head("fusion", projected, width: fusion.width, labels: reaction.labels.count))
  }
}
