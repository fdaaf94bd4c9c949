import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// Whatever hands do, in whatever order, at whatever size: the screen stays whole.
@Suite(.timeLimit(.minutes(15))) struct FuzzTests {
  /// A few seeds, so that the run is split among the cores.
  static let seeds: [UInt64] = [11, 12, 13, 14]

  @Test(arguments: seeds)
  func `thousands of keys, clicks and sizes leave a sane screen`(seed: UInt64) {
    var random = SplitMix(state: seed)
    var state = Self.start(seed)
    var trail: [String] = []
    for count in 0..<600 {
      let action = Self.action(&random, state)
      trail = trail.suffix(40) + ["\(action)"]
      _ = update(&state, action)
      let isSmall = state.size.columns * state.size.rows < 4_000
      guard isSmall || count.isMultiple(of: 3) else { continue }
      let flaws = Self.flaws(of: view(state), size: state.size)
      guard flaws.isEmpty else {
        Issue.record("seed \(seed), action \(count): \(flaws), after \(trail)")
        return
      }
    }
  }

  private static func start(_ seed: UInt64) -> DashboardState {
    let isReplay = seed.isMultiple(of: 3)
    var state = DashboardState(
      source: RunSource(kind: isReplay ? .replay : .live, name: "rescue", path: "rescue.seismo"),
      size: Size(columns: 80, rows: 24), now: 1_000)
    state.history =
      seed.isMultiple(of: 2)
      ? SampleRun(experts: 8, steps: 401, divergesAt: 390, spikesAt: 200).history
      : SampleRun(steps: 401).history
    return state
  }

  private static func action(_ random: inout SplitMix, _ state: DashboardState) -> Action {
    switch random.below(20) {
    case 0: return .resized(size(&random))
    case 1, 2, 3: return .mouseMoved(mouse(&random, state.size))
    case 4: return .ticked(now: state.now + Double(random.below(30)) / 10)
    case 5:
      let texts = ["lr.multiplier 2", "日本語\u{7}\u{1B}[31m", "*[", ""]
      return .textPasted(texts[random.below(4)])
    case 6: return arrival(&random, state)
    default: return .keyPressed(key(&random))
    }
  }

  private static func arrival(_ random: inout SplitMix, _ state: DashboardState) -> Action {
    let next = (state.history.lastStep ?? 0) + 1
    switch random.below(9) {
    case 0: return .recordsArrived([.state(.paused)])
    case 1: return .recordsArrived([.state(.running)])
    case 2:
      let ends: [RunState] = [.finished, .diverged, .failed(reason: "disk")]
      return .recordsArrived([.state(ends[next % 3])])
    case 3: return .recordsArrived([.generation(startingAt: random.below(max(1, next)))])
    case 4: return .consoleLineCaptured("\u{1B}[2Jstray\tprint \(next)")
    case 5: return .runsListed([OverlayTests.healthy, OverlayTests.collapse])
    case 6: return .runLoaded(OverlayTests.healthy, SampleRun(steps: 101, seed: 4).history)
    case 7: return .recorderStatusChanged(random.below(2) == 0 ? nil : "no space left")
    default:
      let values: [Double] = [1.5, .nan, .infinity, -1e300, 0]
      return .recordsArrived([
        .samples(
          StepSamples(
            step: next, wallTime: SampleRun.time(of: next),
            names: [MetricCatalog.loss, MetricCatalog.attentionLogitMax, MetricCatalog.gradNorm],
            values: (0..<3).map { _ in values[random.below(values.count)] }))
      ])
    }
  }

  private static func key(_ random: inout SplitMix) -> Key {
    let special: [Key] = [
      .enter, .escape, .tab, .backtab, .backspace, .delete, .insert, .up, .down, .left, .right,
      .home, .end, .pageUp, .pageDown, .function(5), .unknown, .control("c"), .control("l"),
      .control("n"), .control("w"), .control("k"),
    ]
    let place = random.below(3 * special.count)
    if place < special.count { return special[place] }
    let letters = Array(" .cm{}uNxhjkl+-0gG[]syYa/n123456789pfwtqo?:rbé日")
    return .character(letters[random.below(letters.count)])
  }

  private static func mouse(_ random: inout SplitMix, _ size: Size) -> MouseEvent {
    let kinds: [MouseEvent.Kind] = [.pressed, .pressed, .released, .dragged, .wheelUp, .wheelDown]
    return MouseEvent(
      kind: kinds[random.below(kinds.count)], button: .left,
      point: Point(
        column: random.below(size.columns + 4) - 2, row: random.below(size.rows + 4) - 2))
  }

  private static func size(_ random: inout SplitMix) -> Size {
    let isTiny = random.below(3) == 0
    return Size(
      columns: 1 + random.below(isTiny ? 24 : 300), rows: 1 + random.below(isTiny ? 8 : 100))
  }

  /// What is wrong with a screen: its size, a control character, half a wide character.
  private static func flaws(of grid: CellGrid, size: Size) -> [String] {
    var flaws: [String] = []
    if grid.size != size { flaws.append("size \(grid.size)") }
    for (number, row) in grid.rows.enumerated() {
      if row.count != size.columns { flaws.append("row \(number) has \(row.count) cells") }
      for (column, cell) in row.enumerated() {
        let isControl =
          cell.scalar != 0 && cell.scalar < 0x20 || (0x7F..<0xA0).contains(cell.scalar)
        if isControl { flaws.append("control \(cell.scalar) at \(column), \(number)") }
        if cell.isContinuation, column == 0 { flaws.append("half a character at row \(number)") }
      }
    }
    return flaws
  }
}

/// Steele, Lea and Flood's generator: the same numbers for the same seed everywhere.
struct SplitMix {
  var state: UInt64

  mutating func below(_ limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((word ^ (word >> 31)) % UInt64(max(1, limit)))
  }
}
