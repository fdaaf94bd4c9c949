package import Kernels

/// A model beside whose trunk an adapter is trained, with its numbers.
package struct AdaptedModel {
  package let configuration: ModelConfiguration
  package let parameters: FloatBuffer
  package let trunk: FloatBuffer

  package init(_ configuration: ModelConfiguration, parameters: FloatBuffer, trunk: FloatBuffer) {
    (self.configuration, self.parameters, self.trunk) = (configuration, parameters, trunk)
  }
}

/// Fills a pruned model with the numbers of the whole one that stay.
/// - Parameters: `target` has the shape of `kept`; masks of the source are let go of
package func cut(_ kept: KeptParts, of source: AdaptedModel, into target: AdaptedModel) {
  Cut(kept: kept, source: source, target: target).run()
}

private struct Cut {
  let kept: KeptParts
  let source: Transformer
  let target: Transformer
  let from: ParameterView
  let to: ParameterView

  init(kept: KeptParts, source: AdaptedModel, target: AdaptedModel) {
    self.kept = kept
    self.source = Transformer(source.configuration)
    self.target = Transformer(target.configuration)
    from = ParameterView(source.parameters, trunk: source.trunk)
    to = ParameterView(target.parameters, trunk: target.trunk)
  }

  func run() {
    for tensor in target.layout.trunk + target.layout.tensors {
      guard let whole = source.layout[tensor.name], whole.shape == tensor.shape else { continue }
      copyRows(from[whole.place], into: to[tensor.place])
    }
    for (layer, (whole, part)) in zip(source.blocks, target.blocks).enumerated() {
      cutMixer(layer, whole, part)
      cutFeedForward(layer, whole, part)
      cut(2 * layer, whole.mixerAdapter, part.mixerAdapter)
      cut(2 * layer + 1, whole.feedForwardAdapter, part.feedForwardAdapter)
    }
  }

  private func cutMixer(_ layer: Int, _ whole: Transformer.Block, _ part: Transformer.Block) {
    guard let whole = whole.mixer as? CausalSelfAttention,
      let part = part.mixer as? CausalSelfAttention
    else { return }
    let width = source.configuration.headWidth
    func places(_ width: Int) -> [Int] {
      kept.heads[layer].flatMap { Array($0 * width..<($0 + 1) * width) }
    }
    cut(
      whole.projection.query.weight, part.projection.query.weight, rows: places(3 * width),
      columns: nil)
    cut(whole.output.weight, part.output.weight, rows: nil, columns: places(width))
  }

  private func cutFeedForward(_ layer: Int, _ whole: Transformer.Block, _ part: Transformer.Block) {
    guard let whole = (whole.feedForward as? GELUFeedForward)?.network,
      let part = (part.feedForward as? GELUFeedForward)?.network
    else { return }
    cut(whole.up.weight, part.up.weight, rows: kept.channels[layer], columns: nil)
    cut(whole.down.weight, part.down.weight, rows: nil, columns: kept.channels[layer])
  }

  /// A weight, and what stands beside it; nil for all rows or columns.
  private func cut(_ whole: TensorPlace, _ part: TensorPlace, rows: [Int]?, columns: [Int]?) {
    copy(whole, part, rows, columns)
    guard let number = whole.adapter, let own = part.adapter,
      let module = (source.adapters[number] as? LowRankAdapter)?.module,
      let left = (target.adapters[own] as? LowRankAdapter)?.module
    else { return }
    copy(module.down, left.down, kept.ranks[number], columns)
    copy(module.up, left.up, rows, kept.ranks[number])
  }

  private func cut(_ number: Int, _ whole: BottleneckAdapter?, _ part: BottleneckAdapter?) {
    guard let module = whole?.module, let left = part?.module else { return }
    copy(module.down, left.down, kept.ranks[number], nil)
    copy(module.up, left.up, nil, kept.ranks[number])
  }

  private func copy(
    _ whole: TensorPlace, _ part: TensorPlace, _ rows: [Int]?, _ columns: [Int]?
  ) {
    let (values, target) = (from[whole], to[part])
    let (rows, columns) = (rows ?? Array(0..<whole.rows), columns ?? Array(0..<whole.columns))
    for (row, place) in rows.enumerated() {
      for (column, other) in columns.enumerated() { target[row, column] = values[place, other] }
    }
  }
}
