import Dashboard
import Screen
import Testing

@Suite(.timeLimit(.minutes(15))) struct LayoutTests {
  static let arrangements: [Arrangement] =
    LayoutPreset.allCases.map { Arrangement(preset: $0) } + [
      Arrangement(zoomed: .attentionLogits, focus: .attentionLogits),
      Arrangement(promoted: [.events, .console, .run]),
      Arrangement(hidden: [.loss, .attentionLogits, .learningRate, .experts, .gradients]),
      Arrangement(hidden: [.events]),
      Arrangement(promoted: PaneID.allCases),
      Arrangement(pins: ["loss", "grad_rms/*", "lr,lr/multiplier"].map(PaneID.pinned)),
    ]

  /// The widths at which the arrangement changes, and every seventh of the others.
  private static func isTried(_ columns: Int) -> Bool {
    columns % 7 == 1 || [20, 40, 63, 64, 80, 99, 100, 149, 150, 220].contains(columns)
  }

  private func layouts(
    columns: ClosedRange<Int>, rows: ClosedRange<Int>, _ check: (Layout, Size) -> Void
  ) {
    for arrangement in Self.arrangements {
      for isMixture in [false, true] {
        for hasBanner in [false, true] {
          for columns in columns where Self.isTried(columns) {
            for rows in rows where rows < 45 || rows % 4 == 2 {
              let size = Size(columns: columns, rows: rows)
              let layout = Layout(
                size: size, arrangement: arrangement, isMixture: isMixture, hasBanner: hasBanner)
              check(layout, size)
            }
          }
        }
      }
    }
  }

  private func parts(of layout: Layout) -> [Rect] {
    [layout.header, layout.banner, layout.bottomBar] + layout.panes.values
  }

  @Test func `from 1x1 to 220x70 nothing overlaps and nothing lies outside`() {
    var faults: [String] = []
    layouts(columns: 1...220, rows: 1...70) { layout, size in
      let parts = parts(of: layout)
      let area = parts.reduce(0) { $0 + $1.columns * $1.rows }
      let isInside = parts.allSatisfy { Rect(size).contains($0) }
      // Parts inside the screen whose areas add up to no more than it, and do not meet, are apart.
      let meets = parts.indices.contains { a in
        parts.indices.contains { b in a < b && parts[a].intersects(parts[b]) }
      }
      if !isInside || meets || area > size.columns * size.rows { faults.append("\(size)") }
    }
    #expect(faults.first == nil)
  }

  @Test func `from 40x12 no pane is empty and every row is used`() {
    var faults: [String] = []
    layouts(columns: 40...220, rows: 12...70) { layout, size in
      let area = parts(of: layout).reduce(0) { $0 + $1.columns * $1.rows }
      let hasEmpty = layout.panes.isEmpty || layout.panes.values.contains { $0.isEmpty }
      if hasEmpty || area != size.columns * size.rows { faults.append("\(size)") }
    }
    #expect(faults.first == nil)
  }

  @Test func `a bordered pane has room for something within its border from 40x12`() {
    var faults: [String] = []
    layouts(columns: 40...220, rows: 12...70) { layout, size in
      for (pane, rect) in layout.panes where !(pane == .events && layout.hasEventLine) {
        if rect.rows < 4 || rect.columns < 20 { faults.append("\(pane) \(rect) at \(size)") }
      }
    }
    #expect(faults.first == nil)
  }

  @Test func `0x0 and one row or column leave panes out`() {
    for size in [(0, 0), (0, 9), (9, 0), (200, 1), (1, 60), (19, 60), (200, 4)] {
      let layout = Layout(
        size: Size(columns: size.0, rows: size.1), arrangement: Arrangement(), isMixture: false)
      #expect(layout.panes.isEmpty)
    }
  }

  @Test(arguments: [
    (80, 24, [PaneID.attentionLogits, .events, .experts, .loss]),
    (120, 40, [.attentionLogits, .events, .experts, .learningRate, .loss]),
    (
      200, 60,
      [.attentionLogits, .events, .experts, .gradients, .learningRate, .loss, .throughput]
    ),
    (40, 12, [.attentionLogits, .loss]),
  ])
  func `a mixture shows its signals in the order of their worth`(
    columns: Int, rows: Int, expected: [PaneID]
  ) {
    let layout = Layout(
      size: Size(columns: columns, rows: rows), arrangement: Arrangement(), isMixture: true)
    #expect(layout.panes.keys.sorted { $0.rawValue < $1.rawValue } == expected)
  }

  @Test func `a dense model gives the experts' room to gradients, and no digit`() throws {
    let size = Size(columns: 120, rows: 40)
    let dense = Layout(size: size, arrangement: Arrangement(), isMixture: false)
    let mixture = Layout(size: size, arrangement: Arrangement(), isMixture: true)
    #expect(dense.panes[.gradients] == mixture.panes[.experts])
    #expect((1...9).map { PaneID.pane(digit: $0)?.digit } == Array(1...9))
    #expect(PaneID.pane(digit: 4) == .experts && PaneID.pane(digit: 7) == .gradients)
  }

  private func state(_ columns: Int, _ rows: Int, isMixture: Bool) -> DashboardState {
    UpdateTests.live(
      columns, rows, history: isMixture ? SampleRun.mixture : SampleRun.rescue)
  }

  private func press(_ state: inout DashboardState, _ character: Character) {
    _ = update(&state, .keyPressed(.character(character)))
  }

  @Test(arguments: [true, false])
  func `a digit means one pane whatever the model`(isMixture: Bool) {
    for digit in 1...9 {
      guard let pane = PaneID.pane(digit: digit) else { continue }
      var state = state(80, 24, isMixture: isMixture)
      let before = state.layout.panes[pane] != nil
      press(&state, Character("\(digit)"))
      guard isMixture || pane != .experts else {
        #expect(state.toast?.text == "pane expert load: this model has no experts")
        continue
      }
      #expect((state.layout.panes[pane] != nil) != before, "\(digit)")
    }
  }

  @Test func `a pane that comes says which one gave way`() {
    var state = state(80, 24, isMixture: false)
    press(&state, "6")
    #expect(state.toast?.text == "throughput shown; learning rate gave way")
    press(&state, "6")
    #expect(state.toast?.text == "throughput hidden; learning rate in its place")
  }

  @Test func `a layout names the panes that have room, and how many have not`() {
    for (columns, rows) in [(40, 12), (80, 24), (120, 40), (200, 60)] {
      for isMixture in [true, false] {
        var state = state(columns, rows, isMixture: isMixture)
        for _ in LayoutPreset.allCases {
          press(&state, "p")
          let text = state.toast?.text ?? ""
          for pane in PaneID.allCases where text.contains(pane.title) {
            #expect(state.layout.panes[pane] != nil, "\(text) at \(columns)x\(rows)")
          }
          let wanted = state.arrangement.ranked(isMixture: isMixture).count
          let missing = wanted - state.layout.panes.count
          #expect(
            text.hasSuffix("\(missing) more \(missing == 1 ? "has" : "have") no room here")
              == (missing > 0))
        }
      }
    }
  }

  @Test func `80x24 has the loss over the full width, a pair below and a line of events`() throws {
    let layout = Layout(
      size: Size(columns: 80, rows: 24), arrangement: Arrangement(), isMixture: false)
    let loss = try #require(layout.panes[.loss])
    let logits = try #require(layout.panes[.attentionLogits])
    let rate = try #require(layout.panes[.learningRate])
    #expect(loss.columns == 80)
    #expect(logits.row == rate.row && logits.row == loss.endRow)
    #expect(logits.columns == 40 && rate.columns == 40)
    #expect(layout.hasEventLine && layout.panes[.events]?.rows == 1)
  }

  @Test func `a zoomed pane has all the room between the bars`() {
    let layout = Layout(
      size: Size(columns: 80, rows: 24), arrangement: Arrangement(zoomed: .events),
      isMixture: false)
    #expect(layout.panes == [.events: Rect(column: 0, row: 1, columns: 80, rows: 22)])
  }

  @Test func `a pane asked for by hand comes in at 80x24 and another makes room`() {
    var arrangement = Arrangement()
    arrangement.show(.throughput)
    let layout = Layout(
      size: Size(columns: 80, rows: 24), arrangement: arrangement, isMixture: false)
    #expect(layout.panes[.throughput] != nil)
    #expect(layout.panes[.loss] != nil)
  }
}
