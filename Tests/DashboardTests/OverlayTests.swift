import Screen
import Signals
import Telemetry
import TestSupport
import Testing

@testable import Dashboard

/// Other runs drawn over the charts.
@Suite(.timeLimit(.minutes(15))) struct OverlayTests {
  static let healthy = listed(
    "healthy", steps: 1_401, finalLoss: 1.83, state: "finished",
    options: ["lr": "0.003", "steps": "4000", "seed": "1"])
  static let collapse = listed(
    "collapse", steps: 900, finalLoss: nil, alarms: 3, state: "diverged",
    options: ["lr": "0.3", "seed": "2"])

  private static func listed(
    _ name: String, steps: Int, finalLoss: Double?, alarms: Int = 0, state: String,
    options: [String: String]
  ) -> ListedRun {
    var traits = RunTraits()
    (traits.name, traits.state, traits.alarms, traits.options) = (name, state, alarms, options)
    return ListedRun(
      path: "sessions/\(name).seismo", steps: steps, finalLoss: finalLoss, traits: traits)
  }

  static func overlaid(
    _ columns: Int = 120, _ rows: Int = 40, history: RunHistory = SampleRun.mixture
  ) -> DashboardState {
    var state = UpdateTests.live(columns, rows, history: history)
    _ = update(&state, .runLoaded(healthy, SampleRun(experts: 8, seed: 9).history))
    state.toast = nil
    return state
  }

  private func press(_ state: inout DashboardState, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&state, .keyPressed($0)) }
  }

  @Test func `a run is chosen from the list, read, drawn and taken away again`() {
    var state = UpdateTests.live()
    #expect(press(&state, .character("o")) == [.listRuns])
    _ = update(&state, .runsListed([Self.collapse, Self.healthy]))
    for key in "lr=0.003" { _ = press(&state, .character(key)) }
    #expect(press(&state, .enter) == [.loadRun(Self.healthy)])
    _ = update(&state, .runLoaded(Self.healthy, SampleRun(seed: 9).history))
    #expect(state.overlays.map(\.name) == ["healthy"])
    _ = press(&state, .character("o"))
    _ = update(&state, .runsListed([Self.collapse, Self.healthy]))
    #expect(press(&state, .enter) == [.dropRun(path: Self.healthy.path)])
    #expect(state.overlays.isEmpty)
  }

  @Test func `a run that grows is drawn on, smooth line and all, and after a rewind anew`() {
    var state = UpdateTests.live()
    let whole = SampleRun(steps: 400, seed: 9).history
    func steps(_ range: Range<Int>) -> [RunRecord] {
      range.map { step in
        .samples(
          StepSamples(
            step: step, wallTime: Double(step), names: ["loss"],
            values: [whole["loss"]?.value(at: step) ?? .nan]))
      }
    }
    func history(_ records: [RunRecord]) -> RunHistory {
      RunHistory(records)
    }
    _ = update(&state, .runLoaded(Self.healthy, history(steps(0..<300))))
    _ = update(&state, .runGrew(path: Self.healthy.path, steps(300..<400)))
    _ = update(&state, .runGrew(path: "another", steps(300..<400)))
    var other = UpdateTests.live()
    _ = update(&other, .runLoaded(Self.healthy, history(steps(0..<400))))
    #expect(state.overlays.count == 1)
    #expect(state.overlays[0].history.lastStep == 399)
    #expect(
      state.overlays[0].smoothed["loss"]?.values == other.overlays[0].smoothed["loss"]?.values)
    #expect(view(state).lines == view(other).lines)
    let again: [RunRecord] = [.generation(startingAt: 200)] + steps(200..<210)
    _ = update(&state, .runGrew(path: Self.healthy.path, again))
    #expect(state.overlays[0].history.lastStep == 209)
    #expect(state.overlays[0].smoothed["loss"]?.values.count == 210)
  }

  @Test func `a run without a step is not read on`() {
    var state = UpdateTests.live()
    let effects = update(&state, .runLoaded(Self.healthy, RunHistory()))
    #expect(effects == [.dropRun(path: Self.healthy.path)])
    #expect(state.overlays.isEmpty)
  }

  @Test func `a run that can't be read says why and can be asked for again`() {
    var state = UpdateTests.live()
    _ = press(&state, .character("o"))
    _ = update(&state, .runsListed([Self.healthy]))
    #expect(press(&state, .tab) == [.loadRun(Self.healthy)])
    #expect(press(&state, .tab).isEmpty)
    _ = update(&state, .runNotLoaded(Self.healthy, reason: "healthy.seismo: damaged"))
    #expect(state.toast?.text == "healthy.seismo: damaged")
    #expect(press(&state, .tab) == [.loadRun(Self.healthy)])
  }

  @Test func `as many runs as there are colours are drawn and no more`() {
    var state = UpdateTests.live()
    let runs = (0..<6).map { index in
      var run = Self.healthy
      run.path = "\(index)"
      return run
    }
    for run in runs { _ = update(&state, .runLoaded(run, SampleRun.rescue)) }
    #expect(Set(state.overlays.map(\.role)) == Set(Overlay.roles))
    #expect(state.overlays.count == Overlay.roles.count)
    _ = press(&state, .character("o"))
    _ = update(&state, .runsListed(runs.reversed()))
    _ = press(&state, .down, .down, .down, .down)
    #expect(press(&state, .enter) == [.bell])
  }

  @Test func `lines of another run stand in its colour under a legend, its values at the cursor`() {
    var state = Self.overlaid()
    state.viewport.cursor = 700
    let grid = view(state)
    #expect(view(Self.overlaid()).line(2).contains("━ this run   ━ healthy"))
    #expect(grid.line(2).contains("━ this run 2.1") && grid.line(2).contains("━ healthy 2."))
    let roles = Set(grid.rows.flatMap { $0.map(\.style.role) })
    #expect(roles.contains(Role.overlayFirst.rawValue))
  }

  @Test func `a run with other batches lies at its own tokens and seconds`() throws {
    let own = PaneScreen(history: SampleRun.rescue)
    var history = RunHistory()
    var description = try #require(SampleRun.rescue.description)
    description.model?.batch = 32
    history.append(.description(description))
    for step in 0..<100 {
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: 50 + Double(step) * SampleRun.secondsPerStep * 4,
            names: [MetricCatalog.loss], values: [Double(step)])))
    }
    let overlay = Overlay(name: "wide", path: "", history: history, role: .overlayFirst)
    func value(_ axis: AxisKind) -> Double? {
      var context = own.context(.loss)
      context.axis = axis
      return overlay.line(MetricCatalog.loss, context)?.value(at: 40)
    }
    #expect(value(.step) == 40)
    #expect(value(.tokens) == 20)
    #expect(value(.time) == 10)
    // That run was long over when this one began.
    #expect(value(.clock) == nil)
  }

  @Test(arguments: [
    ("cfg.lr>=0.1", ["collapse"]), ("cfg.lr<0.1", ["healthy"]), ("-has:alarms", ["healthy"]),
    ("state:diverged | cfg.seed=1", ["collapse", "healthy"]), ("lr=0.003", ["healthy"]),
    ("cfg.absent=1", []), ("HEALTHY", ["healthy"]), ("heal*", ["healthy"]),
  ])
  func `runs are found by words, globs and their settings`(typed: String, names: [String]) {
    var state = UpdateTests.live()
    _ = press(&state, .character("o"))
    _ = update(&state, .runsListed([Self.collapse, Self.healthy]))
    for character in typed { _ = press(&state, .character(character)) }
    let lines = view(state).lines
    for name in ["collapse", "healthy"] {
      #expect(lines.contains { $0.contains("  \(name)  ") } == names.contains(name), "\(name)")
    }
  }

  @Test func `an expression that compares nothing says so`() {
    var state = UpdateTests.live()
    _ = press(&state, .character("o"))
    _ = update(&state, .runsListed([Self.collapse, Self.healthy]))
    for character in "cfg.lr" { _ = press(&state, .character(character)) }
    #expect(
      view(state).lines.contains { $0.contains("'cfg.lr' compares nothing: write cfg.lr>=1") })
  }

  private func list(_ columns: Int, _ rows: Int, symbols: Symbols) -> CellGrid {
    var state = Self.overlaid(columns, rows)
    state.appearance.symbols = symbols
    _ = press(&state, .character("o"))
    _ = update(&state, .runsListed([Self.collapse, Self.healthy]))
    var grid = CellGrid(size: state.size)
    for layer in state.layers { layer.draw(on: &grid, state) }
    grid.adapt(to: symbols)
    return grid
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40), (200, 60)])
  func `the list of runs looks as recorded`(columns: Int, rows: Int) {
    expectScreen(list(columns, rows, symbols: .unicode), "runs", "list")
    let ascii = list(columns, rows, symbols: .ascii)
    #expect(ascii.lines.allSatisfy { $0.allSatisfy(\.isASCII) })
    expectScreen(ascii, "ascii", "runs")
  }

  @Test(arguments: [(80, 24), (120, 40)])
  func `an overlaid run looks as recorded`(columns: Int, rows: Int) {
    expectScreen(view(Self.overlaid(columns, rows)), "whole", "overlay")
  }

  @Test func `the steps of an older generation stay in sight, faint`() {
    var history = SampleRun(experts: 8, steps: 900).history
    history.append(.generation(startingAt: 500))
    for record in SampleRun(experts: 8, steps: 901, seed: 3).records {
      guard case .samples(var samples) = record, samples.step >= 500 else { continue }
      samples.values = samples.values.map { $0 * 0.5 }
      history.append(.samples(samples))
    }
    let screen = PaneScreen(history: history)
    let charts: Set<PaneID> = [
      .loss, .attentionLogits, .learningRate, .experts, .gradients, .throughput, .activations,
      .outputs, .wall,
    ]
    for pane in PaneCatalog.panes where charts.contains(pane.id) {
      let roles = screen.grid(pane, columns: 90, rows: 20).rows.flatMap { row in
        row.filter { (0x2800...0x28FF).contains($0.scalar) }.map(\.style.role)
      }
      #expect(roles.contains(Role.track.rawValue), "\(pane.id)")
    }
  }

  @Test func `the cursor reads every run's exact value on every chart, small ones too`() {
    var own = PaneScreen(history: SampleRun.mixture)
    let other = SampleRun(experts: 8, seed: 9).history
    own.change = {
      $0.cursorStep = 700
      $0.smoothing = nil
      $0.overlays = [
        Overlay(name: "healthy", path: "", history: other, role: .overlayFirst)
      ]
    }
    let charts: [(PaneID, MetricName)] = [
      (.loss, MetricCatalog.loss), (.attentionLogits, MetricCatalog.attentionLogitMax),
      (.learningRate, MetricCatalog.learningRate), (.gradients, MetricCatalog.gradNorm),
      (.experts, MetricCatalog.expertLoadCV(layer: 2)), (.outputs, MetricCatalog.logZ),
      (.throughput, MetricCatalog.tokensPerSecond),
      (.activations, MetricCatalog.activationRMS(layer: 3)),
    ]
    let formats: [PaneID: (Double) -> String] = [
      .loss: { NumberText.compact($0, digits: 4) }, .attentionLogits: { NumberText.grouped($0) },
      .learningRate: { NumberText.compact($0) }, .gradients: { NumberText.compact($0, digits: 2) },
      .experts: { NumberText.compact($0, digits: 2) }, .outputs: { NumberText.signed($0) },
      .throughput: { NumberText.grouped($0) }, .activations: { NumberText.compact($0) },
    ]
    for (id, metric) in charts {
      guard let pane = PaneCatalog.pane(id), let value = other[metric]?.value(atOrBefore: 700)
      else { continue }
      let words = formats[id]?(value) ?? ""
      for (columns, rows) in [(112, 32), (70, 14), (56, 12)] {
        let text = own.grid(pane, columns: columns, rows: rows).text()
        #expect(text.contains(words), "\(id) \(words) \(columns)x\(rows)\n\(text)")
      }
    }
  }
}
