package import Kernels
package import Models

/// A tensor that `optimizer.safetensors` holds beside the layout's own.
package struct StoredTensor {
  let name: String
  let shape: [Int]
  let buffer: FloatBuffer
  var offset = 0

  var values: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: buffer.base + offset, count: shape.reduce(1, *))
  }
}

/// The numbers of a run at one step: what a checkpoint keeps beside the run's own state.
package struct CheckpointContents {
  package var configuration: ModelConfiguration
  package var layout: ParameterLayout
  /// The share of qk-layernorm in the attention logits of this step: 0 off, 1 on, between while
  /// blending.
  package var qkLayerNormWeight: Float
  package var forward: ForwardState
  package var parameters: FloatBuffer
  /// What is not trained, where an adapter is.
  package var trunk: FloatBuffer?
  package var firstMoments: FloatBuffer
  package var secondMoments: FloatBuffer
  package var others: [StoredTensor]

  package init(
    configuration: ModelConfiguration, layout: ParameterLayout, qkLayerNormWeight: Float,
    forward: ForwardState = ForwardState(), parameters: FloatBuffer, trunk: FloatBuffer? = nil,
    firstMoments: FloatBuffer, secondMoments: FloatBuffer, others: [StoredTensor] = []
  ) {
    self.configuration = configuration
    self.layout = layout
    self.qkLayerNormWeight = qkLayerNormWeight
    self.forward = forward
    self.parameters = parameters
    self.trunk = trunk
    self.firstMoments = firstMoments
    self.secondMoments = secondMoments
    self.others = others
  }

  /// What `model.safetensors` holds. A dense model gets the biases Hugging Face expects, as zeros;
  /// the gains of qk-layernorm are left out while it is off, since Hugging Face would not know them
  /// then.
  func modelTensors() -> [SafetensorsTensor] {
    let (tensors, buffer) = trunk.map { (layout.trunk, $0) } ?? (layout.tensors, parameters)
    return tensors.filter { isInModelFile($0, qkLayerNormWeight: qkLayerNormWeight) }
      .flatMap { tensor in
        let weight = stored(tensor, name: tensor.name, from: buffer)
        guard configuration.isAll(.persimmon), let bias = biasName(of: tensor) else {
          return [weight]
        }
        return [weight, SafetensorsTensor(name: bias, shape: [tensor.shape[0]], contents: .zeros)]
      }
  }

  /// What the adapter's own file holds, under PEFT's names; empty where there is no adapter.
  func adapterTensors() -> [SafetensorsTensor] {
    guard trunk != nil else { return [] }
    return layout.tensors.map { stored($0, name: AdapterFolder.name(of: $0), from: parameters) }
  }

  /// What `optimizer.safetensors` holds: both moments of every tensor that is trained, and the values of those that
  /// `model.safetensors` leaves out, so that a continuation is exact.
  func optimizerTensors() -> [SafetensorsTensor] {
    let beside = others.map { tensor in
      SafetensorsTensor(
        name: tensor.name, shape: tensor.shape,
        contents: .values(UnsafeBufferPointer(tensor.values)))
    }
    return layoutTensors() + trunkTensors() + beside
  }

  /// Those of the trunk that `model.safetensors` leaves out.
  private func trunkTensors() -> [SafetensorsTensor] {
    guard let trunk else { return [] }
    return layout.trunk.filter { !isInModelFile($0, qkLayerNormWeight: qkLayerNormWeight) }
      .map { written($0, name: $0.name, from: trunk) }
  }

  private func layoutTensors() -> [SafetensorsTensor] {
    layout.tensors.flatMap { tensor -> [SafetensorsTensor] in
      // What is read from a shared array has no moments.
      guard layout.isTrained(tensor) else { return [] }
      let moments = [
        written(tensor, name: firstMomentName(tensor), from: firstMoments),
        written(tensor, name: secondMomentName(tensor), from: secondMoments),
      ]
      guard trunk == nil, !isInModelFile(tensor, qkLayerNormWeight: qkLayerNormWeight) else {
        return moments
      }
      return [written(tensor, name: tensor.name, from: parameters)] + moments
    }
  }

  /// In the form that its family's files have.
  private func stored(
    _ tensor: ParameterTensor, name: String, from buffer: FloatBuffer
  ) -> SafetensorsTensor {
    let form = FileForm(tensor, configuration)
    guard !form.isPlain else { return written(tensor, name: name, from: buffer) }
    let values = UnsafeBufferPointer(start: buffer.base + tensor.offset, count: tensor.count)
    return SafetensorsTensor(
      name: name, shape: form.shape(of: tensor),
      contents: .copied(form.stored(values, rows: tensor.shape[0])))
  }

  private func written(
    _ tensor: ParameterTensor, name: String, from buffer: FloatBuffer
  ) -> SafetensorsTensor {
    let values = UnsafeBufferPointer(start: buffer.base + tensor.offset, count: tensor.count)
    return SafetensorsTensor(name: name, shape: tensor.shape, contents: .values(values))
  }
}

func firstMomentName(_ tensor: ParameterTensor) -> String { tensor.name + ".exp_avg" }

func secondMomentName(_ tensor: ParameterTensor) -> String { tensor.name + ".exp_avg_sq" }

func isInModelFile(_ tensor: ParameterTensor, qkLayerNormWeight: Float) -> Bool {
  switch tensor.role {
  case .sigmaGain, .sharedArray: false
  case .queryKeyGain: qkLayerNormWeight != 0
  default: true
  }
}

/// Persimmon has a bias wherever it has a weight, but for the embedding and the unembedding.
private func biasName(of tensor: ParameterTensor) -> String? {
  switch tensor.role {
  case .matrix, .queryKeyValue, .gain, .queryKeyGain:
    tensor.name.replacing(".weight", with: ".bias")
  case .embedding, .unembedding, .router, .adapter, .sigmaGain, .sharedArray, .bias, .coefficients,
    .subspace, .fixed:
    nil
  }
}
