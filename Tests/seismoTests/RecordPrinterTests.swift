import Dispatch
import Glibc
import Synchronization
import Telemetry
import Testing

@testable import seismo

/// Lines for a standard output that takes none for a while.
@Suite(.timeLimit(.minutes(15)))
struct RecordPrinterTests {
  /// Where lines go once the gate is open.
  private final class SlowOutput: Sendable {
    let gate = DispatchSemaphore(value: 0)
    let posted = Atomic(0)
    private let state = Mutex((lines: [String](), mostWaiting: 0, isOpen: false))

    func write(_ text: String) {
      if !state.withLock({ $0.isOpen }) {
        gate.wait()
        state.withLock { $0.isOpen = true }
      }
      state.withLock { state in
        state.lines.append(text)
        let waiting = posted.load(ordering: .acquiring) - state.lines.count
        state.mostWaiting = max(state.mostWaiting, waiting)
      }
    }

    /// Returns once so many are posted, or two minutes are over.
    func waitForPosted(_ count: Int) {
      for _ in 0..<120_000 where posted.load(ordering: .acquiring) < count { usleep(1000) }
    }

    var lines: [String] { state.withLock { $0.lines } }
    var mostWaiting: Int { state.withLock { $0.mostWaiting } }
  }

  private static func console(_ number: Int) -> RunRecord {
    .console(wallTime: 0, line: "line \(number)")
  }

  private static func note(_ step: Int) -> RunRecord {
    .event(RunEvent(step: step, wallTime: 0, kind: .note, by: "you", text: "seen"))
  }

  private static func post(
    _ count: Int, to printer: RecordPrinter, _ output: SlowOutput,
    record: (Int) -> RunRecord = console
  ) {
    for number in 0..<count {
      printer.print(record(number))
      output.posted.add(1, ordering: .acquiringAndReleasing)
    }
  }

  @Test func `JSON lines are all written, and the run waits for them`() {
    let output = SlowOutput()
    let printer = RecordPrinter(.json, totalSteps: 100) { output.write($0) }
    let count = 3 * RecordPrinter.limit
    let isDone = DispatchSemaphore(value: 0)
    DispatchQueue(label: "run").async {
      Self.post(count, to: printer, output, record: Self.note)
      isDone.signal()
    }
    // With the gate closed the run stands still; however long it is given, no more can wait.
    output.waitForPosted(RecordPrinter.limit)
    output.gate.signal()
    isDone.wait()
    printer.finish()
    #expect(output.lines.count == count)
    #expect(output.mostWaiting <= RecordPrinter.limit + 1)
  }

  @Test func `plain lines are left out and counted, and the run does not wait`() {
    let output = SlowOutput()
    let printer = RecordPrinter(.lines, totalSteps: 100) { output.write($0) }
    let count = 2 * RecordPrinter.limit
    Self.post(count, to: printer, output)
    output.gate.signal()
    printer.finish()
    Self.post(1, to: printer, output)
    printer.finish()
    let told = output.lines.filter { $0.hasSuffix("records left out: standard output is slow\n") }
    let omitted = told.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }.reduce(
      0, +)
    #expect(omitted > 0)
    #expect(output.lines.count - told.count + omitted == count + 1)
    #expect(output.lines.last == "line 0\n")
  }

  @Test func `a run that is told to end is held up no more`() {
    let output = SlowOutput()
    let printer = RecordPrinter(.json, totalSteps: 100) { output.write($0) }
    let isDone = DispatchSemaphore(value: 0)
    let count = 2 * RecordPrinter.limit
    DispatchQueue(label: "run").async {
      Self.post(count, to: printer, output, record: Self.note)
      isDone.signal()
    }
    output.waitForPosted(RecordPrinter.limit)
    printer.stopWaiting()
    isDone.wait()
    output.gate.signal()
    printer.finish()
    #expect(output.lines.count == count)
  }
}
