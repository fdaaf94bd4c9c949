import ArgumentParser
import Formats
import Foundation
import Inspection
import Kernels
import Models
import Signals
import Training

struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make one model of several that come from one.",
    discussion: """
      Parts are checkpoints of this program, or folders of any model's safetensors, of one shape and \
      one origin: branches of a run have their latest common checkpoint as such, others are given \
      theirs with --base. mean takes the mean of the updates, arithmetic their sum times the scale \
      (0.3), ties trims each to its largest numbers and merges what has the elected sign, pcb \
      balances the competition within and between parts (2410.02396). The folder that is written is \
      read by sample, inspect, eval and train --resume, and by transformers where the parts are. \
      Only weights are merged: the optimizer's moments begin at 0.
      """)

  @Argument(help: "two checkpoint folders or more, or folders of safetensors") var parts: [String]
  @Option(help: "how: \(MergeKind.allCases.map(\.rawValue).joined(separator: ", "))")
  var method: MergeKind
  @Option(help: "what all parts come from (default: the latest checkpoint their runs share)")
  var base: String?
  @Option(
    help: "what the merged update is multiplied by (default: arithmetic 0.3, ties 1, pcb 1.2)")
  var scale: Double?
  @Option(help: "with ties and pcb: the share of the numbers that is kept (default: 0.2 and 0.1)")
  var keep: Double?
  @Option(help: "the folder to write; nothing may be there") var output: String
  @Option(
    help: "file or folder that losses are measured on (default: what each part's run held out)")
  var data: [String] = []
  @Option(help: "windows of each text, evenly spread") var windows = 64
  @Option(
    help:
      "with pcb: tries for a scale of each part from 0.8 to 1.3 (the paper's: 100) by the first half of each text"
  )
  var search: Int?
  @Option(help: "cores to use") var workers: Int?
  @Flag(help: "one JSON object on standard output") var json = false
  @Option(help: "write the tables as SVG to this file, - for standard output") var svg: String?
  @Option(help: "write the tables as a page to this file, - for standard output") var html: String?
  @Option(help: "theme of the picture: see seismo themes") var theme: String?

  mutating func validate() throws {
    guard parts.count > 1 else {
      throw ValidationError("\(parts.first ?? ""): one part alone: give two or more")
    }
    if let workers { try CountList.check("workers", CountList([workers]), 1...256) }
    try CountList.check("windows", CountList([windows]), 1...100_000)
    if let scale {
      guard method.takesScale else {
        throw ValidationError("--scale \(scale): give none with --method \(method.rawValue)")
      }
      guard scale.isFinite, abs(scale) <= 100 else {
        throw ValidationError("--scale \(scale): give a number from -100 to 100")
      }
    }
    if let keep {
      guard method.usualKeep != nil else {
        throw ValidationError("--keep \(keep): give none with --method \(method.rawValue)")
      }
      guard keep > 0, keep <= 1 else {
        throw ValidationError("--keep \(keep): give a number above 0, up to 1")
      }
    }
    if let search {
      guard method == .pcb, scale == nil else {
        throw ValidationError("--search \(search): give it with --method pcb and without --scale")
      }
      try CountList.check("search", CountList([search]), 1...100_000)
    }
    if output.isEmpty { throw ValidationError("--output: give the name of a folder") }
    try ReportForm.check(json: json, svg: svg, html: html)
  }

  mutating func run() throws {
    let pool = WorkerPool(workers: workers ?? ProcessInfo.processInfo.activeProcessorCount)
    var plan = try MergePlan(
      parts: parts, base: base, kind: method, scale: scale, keep: keep)
    var texts = try texts(of: plan)
    if FileSystem.exists(output) { throw MergeError.outputExists(path: output) }
    if let search { texts = try searchScales(of: &plan, tries: search, texts, pool) }
    let outcome = try plan.write(to: output, pool: pool)
    var report = InspectionReport(title: output)
    for table in MergeTables(plan: plan, outcome: outcome, output: output).tables {
      report.add(table)
    }
    report.add("output", json: JSONLines.quoted(output))
    for (key, value) in plan.words(outcome) { report.add(key, json: value) }
    if !texts.isEmpty { try measure(plan, texts, pool, &report) }
    try ReportForm(json: json, svg: svg, html: html, theme: theme).write(report)
  }

  /// - Returns: the halves of the texts by which nothing was chosen
  private func searchScales(
    of plan: inout MergePlan, tries: Int, _ texts: [HeldOutText], _ pool: WorkerPool
  ) throws -> [HeldOutText] {
    guard !texts.isEmpty else {
      throw Failure.usage("--search \(tries): no text to choose by: give --data")
    }
    let halves = try texts.map { try $0.halves() }
    let lowest = try plan.searchScales(
      on: halves.map(\.chosenBy), windows: windows, tries: tries, pool: pool)
    Seismo.report(
      "scales \(plan.scales.map { NumberText.compact($0) }.joined(separator: " ")) have the lowest"
        + " loss of \(tries) tries, \(NumberText.compact(lowest, digits: 4)); measured is on the other"
        + " halves")
    return halves.map(\.measured)
  }

  /// What losses are measured on; nothing for models of another make.
  private func texts(of plan: MergePlan) throws -> [HeldOutText] {
    let checkpoints = plan.parts.compactMap(\.checkpoint)
    guard let first = checkpoints.first else {
      guard data.isEmpty else {
        throw Failure(
          .badInput, "\(plan.foreign ?? output): not a checkpoint of this program: leave --data out"
        )
      }
      return []
    }
    guard data.isEmpty else {
      return try data.map { try HeldOutText(path: $0, for: first.configuration) }
    }
    return try HeldOutText.own(of: checkpoints) { Seismo.report("\($0)") }
  }

  private func measure(
    _ plan: MergePlan, _ texts: [HeldOutText], _ pool: WorkerPool, _ report: inout InspectionReport
  ) throws {
    func losses(_ checkpoint: Checkpoint) throws -> [Double] {
      try texts.map { try $0.loss(of: checkpoint, most: windows, pool: pool) }
    }
    var models: [(name: String, losses: [Double])] = []
    if let base = plan.base?.checkpoint { models.append(("base", try losses(base))) }
    for (index, part) in plan.parts.enumerated() {
      guard let checkpoint = part.checkpoint else { continue }
      models.append(("part \(index + 1)", try losses(checkpoint)))
    }
    models.append(("merged", try losses(CheckpointFolder.read(output))))
    let table = MergeLossTable(models: models, texts: texts.map(\.name))
    report.add(table.table)
    report.add("losses", json: table.json)
  }
}

extension MergeKind: ExpressibleByArgument {}

extension MergeLossTable {
  fileprivate var json: String {
    let rows = models.map { model in
      JSONLines.object([
        ("model", JSONLines.quoted(model.name)),
        ("losses", "[\(model.losses.map { JSONLines.number($0) }.joined(separator: ","))]"),
        ("mean", JSONLines.number(Self.mean(model.losses))),
      ])
    }
    let texts = texts.map(JSONLines.quoted).joined(separator: ",")
    return JSONLines.object([
      ("texts", "[\(texts)]"), ("models", "[\(rows.joined(separator: ","))]"),
    ])
  }
}
