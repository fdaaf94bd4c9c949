import ArgumentParser

/// In which form a report is written: lines, one JSON object, a picture or a page.
struct ReportForm {
  let json: Bool
  let svg: String?
  let html: String?
  let theme: String?

  /// - Throws: the one line that says what is wrong with the options.
  static func check(json: Bool, svg: String?, html: String?) throws {
    if [json, svg != nil, html != nil].count(where: { $0 }) > 1 {
      throw ValidationError("--json, --svg and --html: give one of them")
    }
    for (name, path) in [("svg", svg), ("html", html)] where path == "" {
      throw ValidationError("--\(name): give a file name, or - for standard output")
    }
  }

  func write(_ report: InspectionReport) throws {
    if json { return try StandardOutput.print(report.json) }
    if let svg { return try report.writePicture(to: svg, theme: theme) }
    if let html { return try report.writePage(to: html, theme: theme) }
    for line in report.lines { try StandardOutput.print(line) }
  }
}
