import Screen
import Signals
import Telemetry

extension DashboardState {
  /// What the charts at the head of the wall are remembered for.
  package var project: String {
    let options = history.description?.options ?? [:]
    let environment = history.description?.environment ?? [:]
    return environment[.project] ?? options["project"] ?? options["group"] ?? "default"
  }

  /// Whether the wall takes the whole screen: as the layout that is chosen, or where hardly another
  /// pane has anything to say. Panes that were asked for stand beside it.
  var isWallWhole: Bool {
    if let zoomed = arrangement.zoomed { return zoomed == .wall }
    let isWanted = arrangement.preset == .wall || arrangement.preset == .overview && wall.isBest
    let silent = silentPanes
    let asked = arrangement.promoted.filter { $0 != .wall && !silent.contains($0) }
    return isWanted && asked.isEmpty && arrangement.pins.isEmpty
      && !arrangement.hidden.contains(.wall)
  }

  /// Whether a pane is drawn without a border of its own.
  func isBare(_ pane: PaneID) -> Bool { pane == .wall && isWallWhole }

  /// Whether keys move among the charts of the wall.
  var isOnWall: Bool {
    arrangement.focus == .wall && wall.zoomed == nil && layout.panes[.wall] != nil
  }

  /// Puts the wall's charts in order after something has happened.
  mutating func refreshWall() {
    let wasBest = wall.isBest
    orderWall()
    // What stands beside the wall follows from what is on it.
    if wall.isBest != wasBest { orderWall() }
    if layout.panes[arrangement.focus] == nil { refocus() }
    keepWallLayout()
    let shown = shownOnWall
    guard shown != wall.shown else { return }
    wall.shown = shown
    refreshSmoothing()
  }

  /// Finds where the charts stand, and which page is in sight while keys are for the wall.
  private mutating func keepWallLayout() {
    guard layout.panes[.wall] != nil else { return }
    let (area, style) = wallRoom
    wall.keepLayout(in: area, style)
    let layout = wall.layout(in: area, style)
    if arrangement.focus == .wall { wall.page = layout.slot(of: chosenTile)?.page ?? 0 }
  }

  /// The metrics with a chart of their own on the page in sight.
  private var shownOnWall: [MetricName] {
    guard layout.panes[.wall] != nil else { return [] }
    let layout = wallLayout
    return layout.slots(on: wallPage(of: layout)).compactMap { slot in
      let tile = wall.tiles[slot.tile]
      return tile.isFamily ? nil : tile.metrics[0]
    }
  }

  private mutating func orderWall() {
    let silent = silentPanes
    let drawn = metricsOfOtherPanes(silent: silent)
    let known = PaneCatalog.panes.filter(\.isOfMetrics)
    let isForeign = history.description.map { $0.model == nil } ?? false
    wall.refresh(
      Wall.Surroundings(
        history: history, playhead: playhead, filter: viewport.filter, project: project,
        elsewhere: drawn, isAmongPanes: !isWallWhole,
        speakingPanes: known.count { !silent.contains($0.id) }, isForeign: isForeign, now: now))
  }

  var wallLayout: WallLayout {
    let (area, style) = wallRoom
    return wall.layout(in: area, style)
  }

  private var wallRoom: (area: Rect, style: WallLayout.Style) {
    let isBare = isWallWhole
    let rect = layout.panes[.wall] ?? .empty
    return WallPane.room(
      in: isBare ? rect : inside(.wall), isBare: isBare, context(for: .wall))
  }

  private func wallPage(of layout: WallLayout) -> Int {
    WallPane.page(of: layout, context(for: .wall))
  }

  private var chosenTile: Int { wall.place(of: wall.selected) ?? 0 }

  mutating func choose(_ tile: WallTile?) {
    wall.selected = tile?.title ?? wall.selected
  }

  private mutating func choose(_ place: Int) {
    guard wall.tiles.indices.contains(place) else { return }
    wall.selected = wall.tiles[place].title
  }

  mutating func chooseNext(by direction: Int) {
    let count = wall.tiles.count
    guard count > 0 else { return }
    choose((chosenTile + direction + count) % count)
    if wall.zoomed != nil { wall.zoomed = wall.selected }
  }

  /// Goes to the chart that lies there; false where the wall has none there, or keys are not for it.
  mutating func moveOnWall(columns: Int, rows: Int) -> Bool {
    if wall.zoomed != nil, arrangement.focus == .wall {
      chooseNext(by: columns + rows)
      return true
    }
    guard isOnWall else { return false }
    let layout = wallLayout
    let next =
      columns == 0
      ? layout.tile(from: chosenTile, rows: rows) : layout.tile(from: chosenTile, columns: columns)
    guard let next else { return isWallWhole }
    choose(next)
    return true
  }

  /// Shows the page before or after; the chosen chart is the first there.
  mutating func turnPage(by direction: Int) {
    let layout = wallLayout
    let page = layout.slot(of: chosenTile)?.page ?? 0
    let next = min(max(0, page + direction), max(0, layout.pageCount - 1))
    guard next != page, let tile = layout.firstTile(ofPage: next) else { return }
    choose(tile)
  }

  mutating func zoomTile() {
    guard wall.tiles.indices.contains(chosenTile) else { return }
    wall.selected = wall.tiles[chosenTile].title
    wall.zoomed = wall.selected
  }

  mutating func leaveTile() {
    wall.zoomed = nil
    viewport.valueZoom[.wall] = nil
  }

  mutating func toggleLogTile() {
    guard wall.tiles.indices.contains(chosenTile) else { return }
    let title = wall.tiles[chosenTile].title
    if wall.logarithmic.remove(title) == nil { wall.logarithmic.insert(title) }
    say("\(title): \(wall.logarithmic.contains(title) ? "log" : "linear") vertical axis")
  }

  mutating func widenWall(by columns: Int) {
    let present = wallLayout.columns
    let room = layout.panes[.wall]?.columns ?? 0
    let most = max(1, min(WallLayout.mostColumns, room / WallLayout.narrowest))
    wall.columns = min(max(1, present + columns), most)
    say("\(wall.columns ?? 1) side by side", .faint)
  }

  /// Puts the chosen chart at the head, or takes it from there.
  mutating func toggleHead() {
    guard wall.tiles.indices.contains(chosenTile) else { return }
    let title = wall.tiles[chosenTile].title
    var head = wall.head(of: project)
    let isThere = head.contains(title)
    if isThere { head.removeAll { $0 == title } } else { head.append(title) }
    wall.heads[project] = head
    wall.selected = title
    say("\(title) \(isThere ? "is no longer at" : "stands at") the head")
  }
}

extension DashboardState {
  /// The metrics that grow with the steps, which can be counted along the axis.
  var growingMetrics: [MetricName] {
    history.names.filter { name in
      guard let series = history[name], series.count >= 3 else { return false }
      return series.grows
    }
  }

  /// The chart of the wall that lies there.
  func wallSlot(at point: Point) -> WallLayout.Slot? {
    guard wall.zoomed == nil, layout.panes[.wall]?.contains(point) == true else { return nil }
    let layout = wallLayout
    return layout.slots(on: wallPage(of: layout)).first { $0.rect.contains(point) }
  }

  /// A press chooses a chart, and shows the chosen one alone.
  mutating func pressed(_ slot: WallLayout.Slot, wasFocused: Bool) {
    let wasChosen = wasFocused && slot.tile == chosenTile
    choose(slot.tile)
    if wasChosen, isWallWhole, viewport.cursor == nil { zoomTile() }
  }

  /// Where the chart lies that is pointed at: of the wall the one under the pointer.
  func chartRect(of pane: PaneID, at point: Point, in layout: Layout) -> Rect? {
    pane == .wall ? wallSlot(at: point)?.rect ?? layout.panes[pane] : layout.panes[pane]
  }
}

extension Series {
  /// Whether it never falls, and does rise. Of a long one some are looked at.
  var grows: Bool {
    let every = max(1, count / 256)
    var last = -Double.infinity
    for index in stride(from: 0, to: count, by: every) {
      let value = value(atIndex: index)
      guard value.isFinite, value >= last else { return false }
      last = value
    }
    return value(atIndex: count - 1) >= last && value(atIndex: count - 1) > value(atIndex: 0)
  }
}
