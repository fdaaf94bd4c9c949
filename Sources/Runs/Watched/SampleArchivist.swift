import Dispatch
import Sessions
package import Signals
import Synchronization

/// Has the older samples of a run that grows on a screen left to its session's file, so that a run
/// that is looked at for days takes no more memory than one that was just opened.
package final class SampleArchivist: Sendable {
  /// A session holds a metric's samples in archived rows of somewhat fewer than so many.
  package static let usualInterval = 20_000

  private struct Content {
    /// Being read, or read and not yet handed out.
    var isBusy = false
    var found: RunHistory?
    /// No reading is due before so many steps are in memory.
    var due: Int
  }

  private let interval: Int
  private let content: Mutex<Content>
  private let damage: DamageReports
  private let queue = DispatchQueue(label: "seismo.archivist", qos: .utility)

  /// Reads anew with every `interval` steps in memory; `damage` is told what is lost.
  package init(interval: Int = usualInterval, damage: DamageReports = DamageReports()) {
    (self.interval, self.damage) = (interval, damage)
    content = Mutex(Content(due: interval))
  }

  /// To be asked now and then: begins to read the session at `path` where `history` holds many steps
  /// in memory, and gives what has been read, once.
  package func read(_ path: String, for history: RunHistory) -> RunHistory? {
    let steps = history.stepsInMemory
    let (found, isDue) = content.withLock { content in
      if let found = content.found {
        content = Content(due: content.due)
        return (RunHistory?.some(found), false)
      }
      guard !content.isBusy else { return (nil, false) }
      content.due = min(content.due, steps + interval)
      guard steps >= content.due else { return (nil, false) }
      content.isBusy = true
      // Where nothing comes of it, as with a full disk, the next try is a while ahead.
      content.due = steps + interval / 4
      return (nil, true)
    }
    if isDue { queue.async { self.read(path) } }
    return found
  }

  private func read(_ path: String) {
    let history = try? SessionReader(path: path).archivedHistory { [damage] in damage.add($0) }
    content.withLock { content in
      content.found = history
      content.isBusy = history != nil
    }
  }
}
