import Runs
import Telemetry
import Testing

/// Where records wait for a reader that may be slow.
@Suite(.timeLimit(.minutes(15)))
struct RecordMailboxTests {
  private func samples(_ step: Int) -> RunRecord {
    .samples(StepSamples(step: step, wallTime: 0, names: [MetricCatalog.loss], values: [1]))
  }

  private func event(_ step: Int) -> RunRecord {
    .event(RunEvent(step: step, wallTime: 0, kind: .note, by: "you", text: "\(step)"))
  }

  @Test func `what is taken in time is all there, in order`() {
    let mailbox = RecordMailbox()
    for step in 0..<100 { mailbox.post(step % 2 == 0 ? samples(step) : event(step)) }
    let (records, dropped) = mailbox.take()
    let steps = records.map { record in
      switch record {
      case .samples(let samples): samples.step
      case .event(let event): event.step
      default: -1
      }
    }
    #expect(steps == Array(0..<100))
    #expect(dropped == 0)
    #expect(mailbox.take().records.isEmpty)
  }

  @Test(arguments: [false, true])
  func `a reader that does not come costs a bounded memory, whatever is told`(isSamples: Bool) {
    let mailbox = RecordMailbox()
    let count = 10 * RecordMailbox.limit
    for step in 0..<count { mailbox.post(isSamples ? samples(step) : event(step)) }
    let (records, dropped) = mailbox.take()
    #expect(records.count <= 2 * RecordMailbox.limit)
    #expect(records.count + dropped == count)
  }

  @Test func `of what tells how the run stands the last word is kept, and of events the newest`() {
    let mailbox = RecordMailbox()
    for step in 0..<RecordMailbox.limit { mailbox.post(samples(step)) }
    for step in 0..<3 * RecordMailbox.limit {
      mailbox.post(.state(step % 2 == 0 ? .paused : .running))
      mailbox.post(.settings([]))
      mailbox.post(event(step))
    }
    mailbox.post(.generation(startingAt: 7))
    let (records, dropped) = mailbox.take()
    #expect(dropped > 0)
    var states: [RunState] = []
    var generations = 0
    var lastEvent = 0
    for record in records {
      switch record {
      case .state(let state): states.append(state)
      case .generation: generations += 1
      case .event(let event): lastEvent = event.step
      default: break
      }
    }
    #expect(states == [.running])
    #expect(generations == 1)
    #expect(lastEvent == 3 * RecordMailbox.limit - 1)
  }
}
