import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct WallTests {
  private func tiles(_ history: RunHistory = SampleRun.full, filter: String? = nil) -> [WallTile] {
    Wall.arranged(
      history, filter: filter, order: .group, playhead: history.lastStep ?? 0
    ).tiles
  }

  /// A run of another trainer: what it logs under `names`, each its own even slope.
  private func logged(
    _ names: [String], steps: Int = 40, value: (Int, Int) -> Double = { Double($0 + $1) }
  ) -> RunHistory {
    var history = RunHistory()
    history.append(.description(RunDescription(name: "theirs", created: 0)))
    for step in 0..<steps {
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: Double(step), names: names.map { MetricName($0) },
            values: names.indices.map { value($0, step) })))
    }
    return history
  }

  private func shown(_ history: RunHistory, _ columns: Int = 120, _ rows: Int = 40)
    -> DashboardState
  {
    var state = UpdateTests.live(columns, rows, history: RunHistory())
    _ = update(&state, .recordingOpened(history))
    return state
  }

  private func press(_ state: inout DashboardState, _ keys: Key...) {
    for key in keys { _ = update(&state, .keyPressed(key)) }
  }

  /// What W&B has of a language model: some curves, two families, the machine.
  private static let language =
    ["loss", "loss/eval", "lr", "train/accuracy", "train/z_loss", "val/accuracy", "epoch"]
    + (0..<24).map { "layer\($0)/grad_norm" } + (0..<12).map { "moe/expert_\($0)/load" }
    + (0..<4).map { "system/gpu.\($0).util" }

  @Test func `what matters stands at the head`() {
    let wall = Wall.arranged(SampleRun.full, filter: nil, order: .group, playhead: 1_400)
    #expect(wall.tiles.prefix(3).map(\.title) == ["loss", "loss/eval", "lr"])
    #expect(wall.headCount == 3)
  }

  @Test func `layers, experts and tensors are one chart each, and none is left out`() throws {
    let all = tiles()
    let titles = all.map(\.title)
    for title in ["attention_logit_max/*", "expert_load/*/*", "grad_rms/*"] {
      #expect(titles.contains(title))
    }
    #expect(Set(all.flatMap(\.metrics)) == Set(SampleRun.full.names))
    #expect(all.flatMap(\.metrics).count == SampleRun.full.names.count)
    #expect(all.count < 40)
    let loads = try #require(all.first { $0.title == "expert_load/*/*" })
    #expect(loads.label(of: 9) == "L1 E1")
    let gradients = try #require(all.first { $0.title == "grad_rms/*" })
    #expect(gradients.label(of: 0).hasPrefix("L0"))
  }

  @Test func `names that differ in numbers alone from four on are one chart`() throws {
    let layers = (0..<12).map { "model.layers.\($0).mlp/norm" }
    let loads = (0..<3).flatMap { layer in (0..<4).map { "moe.\(layer).expert_\($0)" } }
    let all = tiles(logged(layers + loads + ["acc_top5", "acc_top1"]))
    #expect(
      Set(all.map(\.title)) == [
        "acc_top1", "acc_top5", "model.layers.*.mlp/norm", "moe.*.expert_*",
      ]
    )
    let norms = try #require(all.first { $0.title.hasPrefix("model") })
    #expect(norms.label(of: 11) == "L11" && norms.metrics[2] == "model.layers.2.mlp/norm")
    let table = try #require(all.first { $0.title.hasPrefix("moe") })
    #expect(table.letters == ["", "E"] && table.numbers[5] == [1, 1])
  }

  @Test func `a family names the member that is largest where it is read`() throws {
    let history = logged((0..<6).map { "layer\($0)/norm" }) {
      $0 == 3 ? 40 - Double($1) : Double($1)
    }
    let tile = try #require(tiles(history).first)
    var screen = PaneScreen(history: history)
    #expect(TileReading(tile, screen.context(.wall)).text == "L0 39.0")
    screen.change = { $0.cursorStep = 4 }
    #expect(TileReading(tile, screen.context(.wall)).text == "L3 36.0")
    let broken = logged((0..<6).map { "layer\($0)/norm" }) { $0 == 2 && $1 > 9 ? .nan : Double($1) }
    let reading = TileReading(tile, PaneScreen(history: broken).context(.wall))
    #expect(!reading.isFinite && reading.text == "L2 NaN")
  }

  @Test func `of very many metrics a chart draws some, and finds the largest among all`() throws {
    let names = (0..<12_345).map { MetricName("probe/\($0)") }
    let values = names.indices.map { $0 == 7_777 ? 50.0 : Double($0 % 3) }
    let history = RunHistory(
      (0..<3).map { step in
        .samples(StepSamples(step: step, wallTime: Double(step), names: names, values: values))
      })
    let all = tiles(history)
    let tile = try #require(all.first)
    #expect(all.count == 1 && tile.metrics.count == 12_345 && tile.title == "probe/*")
    let screen = PaneScreen(history: history)
    #expect(TileReading(tile, screen.context(.wall)).text == "7777 50.0")
    #expect(screen.grid(WallPane.pane, columns: 60, rows: 16).text().contains("probe/*"))
  }

  @Test func `a search shows each metric by itself`() {
    #expect(
      tiles(filter: "logit_max").map(\.title) == [
        "attention_logit_max", "attention_logit_max/0", "attention_logit_max/1",
        "attention_logit_max/2", "attention_logit_max/3",
      ])
  }

  @Test func `groups follow the run's own names`() throws {
    var history = logged(Self.language)
    var description = try #require(history.description)
    description.environment["metric loss/eval"] = "val/loss"
    history.append(.description(description))
    let wall = Wall.arranged(history, filter: nil, order: .group, playhead: 39)
    let groups = wall.tiles.dropFirst(wall.headCount).map(\.group)
    #expect(groups == ["", "train/", "train/", "val/", "families", "families", "system/"])
    let accuracy = try #require(wall.tiles.first { $0.title == "train/accuracy" })
    #expect(accuracy.titleInGroup == "accuracy")
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40), (160, 45), (200, 60)])
  func `every chart is on one page, inside it and over no other`(columns: Int, rows: Int) {
    for count in [1, 2, 5, 9, 70] {
      let names = (0..<count).map { "m\(Character(UnicodeScalar(97 + UInt8($0 % 26))))/\($0)x" }
      let all = tiles(logged(names + (0..<5).map { "layer\($0)/norm" }, steps: 2))
      for style in [
        WallLayout.Style(isBoxed: true, isGrouped: true),
        WallLayout.Style(isBoxed: false, isGrouped: false, columns: 3),
      ] {
        let area = Rect(column: 0, row: 1, columns: columns, rows: rows - 2)
        let layout = WallLayout(all, headCount: min(2, all.count), in: area, style)
        #expect(layout.lines.flatMap(\.self).map(\.tile) == Array(all.indices))
        for page in 0..<layout.pageCount {
          let rects =
            layout.slots(on: page).map(\.rect)
            + layout.headings.filter { $0.page == page }.map(\.rect)
          #expect(rects.allSatisfy { area.contains($0) && !$0.isEmpty })
          for (index, rect) in rects.enumerated() {
            #expect(rects.dropFirst(index + 1).allSatisfy { $0.intersection(rect).isEmpty })
          }
        }
      }
    }
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40), (200, 60)])
  func `a run of another trainer shows what it logs, and no pane that waits in vain`(
    columns: Int, rows: Int
  ) {
    for names in [["reward"], ["loss", "lr", "accuracy"], ["grad_norm", "reward"]] {
      let state = shown(logged(names), columns, rows)
      let places = state.layout.panes
      #expect(places[.wall] != nil && places[state.arrangement.focus] != nil, "\(names)")
      let text = view(state).text().replacing("nothing happened yet", with: "")
      #expect(text.contains(names.contains("reward") ? "reward" : "accuracy"), "\(text)")
      for word in ["waiting", " yet"] { #expect(!text.contains(word), "\(text)") }
      #expect(text.contains("loss") == names.contains("loss"), "\(text)")
    }
  }

  @Test(arguments: [(80, 24), (120, 40), (200, 60)])
  func `the wall of a run of many metrics looks as recorded`(columns: Int, rows: Int) {
    let history = logged(Self.language, steps: 200) { index, step in
      2 + Double((index * 37) % 11) / (1 + Double(step) / 20) + Double((index + step * 7) % 5) / 50
    }
    expectScreen(view(shown(history, columns, rows)), "wall", "language")
  }

  @Test func `a chart alone, with the cursor, looks as recorded`() {
    let history = logged(Self.language, steps: 200) { index, step in
      1 + Double((index * 5 + step) % 13) + Double(index * step) / 100
    }
    var state = shown(history)
    press(&state, .down, .down, .down, .enter, .character("x"), .left, .left)
    expectScreen(view(state), "wall", "family-alone")
    press(&state, .escape, .escape)
    #expect(state.wall.zoomed == nil && state.viewport.cursor == nil)
  }

  @Test func `experts of layers are a table`() {
    let names = (0..<4).flatMap { layer in (0..<8).map { "moe/l\(layer)/e\($0)" } }
    let state = shown(logged(names) { Double($0 % 8) + Double($1) / 40 }, 100, 30)
    expectScreen(view(state), "wall", "table")
  }

  @Test func `arrows, pages, home and end go through all charts, and enter shows one alone`() {
    var state = shown(
      logged((0..<60).map { "\(Character(UnicodeScalar(97 + UInt8($0 % 26))))x\($0)y" }))
    #expect(state.isWallWhole && state.arrangement.focus == .wall)
    let count = state.wall.tiles.count
    press(&state, .right)
    #expect(state.wall.place(of: state.wall.selected) == 1)
    press(&state, .down, .left)
    #expect(state.wall.place(of: state.wall.selected) == state.wallLayout.columns)
    press(&state, .pageDown)
    let page = view(state).text()
    #expect(page.contains("2 of"))
    press(&state, .end)
    #expect(state.wall.place(of: state.wall.selected) == count - 1)
    press(&state, .tab)
    #expect(state.wall.place(of: state.wall.selected) == 0)
    press(&state, .enter)
    #expect(state.wall.zoomed == state.wall.tiles[0].title)
    press(&state, .right)
    #expect(state.wall.zoomed == state.wall.tiles[1].title)
    press(&state, .escape)
    #expect(state.wall.zoomed == nil)
  }

  @Test func `a click chooses a chart, a second one shows it alone`() throws {
    var state = shown(logged(Self.language))
    let slot = try #require(state.wallLayout.slots(on: 0).last)
    let middle = slot.rect.origin.offset(columns: slot.rect.columns / 2, rows: 2)
    let click = Action.mouseMoved(MouseEvent(kind: .pressed, button: .left, point: middle))
    _ = update(&state, click)
    #expect(state.wall.place(of: state.wall.selected) == slot.tile && state.wall.zoomed == nil)
    _ = update(&state, click)
    #expect(state.wall.zoomed == state.wall.tiles[slot.tile].title)
  }

  @Test func `the pointer finds the step in the chart under it`() throws {
    var state = shown(logged(Self.language, steps: 200))
    press(&state, .character("x"))
    let slots = state.wallLayout.slots(on: 0)
    for slot in [slots[1], slots[slots.count - 1]] {
      let left = slot.rect.origin.offset(columns: slot.rect.columns / 2, rows: 2)
      _ = update(&state, .mouseMoved(MouseEvent(kind: .pressed, button: .left, point: left)))
      let step = try #require(state.viewport.cursor)
      #expect((60..<140).contains(step), "\(step)")
    }
  }

  @Test func `the head is a person's own, for each project`() {
    var state = shown(logged(Self.language))
    press(&state, .end, .character("*"))
    let title = state.wall.selected ?? ""
    #expect(state.wall.heads["default"]?.last == title)
    #expect(state.wall.tiles.prefix(state.wall.headCount).map(\.title).last == title)
    press(&state, .character("*"))
    #expect(state.wall.heads["default"] == Wall.usualHead)
  }

  @Test func `the worst come first where asked: no number, spikes, what stands still`() {
    let names = ["calm", "flat", "spiky", "broken", "loss"]
    let history = logged(names, steps: 100) { index, step in
      let noise = Double((step * 7) % 5) / 5
      return switch index {
      case 1: 3
      case 2: step == 97 ? 90 : noise
      case 3: step > 95 ? .nan : noise
      default: noise
      }
    }
    var state = shown(history)
    #expect(state.wall.order == .group)
    press(&state, .character("S"), .character("S"), .character("S"))
    #expect(
      state.wall.tiles.map(\.title) == ["loss", "broken", "spiky", "flat", "calm"])
    #expect(view(state).text().contains("worst first"))
  }

  @Test func `what moves comes first where asked`() {
    let history = logged(["a", "b", "c"], steps: 80) { index, step in
      index == 1 && step > 70 ? 9 : Double(step % 3)
    }
    let wall = Wall.arranged(history, filter: nil, order: .movement, playhead: 79)
    #expect(wall.tiles.first?.title == "b")
  }

  @Test func `columns are a person's to choose`() {
    var state = shown(
      logged((0..<30).map { "\(Character(UnicodeScalar(97 + UInt8($0 % 26))))\($0)z" }))
    let usual = state.wallLayout.columns
    press(&state, .character(")"))
    #expect(state.wallLayout.columns == usual + 1)
    press(&state, .character("("), .character("("))
    #expect(state.wallLayout.columns == usual - 1)
  }

  @Test func `a wall beside other panes stays at its page while keys are for another`() throws {
    let names =
      ["loss", "lr", "grad_norm", "tokens_per_s"]
      + (0..<60).map { "m\(Character(UnicodeScalar(97 + UInt8($0 % 26))))\($0)z" }
    var state = shown(logged(names))
    press(&state, .character("p"))
    while state.isWallWhole { press(&state, .character("p")) }
    state.arrangement.focus = .wall
    try #require(state.layout.panes[.wall] != nil && !state.isWallWhole)
    let last = try #require(state.wall.tiles.last)
    func titles() -> [MetricName] { state.wall.shown }
    state.choose(last)
    state.refreshWall()
    #expect(state.wall.page > 0 && titles().contains(last.metrics[0]))
    let seen = titles()
    state.arrangement.focus = .loss
    state.choose(state.wall.tiles.first)
    state.refreshWall()
    #expect(titles() == seen)
    state.arrangement.focus = .wall
    state.refreshWall()
    #expect(state.wall.page == 0 && titles() != seen)
  }

  @Test func `words are found in names wherever they stand`() {
    #expect("train/loss".holds("loss") && "loss".holds("loss") && "loss".holds(""))
    #expect(!"los".holds("loss") && !"".holds("a") && "llloss".holds("loss"))
  }

  @Test func `a metric that grows can be the axis`() {
    var state = shown(
      logged(["epoch", "loss"]) { $0 == 0 ? Double($1) / 10 : 3 - Double($1) / 50 })
    #expect(state.growingMetrics == ["epoch"])
    for _ in 0..<4 { press(&state, .character("a")) }
    #expect(state.viewport.axis == .metric("epoch"))
    press(&state, .enter)
    #expect(view(state).text().contains("epoch 3.9"))
    press(&state, .character("a"))
    #expect(state.viewport.axis == .step)
  }

  /// A run that says of its metrics how they are to be shown.
  private func defining(_ words: [String: String]) -> RunHistory {
    var history = logged(["epoch", "loss", "val/acc", "val/top1"]) { metric, step in
      metric == 0 ? Double(step / 4) : Double(metric * (40 - step))
    }
    history.append(
      .description(RunDescription(name: "theirs", created: 0, environment: words)))
    return history
  }

  @Test func `a chart has the axis that its run defined for it until one is chosen for all`() {
    var state = shown(defining(["axis val/*": "epoch"]))
    let charts = view(state).text()
    #expect(charts.contains(" over epoch ") && !charts.contains("hidden by"))
    state.choose(state.wall.tiles.first { $0.title == "val/acc" })
    press(&state, .enter)
    #expect(view(state).text().contains("epoch 9"))
    press(&state, .character("a"))
    #expect(state.viewport.axis == .step && !view(state).text().contains("epoch 9"))
    for _ in 0..<5 { press(&state, .character("a")) }
    #expect(state.viewport.axis == nil && view(state).text().contains("epoch 9"))
  }

  @Test func `a named pane has the axis of what it shows first`() {
    let state = shown(defining(["axis loss": "epoch", "axis val/*": "_runtime"]))
    #expect(state.context(for: .loss).axis == .metric("epoch"))
    #expect(state.context(for: .gradients).axis == .step)
    #expect(state.context(for: .pinned("val/*")).axis == .time)
  }

  @Test func `what does not grow is no axis`() {
    let state = shown(defining(["axis val/*": "loss", "axis loss": "never logged"]))
    #expect(state.definedAxes.isEmpty && state.context(for: .loss).axis == .step)
    #expect(!view(state).text().contains(" over "))
  }

  @Test func `what a run hides has no chart until it is looked for`() {
    var state = shown(defining(["hidden val/*": "yes", "summary loss": "min,max"]))
    #expect(state.wall.tiles.flatMap(\.metrics) == ["loss", "epoch"])
    #expect(view(state).text().contains("4 metrics · 2 charts · 2 hidden by the run"))
    #expect(view(state).text().contains(" min 1.00 · max 40.0 "))
    state.viewport.filter = "val"
    state.refreshWall()
    #expect(state.wall.tiles.map(\.title) == ["val/acc", "val/top1"])
  }

  @Test func `a run that has panes for what it logs keeps them`() {
    let names = ["loss", "lr", "grad_norm", "tokens_per_s", "accuracy"]
    let state = shown(logged(names))
    #expect(!state.isWallWhole && state.layout.panes[.loss] != nil)
    #expect(state.layout.panes[.wall] != nil && state.layout.panes[.attentionLogits] == nil)
    var other = state
    press(&other, .character("2"))
    #expect(other.toast?.text == "attention logits: this run logs nothing of it")
  }

  @Test func `a run of Seismo's own keeps its panes while their metrics are still to come`() {
    var history = RunHistory()
    let model = RunDescription.Model(
      preset: nil, width: 64, layers: 4, heads: 2, context: 64, batch: 16, experts: 0,
      parameters: 229_000)
    history.append(.description(RunDescription(name: "own", created: 0, model: model)))
    history.append(.samples(StepSamples(step: 0, wallTime: 0, names: ["loss"], values: [4])))
    var state = UpdateTests.live(history: history)
    #expect(state.silentPanes.isEmpty && state.layout.panes[.attentionLogits] != nil)
    for _ in 0..<3 { press(&state, .character("p")) }
    #expect(state.arrangement.preset == .wall && state.isWallWhole)
  }
}
