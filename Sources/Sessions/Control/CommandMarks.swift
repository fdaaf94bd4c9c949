import Telemetry

/// The commands that came with a mark: what is asked again with the same one, because a connection
/// broke before the answer, is not done again; the first answer serves.
struct CommandMarks {
  /// Who waits for an answer: the number of a connection, and the number it gave its command.
  struct Asker: Equatable {
    let connection: Int
    let id: Int?
  }

  enum Standing: Equatable {
    /// To be done now.
    case new
    /// Asked before and not answered yet; the asker has the answer when it comes.
    case awaited
    case answered(CommandAnswer)
  }

  private enum Known {
    case asked(again: [Asker])
    case answered(CommandAnswer)
  }

  private let capacity: Int
  private var known: [String: Known] = [:]
  /// The marks in the order of their coming; the oldest is forgotten first.
  private var order: [String] = []

  init(capacity: Int = 256) {
    self.capacity = capacity
  }

  mutating func ask(_ mark: String, by asker: Asker) -> Standing {
    switch known[mark] {
    case .asked(let others):
      known[mark] = .asked(again: others + [asker])
      return .awaited
    case .answered(let answer):
      return .answered(answer)
    case nil:
      remember(mark)
      return .new
    }
  }

  private mutating func remember(_ mark: String) {
    if order.count == capacity { known[order.removeFirst()] = nil }
    order.append(mark)
    known[mark] = .asked(again: [])
  }

  /// Keeps the answer and tells who else waits for it.
  mutating func answer(_ mark: String, with answer: CommandAnswer) -> [Asker] {
    guard case .asked(let again) = known[mark] else { return [] }
    known[mark] = .answered(answer)
    return again
  }
}
