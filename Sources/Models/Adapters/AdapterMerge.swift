package import Kernels

extension ModelConfiguration {
  /// The model alone, whose parts that are cut out stay so.
  package var withoutAdapter: ModelConfiguration {
    var plain = self
    plain.adapter = nil
    plain.pruned?.ranks = []
    return plain
  }
}

/// The weights of a plain model that does what an adapted one does, to rounding, in the layout of
/// the plain one.
/// - Parameters: `configuration` has an adapter whose method can be merged; `parameters` and `trunk`
///   are in its layout
package func mergedParameters(
  _ configuration: ModelConfiguration, parameters: FloatBuffer, trunk: FloatBuffer
) -> FloatBuffer {
  let model = Transformer(configuration)
  let layout = ParameterLayout(configuration.withoutAdapter)
  let merged = FloatBuffer(count: layout.count)
  let (source, target) = (ParameterView(parameters, trunk: trunk), ParameterView(merged))
  for tensor in model.layout.trunk {
    guard let own = layout[tensor.name] else { continue }
    copyRows(source[tensor.place], into: target[own.place])
    guard let adapter = tensor.adapter else { continue }
    model.adapters[adapter].merge(into: target[own.place], source)
  }
  return merged
}
