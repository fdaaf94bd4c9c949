/// One piece of a run, whoever makes it: a live trainer, a session file, a growing log.
///
/// Records come in the order in which they happened. A dashboard, a recorder and a printer read the
/// same stream and do not know where it comes from.
public enum RunRecord: Sendable {
  /// What the run is; comes first, and again when something of it becomes known.
  case description(RunDescription)
  /// The settings that may be changed, with their present values; comes again after each change.
  case settings([SettingDeclaration])
  /// All that one step measured.
  case samples(StepSamples)
  /// Many steps of one metric.
  case column(MetricColumn)
  case event(RunEvent)
  case state(RunState)
  /// A line that the run or a library printed.
  case console(wallTime: Double, line: String)
  /// What the reader of a recording found damaged; found at `wallTime`, 0 where that says nothing.
  case damage(RecordingDamage, wallTime: Double)
  /// The run starts again at `step`, which is not after the last one: what follows supersedes the
  /// samples from there on, and the older ones are kept.
  case generation(startingAt: Int)
}

extension Sequence<RunRecord> {
  /// What of a recording could not be read.
  package var damage: [RecordingDamage] {
    compactMap { if case .damage(let damage, _) = $0 { damage } else { nil } }
  }
}
