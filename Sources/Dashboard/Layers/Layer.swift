import Screen

/// Something in front of the panes that takes the keys first.
package enum Layer: Sendable, Hashable {
  case help(Help)
  case palette(CommandPalette)
  case prompt(Prompt)
  case mitigations(MitigationsMenu)
  case quit(QuitDialog)
  case themes(ThemePicker)
  case rewind(RewindPicker)
  case runs(RunPicker)
  case browser(RunBrowser)
  case browserHelp(BrowserHelp)
  case confirmation(Confirmation)
}

extension Layer {
  /// Whether it takes the whole screen.
  var isScreen: Bool {
    if case .browser = self { return true }
    return false
  }
}

/// What a layer makes of a key.
struct LayerAnswer {
  /// Not consumed: the key goes on to what lies behind.
  var isConsumed = true
  var closes = false
  /// Done in order once the layer is closed or put back.
  var deeds: [Deed] = []

  static let consumed = LayerAnswer()
  static let ignored = LayerAnswer(isConsumed: false)
  static let closed = LayerAnswer(closes: true)

  static func closed(_ deeds: Deed...) -> LayerAnswer { LayerAnswer(closes: true, deeds: deeds) }
  static func stays(_ deeds: Deed...) -> LayerAnswer { LayerAnswer(deeds: deeds) }
}

/// A change of the state, with what the shell has to do for it.
typealias Deed = @Sendable (inout DashboardState) -> [Effect]

extension Layer {
  mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    switch self {
    case .help(var layer): take(layer.handle(key, in: state), .help(layer))
    case .palette(var layer): take(layer.handle(key, in: state), .palette(layer))
    case .prompt(var layer): take(layer.handle(key, in: state), .prompt(layer))
    case .mitigations(var layer): take(layer.handle(key, in: state), .mitigations(layer))
    case .quit(var layer): take(layer.handle(key), .quit(layer))
    case .themes(var layer): take(layer.handle(key, in: state), .themes(layer))
    case .rewind(var layer): take(layer.handle(key, in: state), .rewind(layer))
    case .runs(var layer): take(layer.handle(key, in: state), .runs(layer))
    case .browser(var layer): take(layer.handle(key, in: state), .browser(layer))
    case .browserHelp(var layer): take(layer.handle(key), .browserHelp(layer))
    case .confirmation(let layer): layer.handle(key)
    }
  }

  private mutating func take(_ answer: LayerAnswer, _ layer: Layer) -> LayerAnswer {
    self = layer
    return answer
  }

  /// A click on an entry of the list: it goes there, or, where it is already, takes it.
  mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    guard index != chosenIndex else { return handle(.enter, in: state) }
    return switch self {
    case .help(var layer): take(layer.choose(index), .help(layer))
    case .palette(var layer): take(layer.choose(index, in: state), .palette(layer))
    case .mitigations(var layer): take(layer.choose(index), .mitigations(layer))
    case .quit(var layer): take(layer.choose(index), .quit(layer))
    case .themes(var layer): take(layer.choose(index, in: state), .themes(layer))
    case .rewind(var layer): take(layer.choose(index), .rewind(layer))
    case .runs(var layer): take(layer.choose(index), .runs(layer))
    case .browser(var layer): take(layer.choose(index, in: state), .browser(layer))
    case .browserHelp(var layer): take(layer.choose(index), .browserHelp(layer))
    case .prompt, .confirmation: .consumed
    }
  }

  private var chosenIndex: Int? {
    switch self {
    case .help(let layer): layer.list.index
    case .palette(let layer): layer.chosenIndex
    case .mitigations(let layer): layer.list.index
    case .quit(let layer): layer.list.index
    case .themes(let layer): layer.list.index
    case .rewind(let layer): layer.list.index
    case .runs(let layer): layer.list.index
    case .browserHelp(let layer): layer.list.index
    // The list of runs knows itself: what is chosen there moves.
    case .prompt, .confirmation, .browser: nil
    }
  }

  /// Gives the box that was drawn; a prompt and a question have none.
  @discardableResult
  func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    switch self {
    case .help(let layer): return layer.draw(on: &grid, state)
    case .palette(let layer): return layer.draw(on: &grid, state)
    case .prompt(let layer):
      layer.draw(on: &grid, state)
      return nil
    case .confirmation(let layer):
      layer.draw(on: &grid, state)
      return nil
    case .mitigations(let layer): return layer.draw(on: &grid, state)
    case .quit(let layer): return layer.draw(on: &grid, state)
    case .themes(let layer): return layer.draw(on: &grid, state)
    case .rewind(let layer): return layer.draw(on: &grid, state)
    case .runs(let layer): return layer.draw(on: &grid, state)
    case .browser(let layer): return layer.draw(on: &grid, state)
    case .browserHelp(let layer): return layer.draw(on: &grid, state)
    }
  }
}

/// Keys and mouse wheels that go through a list.
struct ListCursor: Sendable, Hashable {
  var index = 0

  /// - Parameters: `hasText` says whether home and end are a text field's beside the list
  mutating func handle(
    _ key: Key, count: Int, page: Int = 8, hasText: Bool = false
  ) -> Bool {
    switch key {
    case .home where !hasText: index = 0
    case .end where !hasText: index = count - 1
    case .up, .control("p"): index -= 1
    case .down, .control("n"): index += 1
    case .pageUp: index -= page
    case .pageDown: index += page
    default: return false
    }
    index = min(max(0, index), max(0, count - 1))
    return true
  }

  /// The entries to show in `rows` rows so that the chosen one is among them.
  func visible(count: Int, rows: Int) -> Range<Int> {
    guard rows > 0, count > 0 else { return 0..<0 }
    let first = min(max(0, index - rows / 2), max(0, count - rows))
    return first..<min(count, first + rows)
  }
}
