import Foundation
package import Kernels
package import Models
package import Training

/// Text that models are measured on.
package struct HeldOutText: Sendable {
  package let name: String
  let windows: ConsecutiveWindows

  /// All of what lies at `path`.
  /// - Throws: `DataError`.
  package init(path: String, for model: ModelConfiguration) throws(DataError) {
    let corpus = try Corpus.open(path: path, vocabulary: model.vocabulary)
    (name, windows) = (
      corpus.name, try ConsecutiveWindows(corpus: corpus, context: model.context)
    )
  }

  private init(_ evaluation: Evaluation) {
    self.init(name: evaluation.corpusName, windows: evaluation.windows)
  }

  private init(name: String, windows: ConsecutiveWindows) {
    (self.name, self.windows) = (name, windows)
  }

  /// A half to choose by and a half to measure on, so that a choice is not measured on what it was made
  /// by.
  /// - Throws: `DataError.tooShort` for a text of one window.
  package func halves() throws(DataError) -> (chosenBy: HeldOutText, measured: HeldOutText) {
    guard let halves = try windows.halves() else {
      throw .tooShort(
        path: name, bytes: windows.windowCount, needed: 2 * windows.context + 1,
        context: windows.context, unit: windows.corpus.unit)
    }
    return (
      HeldOutText(name: name, windows: halves.first),
      HeldOutText(name: name, windows: halves.second)
    )
  }

  /// What the checkpoints' own runs held out, each text once; `refuse` is told whose is gone.
  /// - Throws: `DataError`, `CheckpointError`, `ConfigurationError`.
  package static func own(
    of checkpoints: [Checkpoint], refuse: (EvaluationError) -> Void
  ) throws -> [HeldOutText] {
    var texts: [HeldOutText] = []
    for checkpoint in checkpoints {
      do {
        let text = HeldOutText(try Evaluation(heldOutOf: checkpoint, workers: nil))
        if !texts.contains(where: { $0.isSame(as: text) }) { texts.append(text) }
      } catch let error as EvaluationError {
        refuse(error)
      }
    }
    return texts
  }

  private func isSame(as other: HeldOutText) -> Bool {
    windows.corpus.description == other.windows.corpus.description
      && windows.count == other.windows.count
  }

  /// Nats a token of a checkpoint over `most` windows, evenly spread.
  /// - Throws: `DataError`, `CheckpointError`.
  package func loss(of checkpoint: Checkpoint, most: Int, pool: WorkerPool) throws -> Double {
    try trial(of: checkpoint, most: most, pool: pool).loss()
  }

  /// - Throws: as ``loss(of:most:pool:)`` does.
  func trial(of checkpoint: Checkpoint, most: Int, pool: WorkerPool) throws -> ModelTrial {
    let evaluation = try Evaluation(
      checkpoint: checkpoint, corpus: windows.corpus, workers: pool.workers)
    return try ModelTrial(evaluation, windows: windows, most: most, pool: pool)
  }
}
