import Dashboard
import Foundation
import Screen
import Signals
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SweepScreenTests {
  private static let rates = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3]

  /// Three sizes with and without a mitigation, one seed of each rate short of the end.
  private static func state(_ size: Size, done: Int = .max) -> SweepState {
    var state = SweepState(name: "rates", size: size)
    state.jobs = 2
    state.isRunning = done != .max
    state.remainingSeconds = 160
    var outcomes: [[RateCurve.Outcome]] = []
    for (group, (parameters, isCured)) in [
      (25_000, false), (98_000, false), (393_000, false), (25_000, true), (98_000, true),
      (393_000, true),
    ].enumerated() {
      outcomes.append([])
      for (index, rate) in rates.enumerated() {
        for seed in 1...2 {
          let number = state.cells.count + 1
          var cell = ShownCell(
            number: number, words: "lr \(rate), seed \(seed)", group: group, rate: rate,
            seed: "\(seed)", totalSteps: 500)
          let bowl = pow(Double(index) - 3, 2) * 0.09
          let loss =
            2.4 - 0.2 * log10(Double(parameters) / 25_000) + bowl + 0.02 * Double(seed)
            + (isCured || index < 5 ? 0 : Double(parameters) / 2e5)
          let isLost = loss > 4.3
          cell.steps = 500
          cell.loss = isLost ? nil : loss
          cell.state = isLost ? .diverged : .finished
          if number > done {
            (cell.state, cell.loss, cell.steps) = (.waiting, nil, 0)
          } else if number == done {
            (cell.state, cell.loss, cell.steps, cell.logits) = (.running, 3.1, 240, 14)
          } else {
            outcomes[group].append(.init(rate: rate, loss: isLost ? .nan : loss, initialLoss: 6))
          }
          state.cells.append(cell)
        }
      }
      state.groups.append(
        ShownGroup(
          parameters: parameters, mitigation: isCured ? "qk-layernorm" : "plain",
          size: "width \(parameters)", curve: RateCurve(outcomes[group])))
    }
    return state
  }

  @Test(arguments: [(80, 24), (120, 40), (160, 50), (200, 60)])
  func `a sweep at its end`(columns: Int, rows: Int) {
    let state = Self.state(Size(columns: columns, rows: rows))
    expectScreen(view(state), "Sweep", "end")
  }

  @Test func `losses that differ by a thousandth lie at one height`() {
    var state = Self.state(Size(columns: 80, rows: 24))
    let curve = RateCurve([
      .init(rate: 3e-4, loss: 3.290, initialLoss: 6), .init(rate: 0.3, loss: 3.291, initialLoss: 6),
    ])
    state.groups = [ShownGroup(parameters: 1000, mitigation: "plain", size: "", curve: curve)]
    state.cells = state.cells.filter { $0.group == 0 }
    let rows = view(state).lines.prefix(14).enumerated().filter {
      $0.element.contains("•") || $0.element.contains("◆")
    }
    #expect((1...2).contains(rows.count))
    #expect((rows.last?.offset ?? 99) - (rows.first?.offset ?? 0) <= 1)
  }

  @Test func `a sweep that runs, and one without colours`() {
    expectScreen(view(Self.state(Size(columns: 120, rows: 40), done: 45)), "Sweep", "runs")
    var state = Self.state(Size(columns: 100, rows: 30))
    state.appearance = Appearance(theme: .dark, depth: .none, symbols: .ascii)
    expectScreen(view(state), "Sweep", "ascii")
  }

  @Test func `no size traps, with cells or without`() {
    for columns in [0, 1, 5, 19, 39, 60] {
      for rows in [0, 1, 2, 4, 7, 11, 15] {
        let size = Size(columns: columns, rows: rows)
        #expect(view(Self.state(size)).size == size)
        #expect(view(SweepState(name: "empty", size: size)).size == size)
      }
    }
  }

  @Test func `arrows go from cell to cell, enter opens, what changes something asks`() {
    var state = Self.state(Size(columns: 120, rows: 40), done: 3)
    let moved = state.press(.right)
    #expect(moved.isEmpty && state.chosen == 1)
    _ = state.press(.down)
    #expect(state.chosen == 15)
    let unopened = state.press(.enter)
    #expect(unopened == [.bell])
    _ = state.press(.up)
    let opened = state.press(.enter)
    #expect(opened == [.open(cell: 2)])
    let ended = state.press(.character("K"))
    #expect(ended == [.bell])
    _ = state.press(.right)
    let answers = [Key.character("K"), .escape, .character("K"), .enter].map { state.press($0) }
    #expect(answers == [[], [], [], [.end(cell: 3)]])
    let added = state.press(.character("A"))
    #expect(added == [.add(rate: (1e-3 * 3e-3).squareRoot())])
    _ = state.press(.character("G"))
    #expect(state.chosen == state.cells.count - 1)
    let beyond = state.press(.character("A"))
    #expect(beyond == [.bell])
    let left = [Key.character("q"), .character("d")].map { state.press($0) }
    #expect(left == [[], [.quit(.detach)]])
    state.isRunning = false
    let gone = [Key.character("q"), .character("w")].map { state.press($0) }
    #expect(gone == [[.quit(.leave)], [.writeScreen]])
  }

  @Test func `a click chooses a cell, and opens it where it is chosen`() {
    var state = Self.state(Size(columns: 120, rows: 40))
    let grid = view(state)
    let row = grid.lines.firstIndex { $0.contains(" cells ") && $0.contains("done") }
    let place = Point(column: 30, row: (row ?? 0) + 2)
    let click = MouseEvent(kind: .pressed, button: .left, point: place)
    let first = state.point(click)
    let chosen = state.chosen
    #expect(first.isEmpty && chosen != 0)
    let second = state.point(click)
    #expect(second == [.open(cell: chosen + 1)])
  }

  @Test func `charts by size hold the mitigations of each`() {
    var state = Self.state(Size(columns: 160, rows: 50))
    _ = state.press(.character("v"))
    let text = view(state).lines.joined(separator: "\n")
    #expect(text.contains("held-out loss, 25.0k") && text.contains("held-out loss, 393k"))
  }

  /// A quadratic over three sizes at each rate, without the mitigation and with it.
  private static let forecast = ShownForecast(
    metric: "attention_logit_max", limit: 1e4,
    panels: [("plain", 1.0), ("qk-layernorm", 0.0)].map { title, growth in
      ShownForecast.Panel(
        title: title,
        curves: rates.enumerated().map { index, rate in
          func value(_ size: Double) -> Double {
            10 + growth * pow(size / 1e4, 0.2 * Double(index))
          }
          return ShownForecast.Curve(
            rate: rate,
            points: [25e3, 98e3, 393e3].map {
              ShownForecast.Point(
                parameters: $0, value: value($0), range: value($0) * 0.8...value($0) * 1.25)
            },
            fit: (0...30).map {
              let size = 25e3 * pow(400, Double($0) / 30)
              return (size, value(size))
            }, limitParameters: growth > 0 && index > 4 ? 2e7 / Double(index) : nil)
        })
    }, lines: ["attention_logit_max over parameters", "rate  cells of", "0.3  plain"])

  @Test func `a forecast lies over the sweep until a key is pressed`() {
    var state = Self.state(Size(columns: 120, rows: 40))
    #expect(state.press(.character("F")) == [.bell])
    state.forecast = Self.forecast
    #expect(state.press(.character("F")).isEmpty)
    let lines = view(state).lines
    #expect(lines.contains { $0.contains("attention_logit_max, plain") })
    #expect(lines.contains { $0.contains("0.3 passes 1e4 at") })
    #expect(lines.contains { $0.contains("╌") } && lines.contains { $0.contains("▲") })
    #expect(!lines.contains { $0.contains("sensitivity") })
    _ = state.press(.escape)
    #expect(view(state).lines.contains { $0.contains("sensitivity") })
  }

  @Test func `a forecast's picture has its table, and no size traps`() {
    let whole = view(
      Self.forecast, name: "s", size: Size(columns: 120, rows: 30), appearance: Appearance())
    #expect(whole.lines.contains { $0.contains("0.3  plain") })
    #expect(whole.lines.contains { $0.contains("attention_logit_max, qk-layernorm") })
    for columns in [0, 1, 5, 23, 43, 60, 130] {
      for rows in [0, 1, 2, 4, 7, 11, 15] {
        let size = Size(columns: columns, rows: rows)
        let grid = view(Self.forecast, name: "s", size: size, appearance: Appearance())
        #expect(grid.size == size)
        var state = Self.state(size)
        state.forecast = Self.forecast
        _ = state.press(.character("F"))
        #expect(view(state).size == size)
      }
    }
    let empty = ShownForecast(metric: "m", limit: nil, panels: [], lines: [])
    let size = Size(columns: 80, rows: 24)
    #expect(view(empty, name: "s", size: size, appearance: Appearance()).size == size)
  }
}
