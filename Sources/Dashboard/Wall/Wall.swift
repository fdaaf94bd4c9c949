import Screen
import Signals
import Telemetry

/// What a person sees of the wall: in what order, which chart is chosen, which stand at its head.
package struct Wall: Sendable {
  package var order = WallOrder.group
  /// Charts side by side, where a person chose.
  var columns: Int?
  /// The titles of the charts at the head, by the project of the runs; a project that is not here has
  /// the usual head.
  package var heads: [String: [String]] = [:]
  /// The title of the chosen chart.
  var selected: String?
  /// The title of the chart that has the whole wall.
  var zoomed: String?
  /// The charts whose vertical axis is logarithmic.
  var logarithmic: Set<String> = []
  /// The charts in their order, the head first.
  private(set) var tiles: [WallTile] = []
  private(set) var headCount = 0
  /// Whether most of what is logged has no other pane.
  private(set) var isBest = false
  private var basis: Basis?
  /// The metrics that have a chart of their own on the page in sight.
  var shown: [MetricName] = []
  /// The page that was in sight when keys were last for the wall: another pane has them now, and what
  /// becomes of the chosen chart turns no page.
  var page = 0
  /// Where the charts stand, found once for many frames.
  private(set) var placed: Placed?

  /// Where charts stand in a room, and all that this follows from but the charts.
  struct Placed: Sendable {
    let area: Rect
    let style: WallLayout.Style
    let layout: WallLayout
  }

  package init() {}

  /// What is first where nobody has chosen.
  static let usualHead = [
    MetricCatalog.loss.path, MetricCatalog.evalLoss.path, MetricCatalog.learningRate.path,
    "reward",
  ]

  /// All that the order of the charts follows from.
  private struct Basis: Equatable {
    var count: Int
    var filter: String?
    var order: WallOrder
    var head: [String]
    var definitions: MetricDefinitions
    var elsewhere: Set<MetricName>
    /// When what is ordered by what metrics do was ordered, in steps of some seconds.
    var tick: Int
  }

  /// What of the dashboard it follows from.
  struct Surroundings {
    var history: RunHistory
    var playhead: Int
    var filter: String?
    var project: String
    /// What other panes know how to draw.
    var elsewhere: Set<MetricName>
    /// Whether other panes stand beside the wall: what they draw comes last then.
    var isAmongPanes: Bool
    /// Panes that know something of the run.
    var speakingPanes: Int
    var isForeign: Bool
    var now: Double
  }

  /// Seconds for which an order by what metrics do stands still.
  private static let patience = 5.0

  /// Where the charts stand in a room.
  func layout(in area: Rect, _ style: WallLayout.Style) -> WallLayout {
    if let placed, placed.area == area, placed.style == style { return placed.layout }
    return WallLayout(tiles, headCount: headCount, in: area, style)
  }

  /// Has where they stand there known from now on.
  mutating func keepLayout(in area: Rect, _ style: WallLayout.Style) {
    placed = Placed(area: area, style: style, layout: layout(in: area, style))
  }

  func place(of title: String?) -> Int? {
    title.flatMap { title in tiles.firstIndex { $0.title == title } }
  }

  func head(of project: String) -> [String] { heads[project] ?? Self.usualHead }

  /// Puts the charts in order where something that it follows from has changed.
  mutating func refresh(_ around: Surroundings) {
    let isByDeeds = order == .movement || order == .trouble
    let next = Basis(
      count: around.history.names.count, filter: around.filter, order: order,
      head: head(of: around.project), definitions: around.history.definitions,
      elsewhere: around.isAmongPanes ? around.elsewhere : [],
      tick: isByDeeds ? Int(around.now / Self.patience) : 0)
    guard next != basis else { return }
    basis = next
    let arranged = Self.arranged(
      around.history, filter: around.filter, order: order, head: next.head,
      elsewhere: next.elsewhere, playhead: around.playhead)
    (tiles, headCount) = (arranged.tiles, arranged.headCount)
    placed = nil
    if around.filter?.isEmpty ?? true { isBest = Self.isBest(tiles, around) }
  }

  /// Where hardly a pane has anything to say, or much more is logged than panes know of.
  private static func isBest(_ tiles: [WallTile], _ around: Surroundings) -> Bool {
    guard around.isForeign, !tiles.isEmpty else { return false }
    let unknown = tiles.count { !$0.metrics.allSatisfy(around.elsewhere.contains) }
    return around.speakingPanes <= 2 || unknown >= 6
  }

  /// The charts of a run, those of the head first. With a filter each metric whose name holds it
  /// stands by itself.
  static func arranged(
    _ history: RunHistory, filter: String?, order: WallOrder, head: [String] = Wall.usualHead,
    elsewhere: Set<MetricName> = [], playhead: Int
  ) -> (tiles: [WallTile], headCount: Int) {
    let filter = filter ?? ""
    guard filter.isEmpty else {
      let pattern = TextPattern(filter)
      return (history.names.filter { pattern.matches($0.path) }.map { WallTile($0) }, 0)
    }
    let folded = grouped(WallTile.folded(charted(in: history)), history)
    let first = head.compactMap { title in folded.first { $0.title == title } }
    let titles = Set(first.map(\.title))
    let rest = folded.filter { !titles.contains($0.title) }
    func isElsewhere(_ tile: WallTile) -> Bool { tile.metrics.allSatisfy(elsewhere.contains) }
    guard elsewhere.isEmpty else {
      let all = first + rest
      return (all.filter { !isElsewhere($0) } + all.filter(isElsewhere), 0)
    }
    return (first + sorted(rest, by: order, history, playhead), first.count)
  }

  /// The metrics of which the run does not say that it wants no chart of them.
  static func charted(in history: RunHistory) -> [MetricName] {
    let definitions = history.definitions
    guard definitions.hidesMetrics else { return history.names }
    return history.names.filter { !definitions.isHidden($0) }
  }

  private static func sorted(
    _ tiles: [WallTile], by order: WallOrder, _ history: RunHistory, _ playhead: Int
  ) -> [WallTile] {
    switch order {
    case .group:
      return tiles.enumerated().sorted {
        (rank($0.element), $0.element.group, $0.offset)
          < (rank($1.element), $1.element.group, $1.offset)
      }.map(\.element)
    case .name:
      return tiles.sorted { ($0.isFamily ? 1 : 0, $0.title) < ($1.isFamily ? 1 : 0, $1.title) }
    case .movement, .trouble:
      let score = TileScore(history, upTo: playhead)
      return tiles.map { (tile: $0, score: score($0, by: order)) }.enumerated().sorted {
        ($1.element.score, $0.offset) < ($0.element.score, $1.offset)
      }.map(\.element.tile)
    }
  }

  /// What has no group, groups, families, then the machine's.
  private static func rank(_ tile: WallTile) -> Int {
    if tile.group == systemGroup { return 3 }
    if tile.isFamily { return 2 }
    return tile.group.isEmpty ? 0 : 1
  }

  static let systemGroup = "system/"
  static let familyGroup = "families"

  /// A group is what the run's own name of a metric begins with; families are one.
  private static func grouped(_ tiles: [WallTile], _ history: RunHistory) -> [WallTile] {
    let environment = history.description?.environment ?? [:]
    return tiles.map { tile in
      var tile = tile
      let name = environment[.original(of: tile.metrics[0])] ?? tile.title
      let isKnown = name == tile.title && MetricCatalog.family(of: tile.metrics[0]) != nil
      let prefix = name.firstIndex(of: "/").map { String(name[...$0]) } ?? ""
      if tile.title.hasPrefix(systemGroup) {
        tile.group = systemGroup
      } else {
        tile.group = tile.isFamily ? familyGroup : isKnown ? "" : prefix
      }
      return tile
    }
  }
}
