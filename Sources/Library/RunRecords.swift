import Runs
import Synchronization
public import Telemetry

/// What a run tells, in order, for one reader; it ends after the run.
///
/// The run waits for no reader: of one that falls 20,000 records behind, samples are left out, then
/// the oldest events, and counted in ``omitted``. The session leaves nothing out, and neither does
/// `onRecord` of ``Run/init(options:session:resuming:onRecord:)``.
public final class RunRecords: AsyncSequence, Sendable {
  public typealias Element = RunRecord
  public typealias Failure = Never

  private let mailbox = RecordMailbox()
  private let left = Mutex(0)
  private let arrivals: AsyncStream<Void>
  private let arrival: AsyncStream<Void>.Continuation

  init() {
    (arrivals, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// How many records were left out because they were not read in time.
  public var omitted: Int { left.withLock { $0 } }

  func post(_ record: RunRecord) {
    mailbox.post(record)
    arrival.yield()
  }

  func finish() {
    arrival.finish()
  }

  private func take() -> [RunRecord] {
    let (records, dropped) = mailbox.take()
    if dropped > 0 { left.withLock { $0 += dropped } }
    return records
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(records: self, arrivals: arrivals.makeAsyncIterator())
  }

  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let records: RunRecords
    fileprivate var arrivals: AsyncStream<Void>.Iterator
    private var batch: ArraySlice<RunRecord> = []

    fileprivate init(records: RunRecords, arrivals: AsyncStream<Void>.Iterator) {
      (self.records, self.arrivals) = (records, arrivals)
    }

    /// The next record; nil once the run is over and all is read, or the task is cancelled.
    public mutating func next() async -> RunRecord? {
      while true {
        if let record = batch.popFirst() { return record }
        batch = records.take()[...]
        if !batch.isEmpty { continue }
        guard await arrivals.next() == nil else { continue }
        // What came between the last look and the end.
        batch = records.take()[...]
        return batch.popFirst()
      }
    }
  }
}
