import Dashboard
import Foundation
import Sessions
import Signals
import Synchronization
import Telemetry
import Testing

@testable import Runs
@testable import seismo

/// The list of runs as it is read from folders.
@Suite(.timeLimit(.minutes(15))) struct RunLibraryTests {
  let folder: URL
  let library = RunLibrary()

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "runs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String {
    folder.appending(path: name + SessionSummary.ending).standardizedFileURL.path
  }

  private func records(_ steps: Int, state: RunState?) -> [RunRecord] {
    let description = RunDescription(
      name: "run", created: 1, totalSteps: 500, options: ["lr": "0.02", "seed": "3"])
    let samples = (0..<steps).map { step in
      RunRecord.samples(
        StepSamples(
          step: step, wallTime: Double(step), names: [MetricCatalog.loss, MetricCatalog.evalLoss],
          values: [3, 2 + abs(Double(step) - 20) / 100]))
    }
    return [.description(description)] + samples + (state.map { [.state($0)] } ?? [])
  }

  @discardableResult
  private func record(_ name: String, steps: Int = 30, state: RunState? = .finished) throws
    -> String
  {
    let recorder = Recorder(store: try SessionStore(creating: path(name)))
    for record in records(steps, state: state) { recorder.record(record) }
    try recorder.close()
    return path(name)
  }

  private func list(beside session: String?) -> (runs: [ListedRun], places: [String]) {
    let action = library.list(beside: session).action(beside: session)
    guard case .runsListed(let runs, let places) = action else { return ([], []) }
    return (runs, places)
  }

  @Test func `runs are listed with what the screen shows of them`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let own = try record("own")
    try record("lost", steps: 10, state: .diverged)
    try record("cut", steps: 10, state: nil)
    try Data("x".utf8).write(to: folder.appending(path: "broken.seismo"))
    let live = Recorder(store: try SessionStore(creating: path("live")))
    for record in records(5, state: .paused) { live.record(record) }
    live.flush()
    let runs = list(beside: own).runs.sorted { $0.name < $1.name }
    #expect(runs.map(\.name) == ["broken", "cut", "live", "lost", "own"])
    #expect(
      runs.map(\.details.standing) == [.unreadable, .killed, .paused, .diverged, .finished])
    #expect(runs.map(\.details.isPresent) == [false, false, false, false, true])
    #expect(runs[4].details.heldOut == StepValue(step: 29, value: 2.09))
    #expect(runs[4].details.best == StepValue(step: 20, value: 2))
    #expect(runs[4].details.rate == 0.02)
    #expect(runs[4].details.loss.steps.count == 30)
    #expect(runs[0].details.flaw?.contains("is no session") == true)
    try live.close()
  }

  @Test func `the lines that a run went back from come after it, and are read by their names`()
    throws
  {
    defer { try? FileManager.default.removeItem(at: folder) }
    let recorder = Recorder(store: try SessionStore(creating: path("run")))
    let again = records(30, state: .stopped).compactMap { record -> RunRecord? in
      guard case .samples(var samples) = record else { return nil }
      samples.values[0] = 9
      return samples.step >= 10 && samples.step < 20 ? .samples(samples) : nil
    }
    for record in records(30, state: nil) + [.generation(startingAt: 10)] + again {
      recorder.record(record)
    }
    try recorder.close()
    let runs = list(beside: path("run")).runs
    #expect(runs.map(\.name) == ["run", "run@1"])
    #expect(runs.map(\.details.isPresent) == [true, false])
    #expect(runs[1].details.line == RunDetails.Origin(of: path("run"), leftAt: 10))
    #expect(runs[1].details.loss.steps == Array(10..<30))
    #expect(runs[1].details.loss.values.allSatisfy { $0 == 3 })
    let history = try RunShelf().read(path: runs[1].path)
    #expect(history[MetricCatalog.loss]?.lastValue == 3)
    #expect(list(beside: path("run") + "@1").runs.map(\.details.isPresent) == [false, true])
  }

  @Test func `what has changed is read again, and nothing else`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let own = try record("own")
    try record("other")
    _ = list(beside: own)
    let before = list(beside: own).runs
    try SessionFiles(path: path("other")).set(tags: ["paper"])
    try SessionFiles(path: own).remove(withCheckpoints: false)
    let after = list(beside: nil).runs + list(beside: path("other")).runs
    #expect(after.filter { $0.path.hasPrefix(folder.path) }.map(\.name) == ["other"])
    #expect(before.count == 2)
    #expect(after.last?.traits.tags == ["paper"])
  }

  @Test func `many runs come in pieces, each more whole than the one before`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let first = try record("run-0", steps: 400)
    for number in 1..<120 {
      try FileManager.default.copyItem(atPath: first, toPath: path("run-\(number)"))
    }
    var pieces: [Int] = []
    let last = library.list(beside: first) { listing in
      guard case .runsListed(let runs, _) = listing.action(beside: first) else { return }
      #expect(runs.count == 120)
      pieces.append(runs.count { $0.details.standing != .unread })
    }
    #expect(pieces == pieces.sorted())
    #expect(last.sessions.count == 120)
    let isRead = last.sessions.allSatisfy { found in
      guard case .read(let summary, _) = found.content else { return false }
      return summary.state == .finished
    }
    #expect(isRead)
  }

  @Test func `folders and files elsewhere are listed too, once they hold a session`() throws {
    let other = folder.appending(path: "elsewhere")
    defer { try? FileManager.default.removeItem(at: folder) }
    let own = try record("own")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    #expect(throws: RunError.self) { try library.add(other.path, beside: own) }
    #expect(throws: RunError.self) { try library.add("no such place", beside: own) }
    try FileManager.default.copyItem(atPath: own, toPath: other.path + "/far.seismo")
    #expect(try library.add(other.path + "/", beside: own) == [other.path + "/far.seismo"])
    #expect(try library.add("own", beside: own) == [own])
    let (runs, places) = list(beside: own)
    #expect(runs.map(\.name) == ["own", "far"])
    #expect(places.count == 2 && places[1].hasSuffix("elsewhere"))
  }

  @Test func `a change of a run's files is made and told in a line`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = try record("run")
    #expect(try RunEdit.tag(path: path, words: "a, b").perform().words == "run: a, b")
    #expect(try RunEdit.tag(path: path, words: "").perform().words == "run has no tags")
    let noted = try RunEdit.note(path: path, text: " good ").perform().words
    #expect(noted == "noted in run at step 30")
    let renamed = try RunEdit.rename(path: path, name: "better").perform()
    #expect(renamed.words == "run is better now")
    let next = try #require(renamed.path)
    #expect(throws: SessionError.absent(path: path)) {
      try RunEdit.remove(path: path, withCheckpoints: true).perform()
    }
    _ = try RunEdit.remove(path: next, withCheckpoints: true).perform()
    #expect(try SessionSummary.paths(in: folder.path).isEmpty)
  }
}
