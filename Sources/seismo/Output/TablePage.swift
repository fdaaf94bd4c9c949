import Foundation

/// A page of tables, and of a drawing where there is one, in one file that needs no other.
enum TablePage {
  /// The page as HTML. `kind` is what the browser's tab says after the title, `drawing` an SVG file;
  /// the first row of a table holds the columns' names.
  static func html(
    title: String, kind: String, drawing: String = "", tables: [(heading: String, rows: [[String]])]
  ) -> String {
    let drawing = drawing.range(of: "<svg").map { String(drawing[$0.lowerBound...]) } ?? drawing
    let body = tables.map { "<h2>\(escaped($0.heading))</h2>\n\(table($0.rows))" }
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>\(escaped(title)) · \(escaped(kind))</title>
      <style>\(style)</style></head><body>
      <h1>\(escaped(title))</h1>
      \(drawing)
      \(body.joined(separator: "\n"))
      </body></html>

      """
  }

  private static let style = """

    body{margin:2rem auto;max-width:1240px;padding:0 1rem;font:15px/1.5 system-ui,sans-serif;\
    color-scheme:light dark}
    svg{width:100%;height:auto}
    table{border-collapse:collapse;margin:1.5rem 0;font-variant-numeric:tabular-nums}
    td,th{padding:.15rem .9rem .15rem 0;text-align:left;font-weight:normal}
    th{opacity:.65}

    """

  private static func table(_ rows: [[String]]) -> String {
    let lines = rows.enumerated().map { index, row in
      let tag = index == 0 ? "th" : "td"
      return "<tr>" + row.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined() + "</tr>"
    }
    return "<table>\n" + lines.joined(separator: "\n") + "\n</table>"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
