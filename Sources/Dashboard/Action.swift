package import Screen
package import Signals
package import Telemetry

/// What has happened: the only way in which anything reaches the dashboard.
package enum Action: Sendable {
  case recordsArrived([RunRecord])
  /// All that is known of a recording.
  case recordingOpened(RunHistory)
  /// The run as its session holds it, with its older samples archived there.
  case samplesArchived(RunHistory)
  case keyPressed(Key)
  /// Text that came in one piece.
  case textPasted(String)
  case mouseMoved(MouseEvent)
  case resized(Size)
  /// Seconds since 1970; the dashboard knows no other clock.
  case ticked(now: Double)
  /// What keeps records from being written; nil once they are.
  case recorderStatusChanged(String?)
  /// How a source of another process stands, and why it takes no commands now.
  case sourceStood(SourceState, refusal: String?)
  /// Display updates that were left out because the screen was busy.
  case updatesDropped(Int)
  case screenWritten(path: String)
  case screenNotWritten(reason: String)
  /// A line that something printed to the terminal under the screen.
  case consoleLineCaptured(String)
  /// The recorded runs, the newest first, and the places where they lie. It comes again as more of
  /// them are read.
  case runsListed([ListedRun], in: [String] = [])
  /// A change of a run's files was made, or more runs were found; `at` is where to go in the list.
  case runsChanged(String, at: String? = nil)
  case runsNotChanged(reason: String)
  /// So many other runs are watched beside the one on the screen.
  case othersWatched(Int)
  /// A run that another program logs has appeared where runs are watched.
  case runAppeared(name: String)
  case runLoaded(ListedRun, RunHistory)
  case runNotLoaded(ListedRun, reason: String)
  /// A run that lies over the charts has gone on.
  case runGrew(path: String, [RunRecord])
  /// SIGTERM or the like: end without a question.
  case endRequested
}

/// What the shell around the dashboard has to do.
package enum Effect: Sendable, Hashable {
  case send(Command, by: String)
  case writeScreen(PictureRequest = PictureRequest())
  case quit(Leave)
  /// A person chose this theme; remember it.
  case changeTheme(name: String)
  /// A person ran this line of the palette; remember it.
  case rememberCommand(String)
  case repaint
  case bell
  case suspend
  /// Find the recorded runs.
  case listRuns
  /// Look for runs in this folder or file too.
  case lookForRuns(in: String)
  case editRun(RunEdit)
  /// Leave, and show this run in place of the present one.
  case openRun(ListedRun, Leave)
  /// Read a run, to be drawn over the charts.
  case loadRun(ListedRun)
  /// The run at this path is no longer drawn.
  case dropRun(path: String)
}

/// How to leave.
package enum Leave: Sendable, Hashable, CaseIterable {
  /// End the run with a checkpoint.
  case stopWithCheckpoint
  /// Let the run go on without a screen.
  case detach
  /// Nothing is to be ended.
  case leave
}
