import Dashboard
import Foundation
import Sessions
import Signals
import Telemetry
import Testing

/// The README's tables are the program's own. `RECORD_README=1` writes them, and fails.
@Suite(.timeLimit(.minutes(15)))
struct ReadmeTests {
  private static let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "README.md")

  private static let tables: [(name: String, text: String)] = [
    ("keys", CommandTable.markdown),
    ("settings", settings),
    ("metrics", metrics),
    ("alarms", alarms),
  ]

  private static var settings: String {
    table(["setting", "value", "what it is for"]) {
      SettingCatalog.entries.map { ["`\($0.name)`", $0.allowed, $0.purpose] }
    }
  }

  private static var metrics: String {
    table(["metric", "unit", "meaning"]) {
      MetricCatalog.families.map { ["`\($0.pattern)`", $0.unit, $0.meaning] }
    }
  }

  private static var alarms: String {
    table(["alarm", "threshold", "when"]) {
      AlarmRule.allCases.map { ["`\($0.name)`", AlarmThresholds().words($0), $0.sentence] }
    }
  }

  private static func table(_ header: [String], rows: () -> [[String]]) -> String {
    let rule = "|" + String(repeating: "---|", count: header.count)
    let lines = ([header] + rows()).map { "| " + $0.joined(separator: " | ") + " |" }
    return ([lines[0], rule] + lines.dropFirst()).joined(separator: "\n") + "\n"
  }

  @Test(.serialized, arguments: ["keys", "settings", "metrics", "alarms"])
  func `a table in the README is the program's own`(name: String) throws {
    var readme = try String(contentsOf: Self.url, encoding: .utf8)
    let wanted = try #require(Self.tables.first { $0.name == name }?.text)
    let start = try #require(readme.range(of: "<!-- \(name) -->\n"))
    let end = try #require(readme.range(of: "<!-- /\(name) -->"))
    let present = String(readme[start.upperBound..<end.lowerBound])
    guard present != wanted else { return }
    if ProcessInfo.processInfo.environment["RECORD_README"] == "1" {
      readme.replaceSubrange(start.upperBound..<end.lowerBound, with: wanted)
      try readme.write(to: Self.url, atomically: true, encoding: .utf8)
    }
    Issue.record("README.md: the table '\(name)' differs: RECORD_README=1 swift test writes it")
  }

  @Test func `what the README says of the sensors is what the recordings hold`() throws {
    let readme = try String(contentsOf: Self.url, encoding: .utf8)
    let start = try #require(readme.range(of: "<!-- sensors -->\n"))
    let end = try #require(readme.range(of: "<!-- /sensors -->"))
    let rows = readme[start.upperBound..<end.lowerBound].split(separator: "\n").dropFirst(2)
    #expect(rows.count >= 10)
    let sessions = Self.url.deletingLastPathComponent().appending(path: "sessions")
    let histories = try ["healthy", "collapse", "rescue"].reduce(into: [:]) { histories, name in
      histories[name] = try SessionReader(
        path: sessions.appending(path: "\(name).seismo").path
      ).history()
    }
    func told(_ words: String, _ metric: String, of session: String) throws {
      let value = try #require(histories[session]?[MetricName(metric)]?.value(at: 500))
      let number = try #require(Double(words))
      #expect(abs(number - value) <= 0.005 * abs(value), "\(session), \(metric): \(value)")
    }
    for row in rows {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let metric = cells[0].trimmingCharacters(in: ["`"])
      let unhealthy = cells[2].split(separator: " ").map { $0.trimmingCharacters(in: ["`"]) }
      try told(cells[1], metric, of: "healthy")
      try told(unhealthy[0], metric, of: unhealthy[1])
    }
  }

  @Test func `the two commands that do all are in the README`() throws {
    let readme = try String(contentsOf: Self.url, encoding: .utf8)
    #expect(readme.contains("swift run -c release seismo\n"))
    #expect(readme.contains("&& swift test\n"))
  }
}
