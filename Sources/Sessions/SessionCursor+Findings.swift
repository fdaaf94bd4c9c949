import Formats
import GRDB
import Signals
import Telemetry

extension SessionCursor.Findings {
  /// What was known before the run left line `line`.
  func upTo(
    line: Int, endings: [Int: LineEnding], path: String
  ) throws(SessionError) -> SessionCursor.Findings {
    let count = (generations.map(\.number).max() ?? 0) + 1
    guard line <= count else { throw .noLine(path: path, number: line, count: count) }
    guard line < count else { return self }
    var findings = self
    findings.generations.removeAll { $0.number >= line }
    findings.ending.removeAll(where: \.isState)
    findings.ending.append(.state(endings[line - 1]?.runState ?? .stopped))
    if let description = endings[line - 1]?.runDescription {
      findings.documents.insert(.description(description), at: 0)
      findings.documents = findings.documents.enumerated().filter { index, record in
        guard case .description = record else { return true }
        return index == 0
      }.map(\.element)
    }
    return findings
  }
}
