import Foundation
import FoundationXML
import Screen
import Testing

@Suite(.timeLimit(.minutes(15)))
struct CellGridSVGTests {
  private let background = Color.rgb(13, 17, 23)
  private let foreground = Color.rgb(201, 209, 217)

  private func svg(_ grid: CellGrid, title: String = "run") -> String {
    grid.svg(title: title, background: background, foreground: foreground)
  }

  /// The texts of the document in order, or nil where it is not well-formed.
  private func texts(_ document: String) -> [String]? {
    let reader = TextReader()
    let parser = XMLParser(data: Data(document.utf8))
    parser.delegate = reader
    return parser.parse() ? reader.texts : nil
  }

  private func grid(_ rows: String..., style: Style = .plain) -> CellGrid {
    let columns = rows.map { TextWidth.columns(of: $0) }.max() ?? 0
    var grid = CellGrid(columns: columns, rows: rows.count)
    for (row, text) in rows.enumerated() {
      grid.write(text, at: Point(column: 0, row: row), style: style)
    }
    return grid
  }

  @Test func `the document is well-formed and holds the words`() {
    let document = svg(grid("step 1,400", "a<b & \"c\""), title: "lr < 1 & \u{1B}")
    #expect(texts(document) == ["step", "1,400", "a<b", "&", "\"c\""])
    #expect(document.contains("<title>lr &lt; 1 &amp; \u{FFFD}</title>"))
  }

  @Test(arguments: [(0, 0), (1, 1), (1, 0)])
  func `a screen without room is a document too`(columns: Int, rows: Int) {
    #expect(texts(svg(CellGrid(columns: columns, rows: rows))) == [])
  }

  @Test func `a scalar XML can't hold is replaced`() {
    var grid = CellGrid(columns: 3, rows: 1)
    grid[0, 0] = Cell(scalar: 0x1B)
    grid[1, 0] = Cell(scalar: 0xFFFE)
    grid[2, 0] = Cell(scalar: 0xD800)
    #expect(texts(svg(grid))?.allSatisfy { $0 == "\u{FFFD}" || $0.isEmpty } == true)
  }

  @Test func `every block, box line and dot pattern is a shape, not a glyph`() {
    let scalars =
      Array(0x2580...0x259F) + Array(0x2801...0x28FF)
      + "─━│┃┄┆┈╌╎┌┐└┘├┤┬┴┼╭╮╯╰╴╼●◆▲▶✓→".unicodeScalars.map { Int($0.value) }
    for scalar in scalars {
      var grid = CellGrid(columns: 1, rows: 1)
      grid[0, 0] = Cell(scalar: UInt32(scalar))
      let document = svg(grid)
      #expect(texts(document) == [], "U+\(String(scalar, radix: 16))")
      #expect(document.contains(" d=\"M"), "U+\(String(scalar, radix: 16))")
    }
  }

  @Test func `runs of one colour are one rectangle`() {
    var grid = CellGrid(columns: 10, rows: 4)
    grid.fill(grid.bounds, style: Style(background: .rgb(255, 0, 0)))
    let document = svg(grid)
    #expect(document.contains("d=\"M0 0h80v64h-80z\""))
  }

  @Test func `a border is four lines`() {
    var grid = CellGrid(columns: 6, rows: 3)
    grid.drawBox(grid.bounds, symbols: .unicode, style: .plain)
    let path = svg(grid).components(separatedBy: "d=\"").dropFirst().last ?? ""
    #expect(path.filter { $0 == "M" }.count == 4)
  }

  @Test func `a character outside ASCII moves nothing after it`() {
    let document = svg(grid("日a"))
    #expect(document.contains("<text x=\"0\" y=\"12\">日</text>"))
    #expect(document.contains("<text x=\"16\" y=\"12\">a</text>"))
  }

  @Test func `reversed cells swap their colours`() {
    let document = svg(grid("x", style: Style(attributes: [.reverse, .bold])))
    #expect(document.contains("<path fill=\"#c9d1d9\""))
    #expect(document.contains("<g fill=\"#0d1117\" font-weight=\"700\">"))
  }

  @Test func `a crowded screen stays small and is the same each time`() {
    var grid = CellGrid(columns: 120, rows: 40)
    for row in 0..<40 {
      for column in 0..<120 {
        let dots = UInt32((row * 31 + column * 17) % 256)
        let isText = (column / 12 + row / 8) % 2 == 0
        let style = Style(foreground: .indexed(UInt8(16 + column % 12)))
        grid[column, row] = Cell(scalar: isText ? 0x61 + dots % 26 : 0x2800 + dots, style: style)
      }
    }
    let document = svg(grid)
    #expect(document.utf8.count < 150_000)
    #expect(svg(grid) == document)
  }
}

private final class TextReader: NSObject, XMLParserDelegate {
  private(set) var texts: [String] = []
  private var isInText = false

  func parser(
    _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    isInText = elementName == "text"
    if isInText { texts.append("") }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    guard isInText, let last = texts.indices.last else { return }
    texts[last] += string
  }

  func parser(
    _ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?,
    qualifiedName: String?
  ) {
    isInText = false
  }
}
