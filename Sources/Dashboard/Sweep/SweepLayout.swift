import Screen
import Signals

/// Where the parts of a sweep's screen lie; those that have no room are empty.
struct SweepLayout {
  let header: Rect
  /// A chart each, side by side.
  let charts: [Rect]
  let sensitivity: Rect
  let best: Rect
  let cells: Rect
  let status: Rect
  let bottom: Rect

  private static let leastChartColumns = 38
  private static let leastChartRows = 8

  init(_ state: SweepState) {
    let screen = Rect(state.size)
    header = screen.top(screen.rows >= 4 ? 1 : 0)
    bottom = screen.bottom(screen.rows >= 3 ? 1 : 0)
    var body = screen.droppingTop(header.rows).droppingBottom(bottom.rows)
    status = body.bottom(body.rows >= 12 ? 1 : 0)
    body = body.droppingBottom(status.rows)
    let wanted = state.groups.count + 3
    let least = min(wanted, 5)
    let room = body.rows - Self.leastChartRows
    let middleRows = room - least >= 9 ? min(12, 9 + (room - least - 9) / 4) : 0
    let cellRows = max(min(body.rows, least), min(wanted, room - middleRows))
    cells = body.bottom(cellRows)
    body = body.droppingBottom(cells.rows)
    let middle = body.bottom(middleRows)
    sensitivity = middle.left(middle.columns / 2)
    best = middle.droppingLeft(sensitivity.columns)
    let upper = body.droppingBottom(middle.rows)
    let panels = SweepPanel.all(state).count
    charts = upper.sideBySide(max(1, min(panels, upper.columns / Self.leastChartColumns)))
  }

  /// Rows of names beside a plot of so many rows, each near the one that it wants: what would meet is
  /// pushed down, and up from the end. Below 0 for one that has no room.
  static func apart(_ wanted: [Int], rows: Int) -> [Int] {
    var next = 0
    return wanted.enumerated().map { index, row in
      let placed = min(max(row, next), rows - wanted.count + index)
      next = placed + 1
      return placed
    }
  }
}

/// A chart of a sweep: the curves of one mitigation over the sizes, or of one size over the
/// mitigations.
struct SweepPanel {
  let title: String
  /// Places of groups, with what each is called here and the role of its colour.
  let curves: [(group: Int, label: String, role: Role)]

  private static let roles: [Role] = [
    .text, .loss, .throughput, .learningRate, .person, .logits, .experts, .overlayFirst,
  ]

  static func all(_ state: SweepState) -> [SweepPanel] {
    let sizes = orderedSizes(state)
    let mitigations = ordered(state.groups.map(\.mitigation))
    let outer = state.isBySize ? sizes : mitigations
    return outer.map { name in
      let members = state.groups.indices.filter {
        (state.isBySize ? sizeName(state.groups[$0], in: state) : state.groups[$0].mitigation)
          == name
      }
      return SweepPanel(
        title: name,
        curves: members.map { index in
          let group = state.groups[index]
          let label =
            state.isBySize
            ? (group.mitigation.isEmpty ? "all" : group.mitigation) : sizeName(group, in: state)
          let place =
            (state.isBySize
              ? mitigations.firstIndex(of: group.mitigation)
              : sizes.firstIndex(of: sizeName(group, in: state))) ?? 0
          return (index, label, roles[place % roles.count])
        })
    }
  }

  /// `3e-4`, `1e-2`, `0.1`, `1`.
  static func rateText(_ rate: Double) -> String {
    rate < 0.0995 ? RoundNumber.rate(rate) : RoundNumber.plain(rate)
  }

  /// The parameters; with the size in words where two sizes have as many.
  static func sizeName(_ group: ShownGroup, in state: SweepState) -> String {
    let same = state.groups.filter { $0.sizeLabel == group.sizeLabel }
    let isOne = Set(same.map(\.size)).count <= 1
    return isOne || group.size.isEmpty ? group.sizeLabel : "\(group.sizeLabel) (\(group.size))"
  }

  private static func orderedSizes(_ state: SweepState) -> [String] {
    ordered(state.groups.sorted { $0.parameters < $1.parameters }.map { sizeName($0, in: state) })
  }

  private static func ordered(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }
}

extension Rect {
  /// Cut into so many parts of about one width.
  func sideBySide(_ count: Int) -> [Rect] {
    (0..<count).map { index in
      let (start, end) = (columns * index / count, columns * (index + 1) / count)
      return Rect(column: column + start, row: row, columns: end - start, rows: rows)
    }
  }
}
