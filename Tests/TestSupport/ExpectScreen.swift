import Foundation
package import Screen
package import Testing

/// Compares a screen with its golden file, `Screens/SUBJECT/CASE-WxH.txt` beside the calling test.
///
/// A file that is missing, or any with RECORD_SCREENS=1 in the environment, is written and the
/// test fails, so that a recording is always looked at.
package func expectScreen(
  _ grid: CellGrid, _ subject: String, _ name: String, filePath: String = #filePath,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let file = URL(fileURLWithPath: filePath).deletingLastPathComponent()
    .appendingPathComponent("Screens/\(subject)/\(name)-\(grid.size.columns)x\(grid.size.rows).txt")
  let found = grid.text(roles: true)
  let isRecording = ProcessInfo.processInfo.environment["RECORD_SCREENS"] == "1"
  guard !isRecording, let expected = try? String(contentsOf: file, encoding: .utf8) else {
    record(found, in: file, sourceLocation: sourceLocation)
    return
  }
  guard expected != found else { return }
  Issue.record(
    Comment(rawValue: "\(file.path) differs\n" + difference(expected: expected, found: found)),
    sourceLocation: sourceLocation)
}

private func record(_ text: String, in file: URL, sourceLocation: SourceLocation) {
  do {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
    Issue.record("written, look at it: \(file.path)", sourceLocation: sourceLocation)
  } catch {
    Issue.record("can't write \(file.path): \(error)", sourceLocation: sourceLocation)
  }
}

private func difference(expected: String, found: String) -> String {
  let expectedRows = expected.split(separator: "\n", omittingEmptySubsequences: false)
  let foundRows = found.split(separator: "\n", omittingEmptySubsequences: false)
  var report: [String] = []
  for index in 0..<max(expectedRows.count, foundRows.count) {
    let before = index < expectedRows.count ? String(expectedRows[index]) : "(no row)"
    let after = index < foundRows.count ? String(foundRows[index]) : "(no row)"
    if before != after { report += ["row \(index)", "  - \(before)", "  + \(after)"] }
  }
  return report.joined(separator: "\n")
}
