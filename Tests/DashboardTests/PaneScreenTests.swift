import Foundation
import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct PaneScreenTests {
  static let sizes = [
    Size(columns: 36, rows: 4), Size(columns: 56, rows: 14), Size(columns: 112, rows: 32),
  ]

  @Test(arguments: PaneCatalog.panes.map(\.id), sizes)
  func `panes look as recorded`(id: PaneID, size: Size) throws {
    let pane = try #require(PaneCatalog.pane(id))
    let grid = PaneScreen.mixture.grid(pane, columns: size.columns, rows: size.rows)
    expectScreen(grid, "panes", id.rawValue)
  }

  @Test(arguments: PaneCatalog.panes.map(\.id))
  func `panes without braille and colour look as recorded`(id: PaneID) throws {
    let pane = try #require(PaneCatalog.pane(id))
    var screen = PaneScreen.mixture
    screen.change = {
      $0.theme = $0.theme.adapted(to: .none)
      $0.symbols = .ascii
    }
    let grid = screen.grid(pane, columns: 56, rows: 14)
    #expect(grid.lines.allSatisfy { $0.allSatisfy(\.isASCII) })
    expectScreen(grid, "panes", "\(id.rawValue)-ascii")
  }

  @Test func `a run that diverges looks as recorded`() {
    let screen = PaneScreen(history: SampleRun(divergesAt: 1_300, spikesAt: 500).history)
    expectScreen(screen.grid(LossPane.pane, columns: 70, rows: 16), "panes", "loss-diverged")
  }

  @Test func `a teacher's loss is a line beside the run's own`() {
    let records = SampleRun().records.map { record -> RunRecord in
      guard case .samples(var samples) = record else { return record }
      samples.names.append(MetricCatalog.teacherLoss)
      samples.values.append(2.4 + 0.1 * sin(Double(samples.step)))
      return .samples(samples)
    }
    var history = RunHistory()
    history.append(contentsOf: records)
    let screen = PaneScreen(history: history)
    #expect(screen.headline(LossPane.pane).contains(" · teacher 2."))
    #expect(!PaneScreen().headline(LossPane.pane).contains("teacher"))
    expectScreen(screen.grid(LossPane.pane, columns: 70, rows: 16), "panes", "loss-teacher")
  }

  @Test func `the cursor on every chart looks as recorded`() {
    var screen = PaneScreen()
    screen.change = { $0.cursorStep = 1_043 }
    for pane in [LossPane.pane, AttentionLogitsPane.pane, GradientsPane.pane] {
      expectScreen(
        screen.grid(pane, columns: 70, rows: 16), "panes", "\(pane.id.rawValue)-cursor")
    }
  }

  @Test func `a threshold of one's own moves the guide, the colour and the words`() throws {
    var description = try #require(SampleRun.rescue.description)
    description.options["alarms.attention-logits-high"] = "15"
    description.options["alarms.attention-logits-diverging"] = "250"
    var screen = PaneScreen()
    screen.history.append(.description(description))
    let lines = screen.grid(AttentionLogitsPane.pane, columns: 70, rows: 16).lines.joined()
    #expect(lines.contains("15 alarm") && lines.contains("250 alarm"))
    #expect(!lines.contains("suffers") && !lines.contains("diverges"))
    #expect(screen.headline(AttentionLogitsPane.pane).contains("above 15"))
    #expect(PaneScreen().headline(AttentionLogitsPane.pane).contains("below 100"))
  }

  @Test func `an expert is dead where the run's own alarm says so`() throws {
    func dead(_ screen: PaneScreen) -> Int {
      LayerLoad.all(screen.context(.experts)).reduce(0) { $0 + $1.dead.count }
    }
    var description = try #require(SampleRun.mixture.description)
    description.options["alarms.dead-expert"] = "0.9"
    var screen = PaneScreen.mixture
    screen.history.append(.description(description))
    #expect(dead(screen) > dead(.mixture))
  }

  @Test func `where there is little room the probe's best and cliff stay`() {
    let state = UpdateTests.live(80, 24)
    let row = view(state).lines.first { $0.contains("³") } ?? ""
    #expect(row.contains("best ×1 · cliff ×4"))
  }

  @Test func `an empty run says what it waits for`() {
    for pane in PaneCatalog.panes {
      let grid = PaneScreen.empty.grid(pane, columns: 40, rows: 5)
      let words = grid.lines.joined().split(separator: " ")
      #expect(words.count >= 2, "\(pane.id)")
      #expect(pane.id == .events || PaneScreen.empty.headline(pane).count < 10)
    }
  }

  @Test(arguments: [
    (PaneID.loss, "train 1.9962 · eval 1.9675 nats"),
    (.attentionLogits, "max 17.9 · rising, below 100"),
    (.learningRate, "3e-2 · ×1 · best ×1 · cliff ×4 · sensitivity 0.079 nats"),
    (.experts, "L2 E5 dead · cv 0.40"),
    (.gradients, "grad norm 0.14 · clipped 3%"),
    (.throughput, "104,871 tokens/s"),
    (.outputs, "log Z +0.44 nats · mean logit \(NumberText.minus)2.81"),
  ])
  func `headlines hold the number that matters`(id: PaneID, text: String) throws {
    let pane = try #require(PaneCatalog.pane(id))
    #expect(PaneScreen.mixture.headline(pane) == text)
  }

  static let frames = [(40, 12), (80, 24), (120, 40), (200, 60)]

  /// A run that measures all there is, with the cursor.
  private func framed(_ id: PaneID, _ columns: Int, _ rows: Int) -> DashboardState {
    var state = UpdateTests.live(columns, rows, history: SampleRun.full)
    state.arrangement.focus = id
    state.arrangement.zoomed = id
    state.viewport.cursor = 1_150
    return state
  }

  private func frame(_ id: PaneID, _ state: DashboardState) -> CellGrid {
    var grid = CellGrid(size: state.size, style: state.appearance.theme.style(.background))
    PaneFrame(id).draw(on: &grid, in: grid.bounds, state)
    grid.adapt(to: state.appearance.symbols)
    return grid
  }

  @Test(arguments: PaneCatalog.panes.map(\.id), frames)
  func `each pane on a whole screen looks as recorded`(id: PaneID, size: (Int, Int)) {
    expectScreen(frame(id, framed(id, size.0, size.1)), "zoomed", id.rawValue)
  }

  @Test(arguments: PaneCatalog.panes.map(\.id))
  func `each pane on a whole screen looks as recorded in ASCII`(id: PaneID) {
    var state = framed(id, 80, 24)
    state.appearance = Appearance(depth: .none, symbols: .ascii)
    let grid = frame(id, state)
    #expect(grid.lines.allSatisfy { $0.allSatisfy(\.isASCII) })
    expectScreen(grid, "zoomed", "\(id.rawValue)-ascii")
  }

  @Test(arguments: PaneCatalog.panes.map(\.id))
  func `each pane with its frame survives no room and one cell`(id: PaneID) {
    for (columns, rows) in [(0, 0), (1, 1), (0, 5), (5, 0), (1, 9), (9, 1), (3, 3)] {
      let grid = frame(id, framed(id, columns, rows))
      #expect(grid.size == Size(columns: columns, rows: rows))
    }
  }

  @Test func `a sharpness above what the rate can bear is amber`() {
    func span(_ sharpness: Double) -> Span? {
      var history = SampleRun(steps: 200).history
      history.append(
        .samples(
          StepSamples(
            step: 200, wallTime: 0, names: [MetricCatalog.sharpness, MetricCatalog.sharpnessLimit],
            values: [sharpness, 950])))
      return LearningRatePane.pane.headline(PaneScreen(history: history).context(.learningRate))
        .last
    }
    #expect(span(812) == Span("sharpness 812 of 950 (38/lr)", .learningRate))
    #expect(span(1_200)?.role == .warning)
  }

  @Test func `what the rate can bear is explained as the optimiser's momentum has it`() {
    for (optimizer, words) in [("sgd", "(3.8/lr)"), ("adamw", "(38/lr)"), ("muon", "(38/lr)")] {
      var history = RunHistory()
      history.append(
        .description(
          RunDescription(name: "run", created: 0, options: ["optimizer": optimizer])))
      let names = [
        MetricCatalog.learningRate, MetricCatalog.sharpness, MetricCatalog.sharpnessLimit,
      ]
      history.append(
        .samples(StepSamples(step: 0, wallTime: 0, names: names, values: [0.01, 300, 380])))
      let context = PaneScreen(history: history).context(.learningRate)
      #expect(LearningRatePane.pane.headline(context).last?.text.hasSuffix(words) == true)
      #expect(SharpnessChart.chart(context)?.title.last?.text.hasSuffix(words) == true)
    }
  }

  @Test func `growing logits are forecast in the headline`() {
    let screen = PaneScreen(playhead: 500)
    let headline = AttentionLogitsPane.pane.headline(screen.context(.attentionLogits))
    #expect(headline.map(\.text).joined().hasPrefix("max 2,578 · 1e4 in ~"))
    #expect(headline.first?.role == .warning)
  }

  @Test func `the effect of a switch stands at its mark once it is measured`() {
    func text(_ playhead: Int) -> String {
      PaneScreen(playhead: playhead).grid(AttentionLogitsPane.pane, columns: 90, rows: 16).text()
    }
    #expect(text(1_400).contains("9,278 → 12"))
    #expect(!text(1_199).contains("9,278"))
    #expect(text(1_199).contains("qk-layernorm"))
  }

  @Test func `events wrap between words where there is room`() {
    let grid = PaneScreen().grid(EventsPane.pane, columns: 44, rows: 20)
    let text = grid.lines.joined(separator: "\n")
    #expect(text.contains("of qk_layernorm: attention logits"))
    #expect(text.contains("u undoes"))
    #expect(!text.contains("…"))
  }

  @Test func `the filter leaves matching events and says how many`() {
    var screen = PaneScreen()
    screen.change = { $0.filter = "checkpoint" }
    #expect(screen.headline(EventsPane.pane) == "1 of 5 hold 'checkpoint'")
    screen.change = { $0.filter = "zebra" }
    let lines = screen.grid(EventsPane.pane, columns: 60, rows: 3).lines
    #expect(lines[1].contains("no event holds 'zebra'"))
  }

  @Test func `the probe's cliff is red and the best multiplier green`() {
    let grid = PaneScreen().grid(LearningRatePane.pane, columns: 70, rows: 12)
    let roles = Set((0..<grid.size.columns).map { grid[$0, grid.size.rows - 2].style.role })
    #expect(roles.isSuperset(of: [Role.good.rawValue, Role.trouble.rawValue]))
  }
}
