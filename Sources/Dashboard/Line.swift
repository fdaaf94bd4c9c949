import Screen

/// Spans side by side, cut only between them.
struct Line: Sendable, Hashable {
  var spans: [Span]

  init(_ spans: [Span]) {
    self.spans = spans
  }

  var columns: Int { spans.reduce(0) { $0 + TextWidth.columns(of: $1.text) } }

  /// Without as many spans at its end as are too many, so that no word is cut.
  func fitted(to columns: Int) -> Line {
    var spans = spans
    while !spans.isEmpty, Line(spans).columns > columns { spans.removeLast() }
    while let last = spans.last, last.text.allSatisfy({ " ·|-—".contains($0) }) {
      spans.removeLast()
    }
    return Line(spans)
  }

  /// Writes the spans and returns the column after them.
  @discardableResult
  func draw(
    on grid: inout CellGrid, at point: Point, theme: Theme, surface: Role? = nil,
    attributes: Attributes = []
  ) -> Int {
    var place = point
    for span in spans {
      let style =
        surface.map { theme.style(span.role, on: $0, attributes) }
        ?? theme.style(span.role, attributes)
      place.column += grid.write(span.text, at: place, style: style)
    }
    return place.column
  }
}
