package import Kernels
package import Models
package import Training

/// A model of this program's layers with some windows of text: what its loss is with other weights.
///
/// One caller at a time.
package final class ModelTrial {
  package let checkpoint: any OpenedModel
  package let engine: TransformerEngine
  package let settings: LossSettings
  /// The checkpoint's own weights.
  package let parameters: FloatBuffer
  /// Room for others.
  package let trial: FloatBuffer
  /// Rows of T+1 tokens.
  let tokens: [Token]
  package let windows: Int

  /// As many windows, evenly spread over those there are.
  /// - Throws: `CheckpointError`, `DataError`.
  package init(
    _ evaluation: Evaluation, windows source: ConsecutiveWindows, most: Int, pool: WorkerPool
  ) throws {
    checkpoint = evaluation.checkpoint
    // What is measured is what its own tensors do.
    guard checkpoint.configuration.adapter == nil else {
      throw InspectionError.adapted(path: checkpoint.path)
    }
    try evaluation.checkMemory()
    settings = evaluation.settings
    engine = TransformerEngine(
      configuration: checkpoint.configuration, batch: Evaluation.batch, pool: pool)
    parameters = FloatBuffer(count: checkpoint.layout.count)
    trial = FloatBuffer(count: checkpoint.layout.count)
    try checkpoint.load(parameters: parameters)
    let count = min(most, source.count)
    var tokens: [Token] = []
    for window in 0..<count {
      let place = window * source.count / count
      tokens += try source.tokens(of: place..<(place + 1))
    }
    (self.tokens, windows) = (tokens, count)
  }

  package var configuration: ModelConfiguration { checkpoint.configuration }
  package var layout: ParameterLayout { checkpoint.layout }
  package var context: Int { configuration.context }

  /// All tensors that hold weights in rows.
  package var matrices: [ParameterTensor] {
    layout.tensors.filter(\.role.isDecayed)
  }

  /// What a pass over the first `limit` windows measures, with the checkpoint's weights or others.
  package func statistics(_ parameters: FloatBuffer? = nil, limit: Int = .max) -> StepStatistics {
    let rows = min(limit, windows)
    return tokens.withUnsafeBufferPointer {
      engine.loss(
        parameters: parameters ?? self.parameters, tokens: $0, rows: rows, settings: settings)
    }
  }

  /// Nats a token.
  package func loss(_ parameters: FloatBuffer? = nil, limit: Int = .max) -> Double {
    statistics(parameters, limit: limit).loss
  }

  /// The loss with weights that are the checkpoint's but for what `change` makes of them.
  package func loss(limit: Int = .max, changed change: (FloatBuffer) -> Void) -> Double {
    trial.copy(from: parameters)
    change(trial)
    return loss(trial, limit: limit)
  }

  /// The logits of the first windows, [windows·T, V].
  func logits(_ parameters: FloatBuffer, windows: Int) -> [Float] {
    tokens.withUnsafeBufferPointer {
      engine.logits(parameters: parameters, tokens: $0, rows: windows, settings: settings)
    }
  }

  /// What the model reads one of after another: byte or token.
  package var unit: String {
    configuration.vocabulary == Corpus.byteVocabulary ? "byte" : "token"
  }

  /// The normalised residual stream by layer over the first windows, [windows·T, D].
  package func features(windows: Int) -> [[Float]] {
    features(of: Array(tokens.prefix(windows * (context + 1))))
  }

  /// The same over rows of T+1 tokens.
  func features(of rows: [Token]) -> [[Float]] {
    rows.withUnsafeBufferPointer {
      engine.features(
        parameters: parameters, tokens: $0, rows: rows.count / (context + 1), settings: settings)
    }
  }

  /// The token that follows each position of the first windows.
  func targets(windows: Int) -> [Int] {
    (0..<windows).flatMap { row in
      (1...context).map { Int(tokens[row * (context + 1) + $0]) }
    }
  }
}
