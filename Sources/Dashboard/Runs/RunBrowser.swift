package import Screen
import Signals
import Telemetry

/// All runs that are recorded, over the whole screen: to look through, open, lay over the charts,
/// compare, tag, name and remove.
package struct RunBrowser: Layer {
  private(set) var list = ListCursor()
  /// The chosen run; the list moves under it as runs are read and sorted. Nil for the one on screen.
  private(set) var chosenPath: String?
  /// The marked runs, in the order in which they were marked.
  private(set) var marked: [String] = []
  var order = RunOrder.time
  var filter = ""
  /// Whether the chart has the screen, with the runs it shows.
  var isComparing = false
  var question: RunQuestion?

  package init() {}

  /// The list as it was left, at the run on screen.
  package var reopened: RunBrowser {
    var next = RunBrowser()
    (next.marked, next.order, next.filter) = (marked, order, filter)
    return next
  }

  var isTyping: Bool { question?.isTyping ?? false }

  package var isScreen: Bool { true }
  package var takesText: Bool { isTyping }

  /// The runs that the filter finds, in order, each with the lines that it went back from.
  func found(in state: DashboardState) -> [ListedRun] {
    let listed = state.listedRuns ?? []
    let lines = Dictionary(grouping: listed.filter(\.isLine)) { $0.details.line?.run }
    let wanted = filter.isEmpty ? nil : try? RunFilter(filter)
    let runs = listed.filter { !$0.isLine && wanted?.matches($0.traits) ?? true }
    return order.sorted(runs).flatMap { [$0] + (lines[$0.path]?.reversed() ?? []) }
  }

  /// The place of the chosen run among those found.
  func index(in runs: [ListedRun]) -> Int {
    let index =
      runs.firstIndex { chosenPath == nil ? $0.details.isPresent : $0.path == chosenPath }
      ?? list.index
    return min(max(0, index), max(0, runs.count - 1))
  }

  func chosen(in state: DashboardState) -> ListedRun? {
    let runs = found(in: state)
    return runs.isEmpty ? nil : runs[index(in: runs)]
  }

  /// The marked runs, whether the filter finds them or not.
  func markedRuns(in state: DashboardState) -> [ListedRun] {
    let runs = state.listedRuns ?? []
    return marked.compactMap { path in runs.first { $0.path == path } }
  }

  /// The runs of the chart: the chosen one before the marked ones, or before the one on screen, a
  /// line before its run.
  func compared(in state: DashboardState) -> [ListedRun] {
    guard let chosen = chosen(in: state) else { return [] }
    let marked = markedRuns(in: state)
    let beside = (state.listedRuns ?? []).filter { run in
      chosen.details.line.map { $0.run == run.path } ?? run.details.isPresent
    }
    let others = marked.isEmpty ? beside : marked
    return [chosen] + others.filter { $0.path != chosen.path }.prefix(Overlay.most)
  }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    if question != nil { return answer(key, in: state) }
    let runs = found(in: state)
    list.index = index(in: runs)
    let moved: Key =
      switch key {
      case .character("j"): .down
      case .character("k"): .up
      case .character("g"): .home
      case .character("G"): .end
      default: key
      }
    if list.handle(moved, count: runs.count, page: 10) {
      chosenPath = runs.isEmpty ? nil : runs[list.index].path
      return .consumed
    }
    if let command = BrowserCommand.table.first(where: { $0.keys.contains(key) }) {
      return command.perform(&self, state)
    }
    if case .control = key { return .ignored }
    return .stays(
      .say("no action on '\(key.words)' in the list of runs: ? says which there are", .faint))
  }

  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    let runs = found(in: state)
    guard question == nil, runs.indices.contains(index) else { return .consumed }
    guard runs[index].path != chosen(in: state)?.path else { return handle(.enter, in: state) }
    list.index = index
    chosenPath = runs[index].path
    return .consumed
  }

  /// Chooses a run, and drops the filter where that does not find it.
  mutating func go(to path: String, in state: DashboardState) {
    chosenPath = path
    if !found(in: state).contains(where: { $0.path == path }) { filter = "" }
  }

  mutating func toggleMark(in state: DashboardState) {
    guard let run = chosen(in: state) else { return }
    if let index = marked.firstIndex(of: run.path) {
      marked.remove(at: index)
    } else {
      marked.append(run.path)
    }
    _ = handle(.down, in: state)
  }

  /// What is asked or typed has the key; when it is answered the list has it again.
  private mutating func answer(_ key: Key, in state: DashboardState) -> LayerAnswer {
    guard var asked = question else { return .ignored }
    let outcome = asked.handle(key)
    question = outcome.isDone ? nil : asked
    if let filter = outcome.filter { self.filter = filter }
    return LayerAnswer(isConsumed: outcome.isConsumed, deeds: outcome.deeds)
  }
}
