import Screen

extension DashboardState {
  /// Seconds after which the list is read again while it is looked at.
  private static let refreshSeconds = 2.0

  /// Shows the list of runs, at the one on screen; with those at `path` too.
  mutating func browseRuns(in path: String? = nil) -> [Effect] {
    layers.append(browser.reopened)
    runsAskedAt = now
    return [path.map { .lookForRuns(in: $0) } ?? .listRuns]
  }

  mutating func take(_ runs: [ListedRun], in places: [String]) {
    listedRuns = runs
    runPlaces = places
  }

  mutating func take(changes words: String, at path: String?) {
    say(words, .good)
    guard let path else { return }
    for index in layers.indices {
      guard var browser = layers[index] as? RunBrowser else { continue }
      browser.go(to: path, in: self)
      layers[index] = browser
    }
  }

  /// Runs come, go and grow while their list is looked at.
  mutating func refreshRuns() -> [Effect] {
    guard layers.contains(where: \.isScreen), now - runsAskedAt >= Self.refreshSeconds else {
      return []
    }
    runsAskedAt = now
    return [.listRuns]
  }

  /// Shows another run in place of this one; a live one is asked about first.
  mutating func open(_ run: ListedRun) -> [Effect] {
    if let flaw = run.details.flaw {
      say(flaw, .warning, seconds: 6)
      return [.bell]
    }
    guard isLive else { return [.openRun(run, .leave)] }
    layers.append(QuitDialog(opening: run))
    return []
  }
}
