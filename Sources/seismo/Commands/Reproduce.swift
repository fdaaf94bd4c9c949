import ArgumentParser
import Formats
import Runs
import Sessions
import Signals
import Telemetry

struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a recording again and compare every number.",
    discussion: """
      Takes the recorded options and the recorded changes, each at its step. What a clock or the \
      allocator says (speed, times, memory) is left out.
      """)

  @Argument(help: "a session of a run that Seismo trained: a file, a name, or NAME@1")
  var session: String
  @Option(help: "cores to use; the numbers do not depend on it") var workers: Int?
  @Flag(help: "one JSON object on standard output") var json = false

  mutating func validate() throws {
    if let workers, !(1...256).contains(workers) {
      throw ValidationError("--workers \(workers): give a whole number from 1 to 256")
    }
  }

  mutating func run() throws {
    let reference = try SessionReference(session)
    let recorded = RecordedRun(
      records: try SessionReader(path: reference.path).records(line: reference.line))
    for flaw in recorded.damage { Seismo.report("\(session): \(flaw)") }
    let reproduction = try Reproduction(recorded, session: session, workers: workers)
    for surrounding in reproduction.surroundings { Seismo.report(surrounding.words) }
    let result = try reproduction.run()
    try StandardOutput.print(json ? result.json : result.text)
    guard result.isEqual else {
      throw Failure(.failed, "\(session): not reproduced: \(result.firstWords)")
    }
  }
}

extension Reproduction.Surrounding {
  fileprivate var words: String {
    let what = name.replacing("_", with: " ")
    return "\(what) was \(recorded), is \(present): other bits are to be expected"
  }
}

extension ComparisonWithRecord {
  fileprivate var firstWords: String {
    if let first {
      return "\(first.name) of step \(first.step) was \(first.recorded), is \(first.found)"
    }
    return missing > 0
      ? "\(missing) recorded numbers did not come again"
      : "\(additional) numbers came that are not recorded"
  }

  fileprivate var text: String {
    let own = leftOut.filter { !MetricCatalog.isMachine($0) }.map(\.path)
    let all = MetricCatalog.machine("*").path
    let names = (own.count < leftOut.count ? own + [all] : own).joined(separator: ", ")
    let left = leftOut.isEmpty ? "" : "; left out, as a clock says them: \(names)"
    let others = unrecorded.map(\.path).joined(separator: ", ")
    let new = unrecorded.isEmpty ? "" : "; measured now, but not then: \(others)"
    let verdict =
      isEqual
      ? "all equal, bit for bit"
      : "\(differing) differ, \(missing) did not come again, \(additional) are new"
    return "\(NumberText.grouped(compared)) numbers of \(metricCount) metrics over "
      + "\(NumberText.grouped(steps)) steps compared: \(verdict)\(left)\(new)"
  }

  fileprivate var json: String {
    let counts =
      "\"compared\":\(compared),\"differing\":\(differing),\"missing\":\(missing),"
      + "\"additional\":\(additional),\"equal\":\(isEqual)"
    guard let first else { return "{\(counts)}" }
    return "{\(counts),\"first\":{\"step\":\(first.step),\"metric\":\"\(first.name)\"}}"
  }
}
