package import Screen
import Signals

extension SweepState {
  /// Answers a key.
  package mutating func press(_ key: Key) -> [SweepEffect] {
    if let question { return answer(key, to: question) }
    if let movement = SweepMovement(key) {
      chosen = movement.next(from: chosen, in: self)
      return []
    }
    switch key {
    case .enter: return open()
    case .character("K"): return askToEnd()
    case .character("A"): return addRate()
    case .character("F"): return showForecast()
    case .character("v"): isBySize.toggle()
    case .character("w"): return [.writeScreen]
    case .character("?"): question = .help
    case .character("q"), .control("c"):
      guard isRunning else { return [.quit(.leave)] }
      question = .quit
    case .escape: break
    default:
      say("no action on '\(key.words)': ? lists the keys", .faint, seconds: 2)
    }
    return []
  }

  private mutating func open() -> [SweepEffect] {
    guard let cell = chosenCell else { return [] }
    guard cell.state != .waiting else {
      say("cell \(cell.number) has not begun", .warning)
      return [.bell]
    }
    return [.open(cell: cell.number)]
  }

  private mutating func showForecast() -> [SweepEffect] {
    guard forecast != nil else {
      say("a forecast needs cells of two sizes that have ended", .warning)
      return [.bell]
    }
    question = .forecast
    return []
  }

  private mutating func askToEnd() -> [SweepEffect] {
    guard let cell = chosenCell, cell.state == .running else {
      say("only a cell that runs can be ended", .warning)
      return [.bell]
    }
    question = .endCell(cell.number)
    return []
  }

  /// Between the chosen cell's rate and the next one.
  private mutating func addRate() -> [SweepEffect] {
    guard let cell = chosenCell, jobs > 0 else {
      say("this process runs no cells: 'seismo sweep' on the folder does", .warning)
      return [.bell]
    }
    let rates = Set(cells.filter { $0.group == cell.group }.map(\.rate)).sorted()
    guard let next = rates.first(where: { $0 > cell.rate }) else {
      say("no rate lies above \(SweepPanel.rateText(cell.rate)): choose a lower one", .warning)
      return [.bell]
    }
    return [.add(rate: (cell.rate * next).squareRoot())]
  }

  private mutating func answer(_ key: Key, to asked: SweepQuestion) -> [SweepEffect] {
    switch (asked, key) {
    case (.help, _), (.forecast, _), (_, .escape), (_, .character("n")):
      question = nil
      return []
    case (.endCell(let number), .enter), (.endCell(let number), .character("y")):
      question = nil
      return [.end(cell: number)]
    case (.quit, .enter), (.quit, .character("s")):
      question = nil
      return [.quit(.stop)]
    case (.quit, .character("d")):
      question = nil
      return [.quit(.detach)]
    default: return []
    }
  }

  /// Chooses what is pointed at; once more opens it.
  package mutating func point(_ event: MouseEvent) -> [SweepEffect] {
    guard event.kind == .pressed, event.button == .left, question == nil,
      let place = SweepField(self, in: SweepLayout(self).cells).cell(at: event.point)
    else { return [] }
    guard place == chosen else {
      chosen = place
      return []
    }
    return open()
  }

  /// A passing word fades.
  package mutating func tick(_ now: Double) {
    self.now = now
    if let toast, toast.until <= now { self.toast = nil }
  }
}

/// A move over the field of cells.
private enum SweepMovement {
  case columns(Int)
  case rows(Int)
  case first, last

  init?(_ key: Key) {
    switch key {
    case .left, .character("h"): self = .columns(-1)
    case .right, .character("l"): self = .columns(1)
    case .up, .character("k"): self = .rows(-1)
    case .down, .character("j"): self = .rows(1)
    case .home, .character("g"): self = .first
    case .end, .character("G"): self = .last
    default: return nil
    }
  }

  func next(from place: Int, in state: SweepState) -> Int {
    let field = SweepField(state, in: .empty)
    switch self {
    case .first: return field.places.flatMap(\.self).compactMap(\.self).first ?? place
    case .last: return field.places.flatMap(\.self).compactMap(\.self).last ?? place
    case .columns(let step): return field.neighbour(of: place, columns: step, rows: 0) ?? place
    case .rows(let step): return field.neighbour(of: place, columns: 0, rows: step) ?? place
    }
  }
}
