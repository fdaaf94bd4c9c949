import Foundation
import Kernels
package import Models
import Signals

/// The loss of a checkpoint on data: the mean over consecutive, non-overlapping windows.
///
/// It depends neither on the number of workers nor on how the windows are read.
package struct Evaluation {
  package struct Result: Sendable, Equatable {
    /// Nats a token.
    package let loss: Double
    package let tokens: Int
  }

  private static let rowsAtOnce = 64

  package let checkpoint: any OpenedModel
  package let windows: ConsecutiveWindows
  /// Of the part that its own run trained on; nil where it is measured on other data.
  package let training: ConsecutiveWindows?
  /// That its own run's first weights were drawn with; nil where it is measured on other data.
  package let seed: UInt64?
  private let workers: Int

  /// - Throws: ``DataError`` where the data has less than one window.
  package init(
    checkpoint: any OpenedModel, corpus: Corpus, workers: Int?
  ) throws(DataError) {
    self.checkpoint = checkpoint
    self.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
    windows = try ConsecutiveWindows(corpus: corpus, context: checkpoint.configuration.context)
    (training, seed) = (nil, nil)
  }

  /// Of the part of its own run's data that the run held out.
  /// - Throws: ``EvaluationError``, ``DataError``, ``CheckpointError``.
  package init(heldOutOf model: any OpenedModel, workers: Int?) throws {
    guard let checkpoint = model as? Checkpoint else {
      throw EvaluationError.noRun(path: model.path)
    }
    let state = try checkpoint.continuation()
    let configuration = try TrainingConfiguration(options: state.options)
    let corpus = try Self.ownCorpus(checkpoint, state, path: configuration.dataPath)
    let source = try WindowSource(
      corpus: corpus, evalFraction: configuration.evalFraction,
      context: checkpoint.configuration.context, order: configuration.order,
      seed: configuration.seed)
    self.checkpoint = checkpoint
    self.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
    windows = try ConsecutiveWindows(
      corpus: corpus, from: source.trainingCount, context: source.context)
    training = try ConsecutiveWindows(
      corpus: corpus, to: source.trainingCount, context: source.context)
    seed = configuration.seed
  }

  private static func ownCorpus(
    _ checkpoint: Checkpoint, _ state: ContinuationState, path: String?
  ) throws -> Corpus {
    guard path != "-" else { throw EvaluationError.dataIsGone(checkpoint: checkpoint.path) }
    let corpus = try path.map { path throws(DataError) in
      try Corpus.open(path: path, vocabulary: checkpoint.configuration.vocabulary)
    }
    let found = corpus ?? .synthetic()
    guard try found.fingerprint() == state.dataFingerprint else {
      throw EvaluationError.otherData(checkpoint: checkpoint.path, found: found.name)
    }
    return found
  }

  /// What it is measured on.
  package var corpusName: String { windows.corpus.name }
  /// Nats a byte, where the source's own entropy is known.
  package var entropyPerByte: Double? { windows.corpus.entropyPerByte }

  /// What the checkpoint's outputs depend on beside its weights.
  package var settings: LossSettings { checkpoint.settings }

  /// Windows of a pass.
  package static let batch = 4

  /// - Throws: ``EvaluationError`` where a pass over its windows has no room in this machine's memory.
  package func checkMemory() throws(EvaluationError) {
    let model = checkpoint.configuration
    let kept = model.keptPerToken + model.vocabulary
    let bytes = 4 * Double(Self.batch * model.passes * model.context) * Double(kept)
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    guard bytes > memory else { return }
    throw .tooLarge(
      path: checkpoint.path, context: model.context, bytes: bytes, memory: memory)
  }

  /// - Throws: ``CheckpointError`` or ``DataError`` where a file cannot be read, or holds weights that
  ///   are no numbers; ``EvaluationError`` where there is no room for a pass.
  package func run() throws -> Result {
    try checkMemory()
    let (parameters, trunk) = try checkpoint.weights()
    let engine = TransformerEngine(
      configuration: checkpoint.configuration, batch: Self.batch,
      pool: WorkerPool(workers: workers), trunk: trunk)
    let settings = settings
    var sum = 0.0
    for start in stride(from: 0, to: windows.count, by: Self.rowsAtOnce) {
      let range = start..<min(start + Self.rowsAtOnce, windows.count)
      let bytes = try windows.tokens(of: range)
      let statistics = bytes.withUnsafeBufferPointer {
        engine.loss(parameters: parameters, tokens: $0, rows: range.count, settings: settings)
      }
      sum += statistics.loss * Double(range.count)
    }
    return Result(loss: sum / Double(windows.count), tokens: windows.targets)
  }
}

/// Why a model cannot be measured, or not on the data of its own run. The description is one line.
package enum EvaluationError: Error, Equatable, CustomStringConvertible {
  case dataIsGone(checkpoint: String)
  case otherData(checkpoint: String, found: String)
  /// Another program has written it.
  case noRun(path: String)
  /// A pass over its windows takes so many bytes.
  case tooLarge(path: String, context: Int, bytes: Double, memory: Double)

  package var description: String {
    switch self {
    case .dataIsGone(let checkpoint):
      "\(checkpoint): its run's data came from standard input: give some with --data"
    case .otherData(let checkpoint, let found):
      "\(checkpoint): \(found) is not what its run was trained on any more: give data with --data"
    case .noRun(let path):
      "\(path): no run of this program's wrote it, so that nothing is known to be held out: give data"
        + " with --data"
    case .tooLarge(let path, let context, let bytes, let memory):
      "\(path): a pass over its windows of \(context) tokens needs about \(NumberText.bytes(bytes)) of"
        + " memory and this machine has \(NumberText.bytes(memory)): use a larger machine, or a model"
        + " of a shorter context"
    }
  }
}
