import ArgumentParser
import Ranks
import Runs
import Training

/// What a command that trains is told: the run's own options, and how it is conducted.
struct TrainingOptions: ParsableArguments {
  @OptionGroup(title: "The run") var options: RunOptions
  @Option(help: "a run.toml: options under their own names, [[at]] and [[when]] commands")
  var config: String?
  @Option(help: "where to record (default: sessions/NAME.seismo)") var session: String?
  @Option(help: "a checkpoint folder to go on from, bit for bit") var resume: String?
  @Option(help: "with --resume: go on in a session of this name, and leave the other as it is")
  var branch: String?
  @Flag(inversion: .prefixedNo, help: "no dashboard: plain lines") var headless: Bool?
  @Flag(help: "one JSON object a step and an event, on standard output") var json = false
  @Option(help: "a command for the shell, once an alarm: its environment tells which")
  var onAlarm: String?
  @Option(help: "theme of the dashboard: see seismo themes") var theme: String?
  @Option(help: "how many ranks mpirun or srun has started: another number is refused")
  var ranks: Int?

  /// Trains to the end.
  /// - Parameters:
  ///   - base: the checkpoint that the run begins with; nil for what the options say.
  ///   - check: throws what is wrong with the plan, before anything starts.
  /// - Returns: where it was recorded.
  /// - Throws: what is wrong with the options, and what the run ends with.
  @discardableResult
  func train(
    base: String? = nil, check: (RunPlan) throws -> Void = { _ in }
  ) throws -> RunPlan {
    let ranks = try ProcessRanks.begin(expected: ranks)
    let file = try ranks.together {
      try config.map { path throws(RunFile.Flaw) in try RunFile(path: path) } ?? RunFile()
    }
    let conduct = conduct(of: file)
    return try RankedRun(ranks: ranks, conduct: conduct).conduct {
      let plan = try plan(file, conduct, base: base, isFirst: ranks.isFirst)
      try check(plan)
      return plan
    }
  }

  /// How the run is conducted, as the file and, before it, the command line say.
  private func conduct(of file: RunFile) -> [String: String] {
    var conduct = file.conduct
    if let session { conduct["session"] = session }
    if let resume { conduct["resume"] = resume }
    if let theme { conduct["theme"] = theme }
    if let onAlarm { conduct["on-alarm"] = onAlarm }
    if let headless { conduct["headless"] = headless ? "on" : "off" }
    if json { conduct["json"] = "on" }
    return conduct
  }

  private func plan(
    _ file: RunFile, _ conduct: [String: String], base: String?, isFirst: Bool
  ) throws -> RunPlan {
    var given = options.given
    if let base { given["base"] = base }
    var plan = try RunPlan(
      options: file.options.merging(given) { _, given in given }, given: given,
      session: conduct["session"], resuming: conduct["resume"], onAlarm: conduct["on-alarm"],
      script: file.script, autopilot: file.autopilot, person: .found())
    let watcher = Watcher(conduct, data: plan.configuration.dataPath)
    if watcher != .dashboard, let theme = conduct["theme"] { try Look.check(theme: theme) }
    if branch != nil, session != nil {
      throw Failure.usage("--branch and --session: give one of them")
    }
    if isFirst { try plan.settleLine(branch: branch, watcher: watcher) }
    if let line = plan.unreachedCommands { Seismo.report(line) }
    return plan
  }
}
