import Synchronization
import Training

/// What cells are trained on, opened once however many cells there are.
final class CorpusShelf: Sendable {
  private let known = Mutex<[String?: Corpus]>([:])

  func corpus(_ path: String?) throws -> Corpus {
    try known.withLock { known in
      if let corpus = known[path] { return corpus }
      let corpus = try path.map { try Corpus.open(path: $0) } ?? .synthetic()
      known[path] = corpus
      return corpus
    }
  }
}
