extension CellGrid {
  /// The screen as a picture of a terminal window, one file that needs nothing else.
  ///
  /// Braille, blocks and box lines are shapes instead of glyphs, and every word carries its own
  /// place, so that it looks the same in every renderer and font. `background` and `foreground`
  /// stand for the terminal's own colours.
  package func svg(title: String, background: Color, foreground: Color) -> String {
    let margin = 8.0
    let width = Double(size.columns) * SVGPicture.cellWidth + 2 * margin
    let height = Double(size.rows) * SVGPicture.cellHeight + 2 * margin
    var picture = SVGPicture(background: background, foreground: foreground)
    for (index, row) in rows.enumerated() { picture.draw(row: row, at: index) }
    let box = "\(SVGPath.number(width)) \(SVGPath.number(height))"
    let scaled = (width: SVGPath.number(width * 1.1), height: SVGPath.number(height * 1.1))
    let window = background.hex ?? "#000000"
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(scaled.width)" height="\(scaled.height)" \
      viewBox="0 0 \(box)">
      <title>\(SVGPath.escaped(title))</title>
      <style>text{white-space:pre}.l{fill:none}\
      .d{fill:none;stroke-width:2.7;stroke-linecap:round}</style>
      <rect width="\(SVGPath.number(width))" height="\(SVGPath.number(height))" rx="8" \
      fill="\(window)"/>
      <g transform="translate(\(SVGPath.number(margin)) \(SVGPath.number(margin)))" \
      font-family="'DejaVu Sans Mono','JetBrains Mono',Menlo,Consolas,'Liberation Mono',monospace" \
      font-size="13.2">
      \(picture.elements())
      </g>
      </svg>

      """
  }
}
