import Screen

/// What a key does in the list of runs: one table for the keys, the bottom row, `?` and the README.
struct BrowserCommand: Sendable {
  let name: String
  let keys: [Key]
  /// The word of the bottom row.
  let label: String
  /// Those with a low rank stay longest where there is little room.
  let rank: Int
  let sentence: String
  let perform: @Sendable (inout RunBrowser, DashboardState) -> LayerAnswer

  private init(
    _ name: String, _ keys: Key..., label: String, rank: Int, _ sentence: String,
    perform: @escaping @Sendable (inout RunBrowser, DashboardState) -> LayerAnswer
  ) {
    (self.name, self.keys, self.label, self.rank) = (name, keys, label, rank)
    (self.sentence, self.perform) = (sentence, perform)
  }

  static let table: [BrowserCommand] = [
    BrowserCommand(
      "open", .enter, label: "open", rank: 0,
      "Show the run: replay a finished one, watch a live one."
    ) { browser, state in
      guard let run = browser.chosen(in: state) else { return .consumed }
      return run.details.isPresent ? .closed : .stays(.open(run))
    },
    BrowserCommand(
      "mark", .character(" "), label: "mark", rank: 3,
      "Mark the run, to compare it or lay it over the charts."
    ) { browser, state in
      browser.toggleMark(in: state)
      return .consumed
    },
    BrowserCommand(
      "overlay", .character("o"), label: "overlay", rank: 4,
      "Draw the marked runs, or this one, over the charts."
    ) { browser, state in
      let marked = browser.markedRuns(in: state)
      let runs = marked.isEmpty ? [browser.chosen(in: state)].compactMap(\.self) : marked
      return overlay(runs.filter { !$0.details.isPresent })
    },
    BrowserCommand(
      "compare", .character("c"), label: "compare", rank: 5,
      "Give the chart of the marked runs the screen, or not."
    ) { browser, state in
      guard browser.isComparing || browser.compared(in: state).count > 1 else {
        return .stays(.say("nothing to compare with: space marks runs", .warning))
      }
      browser.isComparing.toggle()
      return .consumed
    },
    BrowserCommand(
      "sort", .character("s"), label: "sort", rank: 6,
      "Order by time, held-out loss, best, name or steps."
    ) { browser, _ in
      browser.order = browser.order.next
      return .consumed
    },
    BrowserCommand(
      "filter", .character("/"), label: "filter", rank: 2,
      "List what matches (loss<2 tag:paper), or add a path."
    ) { browser, _ in
      browser.question = RunQuestion(.filter(before: browser.filter))
      return .consumed
    },
    edit("tag", "t", rank: 8, "Give the run tags, to find it by.") { .tags($0) },
    edit("note", "N", rank: 9, "Write a note at the run's last step.") { .note($0) },
    edit(
      "rename", "R", rank: 10, isForOthers: true, "Give the run and its checkpoints another name."
    ) {
      .name($0)
    },
    edit("delete", "D", rank: 11, isForOthers: true, "Remove the run from disk; asks first.") {
      .removal($0)
    },
    BrowserCommand(
      "write", .character("w"), label: "write", rank: 12, "Write the list as it is as SVG."
    ) { _, _ in .stays(.effect(.writeScreen())) },
    BrowserCommand(
      "help", .character("?"), label: "help", rank: 1, "List these keys and the signs."
    ) { _, _ in .stays(.showKeysOfBrowser) },
    BrowserCommand(
      "back", .escape, .character("q"), .character("O"), label: "back", rank: 0,
      "Go out: of the comparison, the filter, the list."
    ) { browser, _ in
      if browser.isComparing {
        browser.isComparing = false
        return .consumed
      }
      guard browser.filter.isEmpty else {
        browser.filter = ""
        return .consumed
      }
      return .closed
    },
  ]

  private static func overlay(_ runs: [ListedRun]) -> LayerAnswer {
    guard !runs.isEmpty else {
      return .stays(
        .say("this run is on the screen already: choose another", .warning), .effect(.bell))
    }
    return LayerAnswer(closes: true, deeds: runs.map { .toggleOverlay($0) })
  }

  /// A change of the chosen run's files. One that would take the files away from under the screen
  /// is for runs that are not on it.
  private static func edit(
    _ name: String, _ key: Character, rank: Int, isForOthers: Bool = false, _ sentence: String,
    _ subject: @escaping @Sendable (ListedRun) -> RunQuestion.Subject
  ) -> BrowserCommand {
    BrowserCommand(name, .character(key), label: name, rank: rank, sentence) { browser, state in
      guard let run = browser.chosen(in: state) else { return .consumed }
      let isOwnNote = name == "note" && run.details.isPresent && state.commandRefusal == nil
      let isFree = isOwnNote || name == "tag" && !run.isLine
      let refusal = isFree ? nil : refusal(of: run, isForOthers: isForOthers)
      guard let refusal else {
        browser.question = RunQuestion(subject(run))
        return .consumed
      }
      browser.question = RunQuestion(.refusal("\(name): \(refusal)"))
      return .stays(.effect(.bell))
    }
  }

  private static func refusal(of run: ListedRun, isForOthers: Bool) -> String? {
    if run.isLine { return "\(run.name) is a line of the run above: choose that" }
    if run.details.isLive { return "\(run.name) is being written: wait until it has ended" }
    if isForOthers, run.details.isPresent {
      return "\(run.name) is on the screen: open another run first"
    }
    return nil
  }
}

extension BrowserCommand {
  /// The keys as the README shows them.
  static var markdown: [String] {
    table.map { command in
      let keys = command.keys.map { "`\($0.words)`" }.joined(separator: " ")
      return "| \(keys) | **\(command.name)**: \(command.sentence) |"
    }
  }
}
