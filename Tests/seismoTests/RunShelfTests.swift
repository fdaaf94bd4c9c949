import Dashboard
import Dispatch
import Foundation
import Glibc
import Sessions
import Signals
import Telemetry
import Testing

@testable import seismo

/// Runs read beside the one on screen, from sessions that are written meanwhile.
@Suite(.timeLimit(.minutes(15)))
struct RunShelfTests {
  let folder: URL
  let shelf = RunShelf(interval: .milliseconds(20))

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "shelf-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func recorder(_ name: String, steps: Range<Int>) throws -> Recorder {
    let path = folder.appending(path: name + SessionSummary.ending).path
    let recorder = Recorder(store: try SessionStore(creating: path))
    record(steps, to: recorder)
    return recorder
  }

  private func record(_ steps: Range<Int>, to recorder: Recorder) {
    for step in steps {
      recorder.record(
        .samples(
          StepSamples(
            step: step, wallTime: Double(step), names: [MetricCatalog.loss], values: [1])))
    }
    recorder.flush()
  }

  /// The steps that each file has grown by, once `count` of them have come or two minutes are over.
  private func growth(of count: Int) -> [String: [Int]] {
    var steps: [String: [Int]] = [:]
    for _ in 0..<12_000 where steps.values.reduce(0, { $0 + $1.count }) < count {
      usleep(10_000)
      for case .runGrew(let path, let records) in shelf.take() {
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        for case .column(let column) in records where column.name == MetricCatalog.loss {
          steps[name, default: []] += column.steps
        }
      }
    }
    return steps
  }

  @Test func `runs that are written are read on until they are dropped or end`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let one = try recorder("one", steps: 0..<5)
    let two = try recorder("two", steps: 0..<7)
    #expect(try shelf.read(path: one.path).lastStep == 4)
    #expect(try shelf.read(path: two.path).lastStep == 6)
    record(5..<8, to: one)
    record(7..<9, to: two)
    #expect(growth(of: 5) == ["one": [5, 6, 7], "two": [7, 8]])

    shelf.drop(path: one.path)
    record(8..<10, to: one)
    record(9..<10, to: two)
    #expect(growth(of: 1) == ["two": [9]])

    // Its last steps are read although nobody writes it any more.
    record(10..<12, to: two)
    two.record(.state(.finished))
    try two.close()
    #expect(growth(of: 2) == ["two": [10, 11]])
    #expect(try shelf.read(path: two.path).lastStep == 11)
    try one.close()
  }

  @Test func `a run that is taken away and laid over again goes on where it was read to`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try recorder("run", steps: 0..<3)
    _ = try shelf.read(path: run.path)
    shelf.drop(path: run.path)
    record(3..<6, to: run)
    #expect(try shelf.read(path: run.path).lastStep == 5)
    record(6..<8, to: run)
    #expect(growth(of: 2) == ["run": [6, 7]])
    try run.close()
  }
}
