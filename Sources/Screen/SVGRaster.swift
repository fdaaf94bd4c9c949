/// Rectangles and line segments of a drawing, each joined to its neighbour of the same colour where
/// that changes nothing, so that the file stays small.
struct SVGRaster {
  struct Box: Hashable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double
  }

  struct Pen: Hashable {
    var color: String
    var width: Double
    /// Round ends make a dot of a line without length.
    var isRound = false
  }

  struct Segment: Hashable {
    var x1: Double
    var y1: Double
    var x2: Double
    var y2: Double
  }

  private(set) var boxes = Grouped<String, Box>()
  private(set) var segments = Grouped<Pen, Segment>()
  private(set) var curves = Grouped<Pen, String>()
  private(set) var shapes = Grouped<String, String>()

  /// Joins to the right only; `joinedBoxes` does the rest.
  mutating func add(_ box: Box, color: String) {
    boxes.change(color) { group in
      if let last = group.last, last.y == box.y, last.height == box.height,
        last.x + last.width == box.x
      {
        group[group.count - 1].width += box.width
      } else {
        group.append(box)
      }
    }
  }

  mutating func add(_ segment: Segment, pen: Pen) {
    segments.change(pen) { group in
      // Rows are drawn from the top, so what this one continues is among the last ones added.
      for index in group.indices.suffix(512).reversed() {
        let last = group[index]
        guard last.x2 == segment.x1, last.y2 == segment.y1 else { continue }
        let isStraight =
          (last.x1 == last.x2 && segment.x1 == segment.x2)
          || (last.y1 == last.y2 && segment.y1 == segment.y2)
        guard isStraight else { continue }
        group[index].x2 = segment.x2
        group[index].y2 = segment.y2
        return
      }
      group.append(segment)
    }
  }

  mutating func add(curve path: String, pen: Pen) {
    curves.change(pen) { $0.append(path) }
  }

  mutating func add(shape path: String, color: String) {
    shapes.change(color) { $0.append(path) }
  }

  /// Boxes joined downwards as well.
  static func joined(_ boxes: [Box]) -> [Box] {
    var result: [Box] = []
    var open: [[Double]: Int] = [:]
    for box in boxes {
      if let index = open[[box.x, box.width, box.y]] {
        result[index].height += box.height
        open[[box.x, box.width, box.y]] = nil
        open[[box.x, box.width, box.y + box.height]] = index
      } else {
        open[[box.x, box.width, box.y + box.height]] = result.count
        result.append(box)
      }
    }
    return result
  }
}

/// Values by key, the keys in the order they first came: the same screen is the same file.
struct Grouped<Key: Hashable, Value> {
  private var places: [Key: Int] = [:]
  private(set) var groups: [(key: Key, values: [Value])] = []

  mutating func change(_ key: Key, _ body: (inout [Value]) -> Void) {
    if places[key] == nil {
      places[key] = groups.count
      groups.append((key, []))
    }
    guard let place = places[key] else { return }
    body(&groups[place].values)
  }
}
