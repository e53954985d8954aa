import ERIFormat
import ERINetworks

/// The dual-branch network in small: every layer kind of the full one, at widths that the reference computes in moments.
package func narrowParameters() -> DualBranchParameters {
  var parameters = DualBranchParameters()
  parameters.reaction.steps = 8
  parameters.spatial.imageSize = 32
  parameters.spatial.baseWidth = 8
  parameters.spatial.blocks = 2
  parameters.spatial.feedForward = 48
  parameters.sound.coefficients = 6
  parameters.sound.stack = 4
  parameters.temporal.levels = 3
  parameters.temporal.width = 16
  parameters.temporal.blocks = 2
  parameters.temporal.feedForward = 24
  parameters.fusion.width = 12
  return parameters
}

package func narrowVideoParameters() -> VideoBranchParameters {
  var parameters = VideoBranchParameters()
  parameters.reaction = narrowParameters().reaction
  parameters.spatial = narrowParameters().spatial
  parameters.temporal = narrowParameters().temporal
  return parameters
}

package func narrowAudioParameters() -> AudioBranchParameters {
  var parameters = AudioBranchParameters()
  parameters.reaction = narrowParameters().reaction
  parameters.sound = narrowParameters().sound
  parameters.temporal = narrowParameters().temporal
  return parameters
}

package func narrowStemParameters() -> StemParameters {
  var parameters = StemParameters()
  parameters.imageSize = narrowParameters().spatial.imageSize
  parameters.baseWidth = narrowParameters().spatial.baseWidth
  return parameters
}

/// The narrow network with every choice away from its default.
package func unusualParameters() -> DualBranchParameters {
  var parameters = narrowParameters()
  parameters.reaction.labels = ["joy", "fear"]
  parameters.spatial.gelu = .tanh
  parameters.spatial.attentionBias = false
  parameters.spatial.finalNorm = false
  parameters.spatial.heads = 2
  parameters.spatial.dropout = 0
  parameters.temporal.kernel = 2
  parameters.temporal.convolutionsPerBlock = 1
  parameters.temporal.scaled = false
  parameters.temporal.positionBase = 10_000
  parameters.temporal.heads = 2
  parameters.temporal.normForm = .temma
  parameters.temporal.band = Attention.Band(before: 2, after: 1)
  parameters.temporal.dropout = 0.3
  parameters.fusion.keepBoth = 1
  parameters.fusion.keepVideo = 0.25
  return parameters
}
