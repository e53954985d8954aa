package import ERIFormat

/// Operators that share a rule; which ones there are is what this build supports.
enum ONNXFamily: CaseIterable {
  case reshaping
  case attention, rotaryEmbedding, linearAttention
  case recurrent
  case fourier, window
  case rearranging
  case joining
  case padding
  case gathering
  case scattering
  case shapeValues
  case range
  case oneHot
  case trimming
  case selecting
  case unique
  case convolution
  case integerConvolution
  case causalConvolution
  case pooling
  case unpooling
  case folding
  case region
  case resize
  case gridSample
  case affineGrid
  case suppression
  case unary
  case activation
  case arithmetic
  case gated
  case power
  case variadic
  case comparison
  case logic
  case predicate
  case clip
  case dropout
  case choice
  case casting
  case quantization
  case dynamicQuantization
  case reduction
  case extremeIndex
  case cumulative
  case ranking
  case softmax
  case lpNormalization
  case batchNormalization
  case groupNormalization
  case layerNormalization
  case meanVariance
  case localResponse
  case matMul
  case gemm
  case integerMatMul
  case einsum
  case determinant
  case loss
  case featureSelection
  case labelEncoding
  case treeEnsemble
  case featureScaling
  case linearModel

  /// The operators' names, "domain.name" for another domain than ONNX's own.
  var names: [String] {
    switch self {
    case .reshaping: ["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"]
    case .attention: ["Attention", "ai.onnx.preview.FlexAttention"]
    case .rotaryEmbedding: ["RotaryEmbedding"]
    case .linearAttention: ["LinearAttention"]
    case .recurrent: ["RNN", "GRU", "LSTM"]
    case .fourier: ["DFT", "STFT"]
    case .window: ["BlackmanWindow", "HammingWindow", "HannWindow", "MelWeightMatrix"]
    case .rearranging: ["Transpose", "DepthToSpace", "SpaceToDepth", "Expand", "Tile", "Slice"]
    case .joining: ["Concat", "Split"]
    case .padding: ["Pad", "CenterCropPad"]
    case .gathering: ["Gather", "GatherElements", "GatherND"]
    case .scattering: ["Scatter", "ScatterElements", "ScatterND", "TensorScatter"]
    case .shapeValues: ["Shape", "Size", "ConstantOfShape", "EyeLike"]
    case .range: ["Range"]
    case .oneHot: ["OneHot"]
    case .trimming: ["Trilu", "ReverseSequence"]
    case .selecting: ["NonZero", "Compress"]
    case .unique: ["Unique"]
    case .convolution: ["Conv", "ConvTranspose", "DeformConv"]
    case .integerConvolution: ["ConvInteger", "QLinearConv"]
    case .causalConvolution: ["CausalConvWithState"]
    case .pooling: ["MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]
    case .unpooling: ["MaxUnpool"]
    case .folding: ["Col2Im"]
    case .region: ["RoiAlign", "MaxRoiPool"]
    case .resize: ["Resize", "Upsample"]
    case .gridSample: ["GridSample"]
    case .affineGrid: ["AffineGrid"]
    case .suppression: ["NonMaxSuppression"]
    case .unary: UnaryFunction.allCases.map { $0.rawValue }
    case .activation: ActivationFunction.allCases.map { $0.rawValue }
    case .arithmetic: ArithmeticFunction.allCases.map { $0.rawValue }
    case .gated: ["SwiGLU"]
    case .power: ["Pow"]
    case .variadic: VariadicFunction.allCases.map { $0.rawValue }
    case .comparison: ComparisonFunction.allCases.map { $0.rawValue }
    case .logic: LogicFunction.allCases.map { $0.rawValue }
    case .predicate: ["IsNaN", "IsInf"]
    case .clip: ["Clip"]
    case .dropout: ["Dropout"]
    case .choice: ["Where"]
    case .casting: ["Cast", "CastLike", "BitCast"]
    case .quantization: ["QuantizeLinear", "DequantizeLinear"]
    case .dynamicQuantization: ["DynamicQuantizeLinear"]
    case .reduction: ReductionFunction.allCases.map { $0.rawValue }
    case .extremeIndex: ["ArgMax", "ArgMin"]
    case .cumulative: ["CumSum", "CumProd"]
    case .ranking: ["TopK"]
    case .softmax: ["Softmax", "LogSoftmax", "Hardmax"]
    case .lpNormalization: ["LpNormalization"]
    case .batchNormalization: ["BatchNormalization"]
    case .groupNormalization: ["InstanceNormalization", "GroupNormalization"]
    case .layerNormalization: ["LayerNormalization", "RMSNormalization"]
    case .meanVariance: ["MeanVarianceNormalization"]
    case .localResponse: ["LRN"]
    case .matMul: ["MatMul"]
    case .gemm: ["Gemm"]
    case .integerMatMul: ["MatMulInteger", "QLinearMatMul"]
    case .einsum: ["Einsum"]
    case .determinant: ["Det"]
    case .loss: ["SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"]
    case .featureSelection: ["ai.onnx.ml.ArrayFeatureExtractor", "ai.onnx.ml.Binarizer"]
    case .labelEncoding: ["ai.onnx.ml.LabelEncoder"]
    case .treeEnsemble: ["ai.onnx.ml.TreeEnsemble"]
    case .featureScaling: ["ai.onnx.ml.Scaler", "ai.onnx.ml.Normalizer", "ai.onnx.ml.Imputer"]
    case .linearModel: ["ai.onnx.ml.LinearRegressor", "ai.onnx.ml.LinearClassifier"]
    }
  }

  /// Whether float16 and bfloat16 operands are widened to float32 and results rounded back; false: the family takes every type as it is.
  var widens: Bool {
    switch self {
    case .reshaping: false
    case .attention, .rotaryEmbedding, .linearAttention, .recurrent, .fourier: true
    case .window: false
    case .rearranging: false
    case .joining: false
    case .padding: false
    case .gathering: false
    case .scattering: true
    case .shapeValues: false
    case .range: true
    case .oneHot: false
    case .trimming: false
    case .selecting: false
    case .unique: true
    case .convolution: true
    case .integerConvolution: false
    case .causalConvolution: true
    case .pooling: true
    case .unpooling: false
    case .folding: true
    case .region: true
    case .resize: true
    case .gridSample: true
    case .affineGrid: true
    case .suppression: true
    case .unary: true
    case .activation: true
    case .arithmetic: true
    case .gated: true
    case .power: true
    case .variadic: true
    case .comparison: true
    case .logic: false
    case .predicate: true
    case .clip: true
    case .dropout: true
    case .choice: false
    case .casting: false
    case .quantization: false
    case .dynamicQuantization: false
    case .reduction: true
    case .extremeIndex: true
    case .cumulative: true
    case .ranking: true
    case .softmax: true
    case .lpNormalization: true
    case .batchNormalization: true
    case .groupNormalization: true
    case .layerNormalization: true
    case .meanVariance: true
    case .localResponse: true
    case .matMul: true
    case .gemm: true
    case .integerMatMul: false
    case .einsum: true
    case .determinant: true
    case .loss: true
    case .featureSelection: false
    case .labelEncoding: false
    case .treeEnsemble: true
    case .featureScaling: false
    case .linearModel: false
    }
  }

  func kernel(_ node: ONNXNode) throws(FormatError) -> ONNXKernel {
    switch self {
    case .reshaping: try node.reshapingKernel()
    case .attention: try node.attentionKernel()
    case .rotaryEmbedding: try node.rotaryEmbeddingKernel()
    case .linearAttention: try node.linearAttentionKernel()
    case .recurrent: try node.recurrentKernel()
    case .fourier: try node.fourierKernel()
    case .window: try node.windowKernel()
    case .rearranging: try node.rearrangingKernel()
    case .joining: try node.joiningKernel()
    case .padding: try node.paddingKernel()
    case .gathering: try node.gatheringKernel()
    case .scattering: try node.scatteringKernel()
    case .shapeValues: try node.shapeValuesKernel()
    case .range: try node.rangeKernel()
    case .oneHot: try node.oneHotKernel()
    case .trimming: try node.trimmingKernel()
    case .selecting: try node.selectingKernel()
    case .unique: try node.uniqueKernel()
    case .convolution: try node.convolutionKernel()
    case .integerConvolution: try node.integerConvolutionKernel()
    case .causalConvolution: try node.causalConvolutionKernel()
    case .pooling: try node.poolingKernel()
    case .unpooling: try node.unpoolingKernel()
    case .folding: try node.foldingKernel()
    case .region: try node.regionKernel()
    case .resize: try node.resizeKernel()
    case .gridSample: try node.gridSampleKernel()
    case .affineGrid: try node.affineGridKernel()
    case .suppression: try node.suppressionKernel()
    case .unary: try node.unaryKernel()
    case .activation: try node.activationKernel()
    case .arithmetic: try node.arithmeticKernel()
    case .gated: try node.gatedKernel()
    case .power: try node.powerKernel()
    case .variadic: try node.variadicKernel()
    case .comparison: try node.comparisonKernel()
    case .logic: try node.logicKernel()
    case .predicate: try node.predicateKernel()
    case .clip: try node.clipKernel()
    case .dropout: try node.dropoutKernel()
    case .choice: try node.whereKernel()
    case .casting: try node.castingKernel()
    case .quantization: try node.quantizationKernel()
    case .dynamicQuantization: try node.dynamicQuantizationKernel()
    case .reduction: try node.reductionKernel()
    case .extremeIndex: try node.extremeIndexKernel()
    case .cumulative: try node.cumulativeKernel()
    case .ranking: try node.rankingKernel()
    case .softmax: try node.softmaxKernel()
    case .lpNormalization: try node.lpNormalizationKernel()
    case .batchNormalization: try node.batchNormalizationKernel()
    case .groupNormalization: try node.groupNormalizationKernel()
    case .layerNormalization: try node.layerNormalizationKernel()
    case .meanVariance: try node.meanVarianceKernel()
    case .localResponse: try node.localResponseKernel()
    case .matMul: try node.matMulKernel()
    case .gemm: try node.gemmKernel()
    case .integerMatMul: try node.integerMatMulKernel()
    case .einsum: try node.einsumKernel()
    case .determinant: try node.determinantKernel()
    case .loss: try node.lossKernel()
    case .featureSelection: try node.featureSelectionKernel()
    case .labelEncoding: try node.labelEncodingKernel()
    case .treeEnsemble: try node.treeEnsembleKernel()
    case .featureScaling: try node.featureScalingKernel()
    case .linearModel: try node.linearModelKernel()
    }
  }

  /// Every name's family: a graph asks for it at each of its nodes.
  private static let byName: [String: ONNXFamily] = {
    var families: [String: ONNXFamily] = [:]
    for family in allCases {
      for name in family.names { families[name] = family }
    }
    return families
  }()

  /// The family of an operator; nil: it is not supported.
  init?(_ op: ONNXOperator) {
    guard let family = ONNXFamily.byName[op.qualifiedName] else { return nil }
    self = family
  }
}

extension ONNXOperator {
  /// Whether a kernel exists.
  package var isSupported: Bool { ONNXFamily(self) != nil }

  /// Every operator with a kernel, in the families' order.
  package static var supportedNames: [String] { ONNXFamily.allCases.flatMap { $0.names } }

  /// Whether the values of an input matter, and not its type and shape alone.
  package func readsValues(ofInput index: Int) -> Bool {
    switch qualifiedName {
    case "Shape", "Size", "EyeLike": false
    case "CastLike": index == 0
    default: true
    }
  }

  /// The inputs whose values decide the outputs' shapes, and so must be known when the graph is bound.
  package var decidingInputs: [Int] {
    switch qualifiedName {
    case "Reshape", "Expand", "Tile", "Squeeze", "Unsqueeze", "TopK", "OneHot", "Split", "CenterCropPad", "CumSum",
      "CumProd",
      "AffineGrid", "Upsample", "Trilu":
      [1]
    case "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
      "ReduceProd",
      "ReduceSum", "ReduceSumSquare":
      [1]
    case "ConstantOfShape", "BlackmanWindow", "HammingWindow", "HannWindow": [0]
    case "Range": [0, 1, 2]
    case "Slice", "MelWeightMatrix": [0, 1, 2, 3, 4].filter { $0 > 0 || name == "MelWeightMatrix" }
    case "Pad", "STFT": [1, 3]
    case "Resize": [1, 2, 3]
    case "Col2Im", "DFT", "Dropout": [1, 2]
    case "MaxUnpool", "NonMaxSuppression": [2]
    default: []
    }
  }
}

extension ONNXNode {
  /// Chooses and makes the kernel.
  /// - Throws: `FormatError` `.unsupported` for an operator or type that has none, `.invalid` where operands or attributes break its rule.
  package func kernel() throws(FormatError) -> ONNXKernel {
    guard let family = ONNXFamily(op) else {
      throw FormatError(
        .unsupported, at: "", "expected an operator of ONNX that is computed here, found \(op.qualifiedName)")
    }
    let kernel = family.widens ? try widenedKernel(family) : try family.kernel(self)
    guard kernel.outputs.count >= outputCount else {
      throw contractError("expected at most \(counted(kernel.outputs.count, "output")), found \(outputCount)")
    }
    return kernel
  }
}
