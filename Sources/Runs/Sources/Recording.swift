package import Sessions
package import Signals
package import Telemetry

/// A session that nobody writes, or one of its lines.
package final class Recording: RecordSource {
  private let reader: SessionReader
  private let line: Int?
  private let damage = DamageReports()

  /// - Throws: as ``SessionReader`` does.
  package init(_ reference: SessionReference) throws(SessionError) {
    reader = try SessionReader(path: reference.path)
    line = reference.line
  }

  package func history() throws -> RunHistory {
    try reader.history(line: line) { [damage] in damage.add($0) }
  }

  /// What turns out to be lost as older samples are looked at.
  package func updates(budget: Int) -> [SourceUpdate] {
    let records = damage.records()
    return records.isEmpty ? [] : [.records(records)]
  }

  package var state: SourceState { .ended }
}
