import Models
import Synchronization
import Training

/// What cells are trained on, opened once however many cells there are.
final class CorpusShelf: Sendable {
  private struct Place: Hashable {
    let path: String?
    let vocabulary: Int
  }

  private let known = Mutex<[Place: Corpus]>([:])

  func corpus(of configuration: TrainingConfiguration) throws -> Corpus {
    let place = Place(
      path: configuration.dataPath, vocabulary: configuration.model.vocabulary)
    return try known.withLock { known in
      if let corpus = known[place] { return corpus }
      let corpus = try configuration.openCorpus()
      known[place] = corpus
      return corpus
    }
  }
}
