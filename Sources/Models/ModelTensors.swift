internal import Kernels

/// The parameters, or one slice's gradients, as matrices.
struct ModelTensors: Sendable {
  let embedding: Matrix
  let layers: [LayerTensors]
  /// What the recurrent routers of all layers share.
  let cell: CellTensors?
  let finalGain: Matrix
  let unembedding: Matrix

  init(_ buffer: FloatBuffer, layout: ParameterLayout, configuration: ModelConfiguration) {
    var reader = TensorReader(buffer: buffer, tensors: layout.tensors)
    embedding = reader.next()
    layers = (0..<configuration.layers).map { layer in
      LayerTensors(&reader, experts: configuration.experts(inLayer: layer))
    }
    cell =
      configuration.experts?.router == .rmoe && !configuration.mixtureLayers.isEmpty
      ? CellTensors(
        input: reader.next(), state: reader.next(), inputBias: reader.next(),
        stateBias: reader.next()) : nil
    finalGain = reader.next()
    unembedding = reader.next()
  }
}

struct LayerTensors: Sendable {
  let inputGain: Matrix
  let queryKeyValue: Matrix
  let queryGain: Matrix
  let keyGain: Matrix
  let attentionOutput: Matrix
  let feedForwardGain: Matrix
  let feedForward: FeedForwardTensors

  fileprivate init(_ reader: inout TensorReader, experts: ExpertConfiguration?) {
    inputGain = reader.next()
    queryKeyValue = reader.next()
    queryGain = reader.next()
    keyGain = reader.next()
    attentionOutput = reader.next()
    feedForwardGain = reader.next()
    guard let experts else {
      feedForward = .dense(DenseTensors(up: reader.next(), down: reader.next()))
      return
    }
    let projection = experts.router == .rmoe ? reader.next() : nil
    let router = experts.router.hasScores ? reader.next() : nil
    let pairs = (0..<experts.count).map { _ in
      DenseTensors(up: reader.next(), down: reader.next())
    }
    let shared =
      experts.sharedWidth > 0 ? DenseTensors(up: reader.next(), down: reader.next()) : nil
    feedForward = .mixture(
      MixtureTensors(projection: projection, router: router, experts: pairs, shared: shared))
  }
}

enum FeedForwardTensors: Sendable {
  case dense(DenseTensors)
  case mixture(MixtureTensors)
}

struct DenseTensors: Sendable {
  let up: Matrix
  let down: Matrix
}

struct MixtureTensors: Sendable {
  /// What a recurrent router sees the input through, [p, D].
  let projection: Matrix?
  /// Nil for a router without scores.
  let router: Matrix?
  let experts: [DenseTensors]
  let shared: DenseTensors?
}

extension ModelTensors {
  /// Sets to zero what a backward pass adds up piece by piece; the rest it overwrites.
  func clearSums() {
    embedding.clear()
    finalGain.clear()
    for layer in layers {
      layer.inputGain.clear()
      layer.queryGain.clear()
      layer.keyGain.clear()
      layer.feedForwardGain.clear()
      guard case .mixture(let mixture) = layer.feedForward else { continue }
      mixture.projection?.clear()
      mixture.router?.clear()
    }
    cell?.clear()
  }
}

/// Walks the layout in its own order, so that names are looked up nowhere in a step.
private struct TensorReader {
  let buffer: FloatBuffer
  let tensors: [ParameterTensor]
  var index = 0

  mutating func next() -> Matrix {
    let tensor = tensors[index]
    index += 1
    let columns = tensor.fanIn
    return Matrix(buffer, offset: tensor.offset, rows: tensor.count / columns, columns: columns)
  }
}
