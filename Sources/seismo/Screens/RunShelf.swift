import Dashboard
import Dispatch
import Foundation
import Runs
import Sessions
import Signals
import Synchronization
import Telemetry

/// The recorded runs beside the one on screen, read where they hold no frame up. What is laid over
/// the charts and still grows is followed.
final class RunShelf: Sendable {
  private struct Followed {
    /// Those that grow, by their paths.
    var runs: [String: Follower] = [:]
    var isDue = false
  }

  private let interval: DispatchTimeInterval
  private let found = Mutex<[Action]>([])
  private let followed = Mutex(Followed())
  private let library = RunLibrary()
  private let isListDue = Atomic(false)
  private let queue = DispatchQueue(label: "seismo.runs", qos: .userInitiated)

  /// Runs that grow are read on every `interval`.
  init(interval: DispatchTimeInterval = .seconds(1)) {
    self.interval = interval
  }

  /// What has been read since it was last asked.
  func take() -> [Action] {
    found.withLock { found in
      defer { found = [] }
      return found
    }
  }

  /// Lists the sessions of the folder in which `session` lies and of those named since, as they
  /// are read.
  func list(beside session: String?) {
    // Who asks while a list is still to be begun has the same one.
    guard !isListDue.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.async { [self] in
      isListDue.store(false, ordering: .releasing)
      post(library.list(beside: session) { self.post($0) })
    }
  }

  /// Looks for runs in a folder or a file as a person typed it, too.
  func look(in place: String, beside session: String?) {
    queue.async { [self] in
      do throws(RunError) {
        let found = try library.add(place, beside: session)
        post(library.list(beside: session) { self.post($0) })
        let count = "\(found.count) run\(found.count == 1 ? "" : "s")"
        post(.runsChanged("\(count) in \(place)", at: found.first))
      } catch {
        post(.runsNotChanged(reason: error.description))
        post(library.list(beside: session) { self.post($0) })
      }
    }
  }

  /// Changes a run's files, and lists what there is then.
  func make(_ edit: RunEdit, beside session: String?) {
    queue.async { [self] in
      let answer: Action
      do throws(SessionError) {
        let (words, path) = try edit.perform()
        answer = .runsChanged(words, at: path)
      } catch {
        answer = .runsNotChanged(reason: error.description)
      }
      post(library.list(beside: session) { self.post($0) })
      post(answer)
    }
  }

  private func post(_ action: Action) {
    found.withLock { $0.append(action) }
  }

  func load(_ run: ListedRun) {
    queue.async { [self] in
      let action: Action
      do throws(SessionError) {
        action = .runLoaded(run, try read(path: run.path))
      } catch {
        action = .runNotLoaded(run, reason: error.description)
      }
      post(action)
    }
  }

  /// Has the run that was taken away from the charts no longer read.
  func drop(path: String) {
    queue.async { [self] in followed.withLock { $0.runs[path] = nil } }
  }

  /// Has no run read on, for a screen on which none is drawn.
  func dropAll() {
    queue.async { [self] in followed.withLock { $0.runs = [:] } }
  }

  /// All there is of a run, or of a line of it, here and now; one that is still being written is
  /// followed from then on.
  func read(path: String) throws(SessionError) -> RunHistory {
    let reference = try SessionReference(path)
    if let line = reference.line {
      return try SessionReader(path: reference.path).history(line: line)
    }
    guard WriterLock.isHeld(session: path) else { return try SessionReader(path: path).history() }
    var follower = try Follower(path: path)
    let history = try follower.history()
    followed.withLock { $0.runs[path] = follower }
    readOnLater()
    return history
  }

  /// Sees to it that runs that grow are read on once, however many ask for it.
  private func readOnLater() {
    let isMine = followed.withLock { followed in
      guard !followed.isDue, !followed.runs.isEmpty else { return false }
      followed.isDue = true
      return true
    }
    guard isMine else { return }
    queue.asyncAfter(deadline: .now() + interval) { [weak self] in self?.readOn() }
  }

  /// Reads what has come of the runs that grow; one that cannot be read just now is tried again.
  private func readOn() {
    let arrived = followed.withLock { followed in
      followed.isDue = false
      var arrived: [Action] = []
      for (path, var follower) in followed.runs {
        let records = (try? follower.poll()) ?? []
        if !records.isEmpty { arrived.append(.runGrew(path: path, records)) }
        followed.runs[path] = follower.writer == .writing ? follower : nil
      }
      return arrived
    }
    found.withLock { $0 += arrived }
    readOnLater()
  }
}
