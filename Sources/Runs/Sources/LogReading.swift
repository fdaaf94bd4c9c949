import Dispatch
import Formats
import Synchronization

/// Reads what a log holds already, on a thread of its own, and hands out parts of it on the way.
final class LogReading: Sendable {
  /// How far the files have been read, and what they came to.
  struct Content: Sendable {
    var files: [FollowedFile]
    var batch: RunBatch
    var assembly = RunAssembly()
    var failure: String?
  }

  enum Result: Sendable {
    case part(Content)
    case all(Content)
  }

  private struct Progress {
    var result: Result?
    /// Whether someone waits for a part.
    var wantsPart = false
    var isCancelled = false
    /// Bytes that were read, and those that there were at the beginning.
    var read = 0
    var total = 0
    /// At so many bytes the next part is handed out.
    var nextPart = Int.max
  }

  private let progress = Mutex(Progress())
  private let signal = DispatchSemaphore(value: 0)
  private let queue = DispatchQueue(label: "seismo.reading", qos: .userInitiated)

  /// Each part is copied once, so that a part is so many times as large as the one before.
  private static let growth = 3

  init(_ run: LoggedRun, _ files: [FollowedFile], _ batch: RunBatch) {
    let content = Content(files: files, batch: batch)
    progress.withLock { $0.total = run.paths.reduce(0) { $0 + FileSystem.stamp($1).size } }
    queue.async { [self] in
      guard let all = Self.read(run, content, goesOn: { self.goesOn($0) }) else { return }
      progress.withLock { $0.result = .all(all) }
      signal.signal()
    }
  }

  /// All that there is, read here and now.
  static func all(of run: LoggedRun, _ files: [FollowedFile], _ batch: RunBatch) -> Content {
    let content = Content(files: files, batch: batch)
    return read(run, content, goesOn: { _ in true }) ?? content
  }

  /// Waits so many seconds for all of it, and then for a part.
  func wait(seconds: Double) -> Result {
    if signal.wait(timeout: .now() + seconds) == .timedOut {
      progress.withLock { $0.wantsPart = true }
    }
    while true {
      if let result = take() { return result }
      signal.wait()
    }
  }

  /// All of it, or a part that is larger than what was told before; nil where there is none yet.
  func take() -> Result? {
    progress.withLock { progress in
      defer { progress.result = nil }
      return progress.result
    }
  }

  /// The share of the bytes that have been read.
  var share: Double {
    progress.withLock { $0.total > 0 ? min(1, Double($0.read) / Double($0.total)) : 0 }
  }

  /// Nobody waits for it any more.
  func cancel() { progress.withLock { $0.isCancelled = true } }

  /// - Returns: all there is; nil where it was not to go on.
  private static func read(
    _ run: LoggedRun, _ start: Content, goesOn: (Content) -> Bool
  ) -> Content? {
    var content = start
    for index in content.files.indices {
      do throws(FormatError) {
        while try content.files[index].read(run, into: &content.batch, pieces: 1) {
          content.assembly.take(&content.batch)
          guard goesOn(content) else { return nil }
        }
      } catch {
        content.failure = error.description
      }
    }
    content.assembly.take(&content.batch)
    return content
  }

  /// Notes how far it has come, and hands out a part where one is due.
  /// - Returns: whether someone still wants the rest.
  private func goesOn(_ content: Content) -> Bool {
    let read = content.files.reduce(0) { $0 + $1.offset }
    return progress.withLock { progress in
      progress.read = read
      if progress.wantsPart || read >= progress.nextPart {
        progress.wantsPart = false
        progress.nextPart = read * Self.growth
        progress.result = .part(content)
        signal.signal()
      }
      return !progress.isCancelled
    }
  }
}
