/// A screen being drawn: cells in, elements out. A cell is 8 by 16 units.
struct SVGPicture {
  static let cellWidth = 8.0
  static let cellHeight = 16.0

  private let background: Color
  private let foreground: Color
  private var raster = SVGRaster()
  private var dots = Grouped<String, String>()
  private var texts = Grouped<TextStyle, String>()

  struct TextStyle: Hashable {
    var color: String
    var isBold: Bool
    var isItalic: Bool
  }

  init(background: Color, foreground: Color) {
    self.background = background
    self.foreground = foreground
  }

  mutating func draw(row: [Cell], at index: Int) {
    var column = 0
    while column < row.count {
      let style = row[column].style
      var end = column + 1
      while end < row.count, row[end].style.looks(like: style) { end += 1 }
      let y = Double(index) * SVGPicture.cellHeight
      let colors = shown(style)
      if let fill = colors.background {
        raster.add(
          SVGRaster.Box(
            x: Double(column) * SVGPicture.cellWidth, y: y,
            width: Double(end - column) * SVGPicture.cellWidth, height: SVGPicture.cellHeight),
          color: fill)
      }
      draw(row, column..<end, y: y, style: style, colors: colors)
      column = end
    }
  }

  /// The elements, in the order in which they cover one another.
  func elements() -> String {
    var parts: [String] = []
    for (color, boxes) in raster.boxes.groups {
      let path = SVGRaster.joined(boxes).map(SVGPath.box).joined()
      parts.append("<path fill=\"\(color)\" shape-rendering=\"crispEdges\" d=\"\(path)\"/>")
    }
    for (pen, segments) in raster.segments.groups {
      parts.append(stroke(pen, segments.map(SVGPath.segment).joined()))
    }
    for (pen, curves) in raster.curves.groups { parts.append(stroke(pen, curves.joined())) }
    for (color, shapes) in raster.shapes.groups {
      parts.append("<path fill=\"\(color)\" d=\"\(shapes.joined())\"/>")
    }
    for (color, runs) in dots.groups {
      parts.append("<path class=\"d\" stroke=\"\(color)\" d=\"\(runs.joined())\"/>")
    }
    for (style, runs) in texts.groups {
      let weight = style.isBold ? " font-weight=\"700\"" : ""
      let slant = style.isItalic ? " font-style=\"italic\"" : ""
      let opening = "<g fill=\"\(style.color)\"\(weight)\(slant)>"
      parts.append(opening + runs.joined(separator: "\n") + "</g>")
    }
    return parts.joined(separator: "\n")
  }

  private func stroke(_ pen: SVGRaster.Pen, _ path: String) -> String {
    let width = SVGPath.number(pen.width)
    let cap = pen.isRound ? " stroke-linecap=\"round\"" : ""
    let style = "stroke=\"\(pen.color)\" stroke-width=\"\(width)\"\(cap)"
    return "<path class=\"l\" \(style) d=\"\(path)\"/>"
  }

  /// What the terminal would show: defaults filled in, reversed and dimmed. No background where it
  /// is the window's own.
  private func shown(_ style: Style) -> (foreground: String, background: String?) {
    var front = style.foreground.isTerminalDefault ? foreground : style.foreground
    var back = style.background.isTerminalDefault ? background : style.background
    if style.attributes.contains(.reverse) { swap(&front, &back) }
    if style.attributes.contains(.dim) { front = front.blended(with: back, amount: 0.4) }
    return (front.hex ?? "#c0c0c0", back == background ? nil : back.hex)
  }

  private mutating func draw(
    _ row: [Cell], _ columns: Range<Int>, y: Double, style: Style,
    colors: (foreground: String, background: String?)
  ) {
    let color = colors.foreground
    var word = ""
    var start = columns.lowerBound
    func place(_ column: Int) -> Double { Double(column) * SVGPicture.cellWidth }
    func flush(_ picture: inout SVGPicture, _ end: Int) {
      if !word.isEmpty {
        picture.add(word, x: place(start), columns: end - start, y: y, style: style, color: color)
      }
      word = ""
    }
    for column in columns {
      let scalar = row[column].scalar
      guard scalar != 0 else { continue }
      if scalar < 0x80 && scalar > 0x20 {
        if word.isEmpty { start = column }
        word.unicodeScalars.append(Unicode.Scalar(scalar) ?? " ")
        continue
      }
      flush(&self, column)
      if scalar > 0x20 { draw(scalar, x: place(column), y: y, row, column, color: color) }
    }
    flush(&self, columns.upperBound)
    if style.attributes.contains(.underline) {
      raster.add(
        SVGRaster.Segment(
          x1: place(columns.lowerBound), y1: y + 14, x2: place(columns.upperBound), y2: y + 14),
        pen: SVGRaster.Pen(color: color, width: 1))
    }
  }

  /// A character that is not plain ASCII: as a shape if it can be one, else as a text of its own,
  /// so that a font's odd width moves nothing else.
  private mutating func draw(
    _ scalar: UInt32, x: Double, y: Double, _ row: [Cell], _ column: Int, color: String
  ) {
    if DotGlyph.braille.contains(scalar) {
      let path = SVGPath.dots(UInt8(scalar - DotGlyph.braille.lowerBound), x: x, y: y)
      if !path.isEmpty { dots.change(color) { $0.append(path) } }
    } else if let (parts, opacity) = BlockElement.parts(scalar) {
      let below = shown(row[column].style).background ?? background.hex
      let tone = SVGPicture.tone(color, opacity: opacity, over: below ?? "#000000")
      for part in parts {
        raster.add(
          SVGRaster.Box(
            x: x + Double(part.x), y: y + Double(part.y) * 2, width: Double(part.width),
            height: Double(part.height) * 2), color: tone)
      }
    } else if let lines = BoxLines(scalar) {
      raster.add(lines, x: x, y: y, color: color)
    } else if let shape = SVGPath.sign(scalar, x: x, y: y) {
      raster.add(shape: shape, color: color)
    } else if let stroke = SVGPath.strokedSign(scalar, x: x, y: y) {
      raster.add(curve: stroke, pen: SVGRaster.Pen(color: color, width: 1.4, isRound: true))
    } else {
      let isWide = column + 1 < row.count && row[column + 1].isContinuation
      let text = Unicode.Scalar(scalar).map(String.init) ?? ""
      add(
        text, x: x, columns: isWide ? 2 : 1, y: y, style: row[column].style, color: color)
    }
  }

  private mutating func add(
    _ text: String, x: Double, columns: Int, y: Double, style: Style, color: String
  ) {
    let key = TextStyle(
      color: color, isBold: style.attributes.contains(.bold),
      isItalic: style.attributes.contains(.italic))
    let width = SVGPath.number(Double(columns) * SVGPicture.cellWidth)
    let length = columns > 2 ? " textLength=\"\(width)\"" : ""
    let place = "x=\"\(SVGPath.number(x))\" y=\"\(SVGPath.number(y + 12))\""
    texts.change(key) { $0.append("<text \(place)\(length)>\(SVGPath.escaped(text))</text>") }
  }

  private static func tone(_ color: String, opacity: Double, over: String) -> String {
    guard opacity < 1, let front = Color(hex: color), let back = Color(hex: over) else {
      return color
    }
    return back.blended(with: front, amount: opacity).hex ?? color
  }
}

extension SVGRaster {
  mutating func add(_ lines: BoxLines, x: Double, y: Double, color: String) {
    let middle = (x: x + 4, y: y + 8)
    if lines.isRound {
      let horizontal = lines.left == nil ? x + 8 : x
      let vertical = lines.up == nil ? y + 16 : y
      let pen = Pen(color: color, width: SVGPath.lineWidth(.light))
      return add(
        curve: SVGPath.bend(from: (middle.x, vertical), over: middle, to: (horizontal, middle.y)),
        pen: pen)
    }
    if lines.dashes > 1 { return addDashes(lines, x: x, y: y, color: color) }
    func stroke(_ weight: BoxLines.Weight?, _ segment: Segment) {
      guard let weight else { return }
      add(segment, pen: Pen(color: color, width: SVGPath.lineWidth(weight)))
    }
    stroke(lines.left, Segment(x1: x, y1: middle.y, x2: middle.x, y2: middle.y))
    stroke(lines.right, Segment(x1: middle.x, y1: middle.y, x2: x + 8, y2: middle.y))
    stroke(lines.up, Segment(x1: middle.x, y1: y, x2: middle.x, y2: middle.y))
    stroke(lines.down, Segment(x1: middle.x, y1: middle.y, x2: middle.x, y2: y + 16))
  }

  private mutating func addDashes(_ lines: BoxLines, x: Double, y: Double, color: String) {
    let isHorizontal = lines.left != nil
    guard let weight = lines.left ?? lines.up else { return }
    let pen = Pen(color: color, width: SVGPath.lineWidth(weight))
    let pitch = (isHorizontal ? 8 : 16) / Double(lines.dashes)
    for dash in 0..<lines.dashes {
      let from = Double(dash) * pitch + pitch * 0.2
      let to = from + pitch * 0.6
      let segment =
        isHorizontal
        ? Segment(x1: x + from, y1: y + 8, x2: x + to, y2: y + 8)
        : Segment(x1: x + 4, y1: y + from, x2: x + 4, y2: y + to)
      add(segment, pen: pen)
    }
  }
}
