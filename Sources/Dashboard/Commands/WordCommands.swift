import Foundation
import Screen
import Signals
import Telemetry

/// The palette's words that take an argument and are no command of the run: `theme light`, `850`,
/// `set lr 3e-3`.
enum WordCommands {
  /// What the words mean as they stand, and how they may go on.
  static func candidates(for typed: String, in state: DashboardState) -> [Candidate] {
    let line = Words(typed)
    switch (line.head, line.argument) {
    case ("theme", let argument?): return themes(argument, in: state)
    case ("go", let argument?) where !argument.isEmpty: return steps(argument, in: state)
    case (let head, nil) where head.first?.isNumber == true: return steps(head, in: state)
    case ("lr", let rate?): return rates(rate, in: state)
    case ("pin", let globs?): return pins(globs, in: state)
    case ("unpin", let globs?): return unpins(globs, in: state)
    case ("y", let range?): return ranges(range, in: state)
    default: return []
    }
  }

  /// Those that no key stands for, as the list has them before their argument is typed.
  static func usages(in state: DashboardState) -> [Candidate] {
    let pin = usage("pin", "GLOB", "Draw the metrics that match in a pane of their own.")
    let unpin = usage("unpin", "NAME", "Take a pinned pane away.")
    return state.arrangement.pins.isEmpty ? [pin] : [pin, unpin]
  }

  private static func usage(_ head: String, _ argument: String, _ sentence: String) -> Candidate {
    Candidate(
      kind: .incomplete, completion: "\(head) ",
      line: CommandLine(keys: "", name: "\(head) \(argument)", sentence: sentence, refusal: nil))
  }

  /// Why such words mean nothing; nil where they are others.
  static func flaw(of typed: String, in state: DashboardState) -> String? {
    let line = Words(typed)
    switch (line.head, line.argument) {
    case ("theme", let name?) where !name.isEmpty:
      let names = state.appearance.themes.map(\.name)
      guard !names.contains(name) else { return nil }
      return "no theme '\(name)': give one of \(names.joined(separator: ", "))"
    case ("go", let step?),
      (let step, nil) where step.first?.isNumber == true:
      return stepFlaw(step, in: state)
    case ("lr", let rate?): return rateFlaw(rate, in: state)
    case ("y", let range?) where !range.isEmpty: return rangeFlaw(range, in: state)
    case ("pin", let globs): return pinFlaw(globs ?? "", in: state)
    case ("unpin", let globs): return unpinFlaw(globs ?? "", in: state)
    default: return nil
    }
  }

  /// A line as a head and what stands after it; nil where nothing does, not even a space. `set` is
  /// left out before `lr`.
  private struct Words {
    let head: String
    let argument: String?

    init(_ typed: String) {
      var text = typed.drop { $0 == " " }
      if text.hasPrefix("set lr ") { text = text.dropFirst(4) }
      head = text.prefix { $0 != " " }.lowercased()
      let rest = text.dropFirst(head.count)
      argument = rest.isEmpty ? nil : rest.trimmingCharacters(in: .whitespaces)
    }
  }
}

extension WordCommands {
  private static func candidate(
    _ words: String, _ sentence: String, isTyped: Bool, _ kind: Candidate.Kind
  ) -> Candidate {
    Candidate(
      kind: kind, completion: words,
      line: CommandLine(keys: "", name: words, sentence: sentence, refusal: nil),
      isTyped: isTyped)
  }

  private static func themes(_ name: String, in state: DashboardState) -> [Candidate] {
    let fitting = state.appearance.themes.filter {
      $0.name.lowercased().hasPrefix(name.lowercased())
    }
    return fitting.map { theme in
      let isPresent = theme.name == state.appearance.theme.name
      let sentence = isPresent ? "the present theme" : theme.isDark ? "dark" : "light"
      return candidate(
        "theme \(theme.name)", sentence, isTyped: theme.name == name,
        .deeds([.look(at: theme.adapted(to: state.appearance.depth)), .keepTheme]))
    }
  }

  private static func steps(_ words: String, in state: DashboardState) -> [Candidate] {
    guard let step = try? state.step(named: words) else { return [] }
    let sentence = state.isReplay ? "show the run as it was at that step" : "put the cursor there"
    return [candidate("go \(step)", sentence, isTyped: true, .deeds([.go(toStep: step)]))]
  }

  private static func stepFlaw(_ words: String, in state: DashboardState) -> String? {
    do throws(StepFlaw) {
      _ = try state.step(named: words)
      return nil
    } catch {
      return error.description
    }
  }
}

extension WordCommands {
  /// The range of values that the focused chart shows, as typed, and the words there are.
  private static func ranges(_ words: String, in state: DashboardState) -> [Candidate] {
    let pane = state.arrangement.focus.title
    let known = [
      ("auto", "\(pane): the axis that fits"), ("all", "\(pane): spikes and the start too"),
      ("robust", "\(pane): without outliers at both ends"),
    ]
    let typed = (try? state.valueZoom(named: words)).map { zoom in
      candidate(
        "y \(words)", "\(pane): values \(zoom)", isTyped: true, .deeds([.zoom(zoom)]))
    }
    let others = known.filter { $0.0.hasPrefix(words) && $0.0 != words }.compactMap {
      word, sentence in
      (try? state.valueZoom(named: word)).map { zoom in
        candidate("y \(word)", sentence, isTyped: false, .deeds([.zoom(zoom)]))
      }
    }
    return [typed].compactMap(\.self) + others
  }

  private static func rangeFlaw(_ words: String, in state: DashboardState) -> String? {
    do throws(ValueZoom.Flaw) {
      _ = try state.valueZoom(named: words)
      return nil
    } catch {
      return error.description
    }
  }
}

extension WordCommands {
  private static let multiplier = SettingCatalog.learningRateMultiplier

  /// A rate is the schedule's, as it is now, times a factor.
  private static func factor(_ rate: String, in state: DashboardState) -> SettingValue? {
    guard let rate = Double(rate), rate >= 0, let scheduled = state.scheduledRate, scheduled > 0
    else { return nil }
    let text = String(format: "%.4g", rate / scheduled)
    return state.declaration(multiplier)?.value(words: text)
  }

  private static func rates(_ rate: String, in state: DashboardState) -> [Candidate] {
    guard let factor = factor(rate, in: state),
      let change = SettingChange(multiplier, to: factor, in: state)
    else { return [] }
    let command = Command.set(name: multiplier, value: factor)
    return [
      candidate(command.words, change.words, isTyped: true, .command(command))
    ]
  }

  private static func rateFlaw(_ words: String, in state: DashboardState) -> String? {
    guard factor(words, in: state) == nil else { return nil }
    guard let declared = state.declaration(multiplier) else {
      return "this run declares no \(multiplier)"
    }
    guard let scheduled = state.scheduledRate, scheduled > 0 else {
      return "no rate is known yet: 'set \(multiplier) FACTOR' scales the schedule's"
    }
    guard let rate = Double(words), rate >= 0 else {
      return "'\(words)' is no rate: write 'set lr 3e-3', or 'set \(multiplier) FACTOR'"
    }
    return "\(NumberText.compact(rate)) is \(NumberText.compact(rate / scheduled)) times the "
      + "schedule's \(DashboardState.rate(scheduled)): give \(multiplier) \(declared.kind.allowed)"
  }
}

extension WordCommands {
  /// More panes of one's own leave no room for any.
  private static let mostPins = 8

  private static func pins(_ globs: String, in state: DashboardState) -> [Candidate] {
    let typed = pinFlaw(globs, in: state) == nil ? [globs] : []
    let known = PinnedPane.families(state.history.names).filter {
      $0.hasPrefix(globs) && $0 != globs
    }
    return (typed + known).map { globs in
      let pane = PaneID.pinned(globs)
      let count = PinnedPane.names(matching: pane.globs ?? "", in: state.history).count
      let sentence = "\(count) metric\(count == 1 ? "" : "s") in a pane of their own"
      return candidate(
        "pin \(globs)", sentence, isTyped: !typed.isEmpty && globs == typed[0],
        .deeds([.pin(pane)]))
    }
  }

  private static func pinFlaw(_ globs: String, in state: DashboardState) -> String? {
    guard let wanted = PaneID.pinned(globs).globs else {
      return "'pin' is not complete: write 'pin GLOB', such as 'pin loss,loss/eval'"
    }
    guard !PinnedPane.names(matching: wanted, in: state.history).isEmpty else {
      return "no metric matches '\(globs)': the metrics pane lists them"
    }
    let pins = state.arrangement.pins
    guard pins.contains(.pinned(globs)) || pins.count < mostPins else {
      return "\(mostPins) panes are pinned: unpin takes one away"
    }
    return nil
  }

  private static func unpins(_ globs: String, in state: DashboardState) -> [Candidate] {
    state.arrangement.pins.filter { $0.title.hasPrefix(globs) }.map { pane in
      candidate(
        "unpin \(pane.title)", "take it away", isTyped: pane == .pinned(globs),
        .deeds([.unpin(pane)]))
    }
  }

  private static func unpinFlaw(_ globs: String, in state: DashboardState) -> String? {
    let pins = state.arrangement.pins
    guard !pins.contains(.pinned(globs)) else { return nil }
    guard !pins.isEmpty else { return "nothing is pinned" }
    return "'\(globs)' is not pinned: give one of \(pins.map(\.title).joined(separator: " · "))"
  }
}
