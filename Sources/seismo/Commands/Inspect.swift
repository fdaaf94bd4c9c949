import ArgumentParser
import Formats
import Foundation
import Inspection
import Kernels
import Models
import Runs
import Training

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What a checkpoint's numbers are like, and which formats of 8 and 4 bits they bear.",
    discussion: """
      Of any safetensors file, whole or in shards, tensor by tensor in bounded memory: RMS, outliers, \
      and what int8, int4, E4M3, E5M2, NF4 and FP4 cost with a scale for the tensor, for a row, for a \
      block of 64 (signal to rounding noise, and the share that becomes 0). Of a checkpoint of this \
      program's also the held-out loss with its matrices so rounded, what 4 bits cost over sampling \
      temperatures, heads, experts, singular values and neural collapse; of one that transformers has \
      written the same where its layers are this program's and --data is given. Of two models how they \
      differ. Of a sweep's folder generalisation measures of its cells and how they order the gaps.
      """)

  @Argument(
    help:
      "a checkpoint folder, a safetensors file, a folder with one or with shards, or a sweep's folder"
  )
  var checkpoint: String
  @Argument(help: "another one, to compare with it") var other: String?
  @Option(
    help: "file or folder of bytes or of ids, - for standard input (default: what its run held out)"
  )
  var data: String?
  @Option(help: "windows of text that losses are measured on, evenly spread") var windows = 64
  @Flag(help: "singular values of any model's matrices with a side of up to 1024")
  var spectra = false
  @Flag(help: "generalisation measures, which take some 300 passes") var measures = false
  @Flag(help: "how alike features stay under changes of the text") var invariance = false
  @Option(help: "cores to use") var workers: Int?
  @Flag(help: "one JSON object on standard output") var json = false
  @Option(help: "write the tables as SVG to this file, - for standard output") var svg: String?
  @Option(help: "write the tables as a page to this file, - for standard output") var html: String?
  @Option(help: "theme of the picture: see seismo themes") var theme: String?

  mutating func validate() throws {
    if let workers, !(1...256).contains(workers) {
      throw ValidationError("--workers \(workers): give a whole number from 1 to 256")
    }
    if !(1...100_000).contains(windows) {
      throw ValidationError("--windows \(windows): give a whole number from 1 to 100000")
    }
    try ReportForm.check(json: json, svg: svg, html: html)
  }

  mutating func run() throws {
    let pool = WorkerPool(
      workers: workers ?? ProcessInfo.processInfo.activeProcessorCount)
    if SweepFolder(path: checkpoint).holdsSweep { return try runSweep(pool) }
    let files = try TensorFiles(path: checkpoint)
    let second = try other.map { try TensorFiles(path: $0) }
    let title = other.map { "\(checkpoint) and \($0)" } ?? checkpoint
    var report = InspectionReport(title: title)
    let tensors = try formats(files, pool, &report)
    if let second { try compare(files, second, pool, &report) }
    if tensors.allSatisfy({ $0.nonFinite == 0 }) {
      let evaluation = try evaluation()
      if spectra || evaluation != nil { try singularValues(files, pool, &report) }
      if let evaluation { try look(into: evaluation, pool, &report) }
    }
    try write(report)
    try complain(of: tensors)
  }

  private func runSweep(_ pool: WorkerPool) throws {
    guard other == nil, data == nil, !invariance else {
      throw Failure.usage("\(checkpoint): a sweep's folder is looked at by itself")
    }
    let found = try SweepMeasures(SweepFolder(path: checkpoint), windows: windows, pool: pool)
    var report = InspectionReport(title: checkpoint)
    for table in found.tables { report.add(table) }
    report.add("sweep", json: found.json)
    try write(report)
  }

  private func write(_ report: InspectionReport) throws {
    try ReportForm(json: json, svg: svg, html: html, theme: theme).write(report)
  }

  /// What is wrong with the numbers, when all else has been said.
  private func complain(of tensors: [TensorReport]) throws {
    let bad = tensors.filter { $0.nonFinite > 0 }
    guard !bad.isEmpty else { return }
    throw InspectionError.notFinite(
      path: checkpoint, tensors: bad.map(\.name), values: bad.reduce(0) { $0 + $1.nonFinite })
  }
}

extension Inspect {
  private func formats(
    _ files: TensorFiles, _ pool: WorkerPool, _ report: inout InspectionReport
  ) throws -> [TensorReport] {
    let survey = TensorSurvey(files, pool: pool)
    let tensors = try files.entries.compactMap { try survey.report(on: $0) }
    let known = Set(tensors.map(\.name))
    let skipped = files.entries.filter { !known.contains($0.name) }
    guard !tensors.isEmpty else {
      throw Failure(
        .badInput, "\(checkpoint): no tensor of floating-point numbers; give a model's weights")
    }
    for table in FormatTables(reports: tensors, skipped: skipped).tables { report.add(table) }
    report.add("tensors", json: "[\(tensors.map(\.json).joined(separator: ","))]")
    let words = skipped.map { entry in
      JSONLines.object([
        ("name", JSONLines.quoted(entry.name)), ("type", JSONLines.quoted(entry.type)),
      ])
    }
    report.add("skipped", json: "[\(words.joined(separator: ","))]")
    return tensors
  }

  private func compare(
    _ files: TensorFiles, _ second: TensorFiles, _ pool: WorkerPool,
    _ report: inout InspectionReport
  ) throws {
    let difference = try ModelDifference(files, second, pool: pool)
    report.add(DifferenceTable(difference: difference).table)
    report.add("difference", json: difference.json)
  }

  private func singularValues(
    _ files: TensorFiles, _ pool: WorkerPool, _ report: inout InspectionReport
  ) throws {
    let reader = ChunkReader(files, pool: pool)
    let spectra = try files.entries.filter(Spectrum.isMeasured).map { try Spectrum($0, reader) }
    guard !spectra.isEmpty else { return }
    report.add(SpectrumTable(spectra: spectra).table)
    report.add("spectra", json: "[\(spectra.map(\.json).joined(separator: ","))]")
  }
}

extension Inspect {
  /// Nil for a model of which no text is known.
  private func evaluation() throws -> Evaluation? {
    guard try CheckpointFolder.holdsCheckpoint(checkpoint) else { return try foreignEvaluation() }
    let own = try CheckpointFolder.read(checkpoint)
    if let data { return try evaluation(of: own, on: data) }
    if invariance { try own.checkWritesText() }
    do {
      return try Evaluation(heldOutOf: own, workers: workers)
    } catch let error as EvaluationError {
      // The tensors can be told all the same.
      Seismo.report("\(error)")
      return nil
    }
  }

  /// Of a model that no run of this program's has written; nil where its tensors alone are asked for.
  private func foreignEvaluation() throws -> Evaluation? {
    let isDescribed = FileSystem.exists(checkpoint + "/config.json")
    let fault: String? =
      switch (data, isDescribed) {
      case (_, false) where data != nil || measures || invariance:
        "not a checkpoint of this program: leave --data, --measures and --invariance out"
      case _ where measures:
        "no run of this program's tells what it was trained on: leave --measures out"
      case (nil, _) where invariance:
        "no run of this program's tells what was held out from it: give --data with --invariance"
      default: nil
      }
    if let fault { throw Failure(.badInput, "\(checkpoint): \(fault)") }
    return try data.map { try evaluation(of: CheckpointFolder.model(checkpoint), on: $0) }
  }

  private func evaluation(of model: any OpenedModel, on data: String) throws -> Evaluation {
    // It changes letters.
    if invariance { try model.checkWritesText() }
    return try Evaluation(
      checkpoint: model,
      corpus: Corpus.open(path: data, vocabulary: model.configuration.vocabulary),
      workers: workers)
  }

  private func look(
    into evaluation: Evaluation, _ pool: WorkerPool, _ report: inout InspectionReport
  ) throws {
    let trial = try ModelTrial(
      evaluation, windows: evaluation.windows, most: windows, pool: pool)
    let few = max(1, trial.windows / 4)
    let loss = RoundedLoss(trial, alone: few)
    let temperatures = TemperatureCurve(trial, windows: few)
    for table in RoundedLossTables(loss: loss, temperatures: temperatures).tables {
      report.add(table)
    }
    report.add("loss", json: loss.json(temperatures))
    let layers = LayerUse.all(trial, alone: few)
    report.add(LayerUseTable(layers: layers).table)
    report.add("layers", json: "[\(layers.map(\.json).joined(separator: ","))]")
    lookAtFeatures(trial, &report)
    if invariance {
      let found = try Invariance(trial, evaluation.windows, most: windows)
      report.add(InvarianceTable(invariance: found).table)
      report.add("invariance", json: found.json)
    }
    if measures { try measure(evaluation, loss.loss, pool, &report) }
  }

  private func lookAtFeatures(_ trial: ModelTrial, _ report: inout InspectionReport) {
    let features = trial.features(windows: trial.windows)
    let outliers = features.map { OutlierFeatures($0, width: trial.configuration.width) }
    report.add("outlier_features", json: "[\(outliers.map(\.json).joined(separator: ","))]")
    report.add(OutlierTable(layers: outliers).table)
    let layers = NeuralCollapse.all(trial, features, windows: trial.windows)
    guard let table = CollapseTable(layers: layers, unit: trial.unit).table else { return }
    report.add(table)
    let words = layers.map { $0?.json ?? "null" }.joined(separator: ",")
    report.add("collapse", json: JSONLines.object([("layers", "[\(words)]")]))
  }

  private func measure(
    _ evaluation: Evaluation, _ heldOut: Double, _ pool: WorkerPool,
    _ report: inout InspectionReport
  ) throws {
    let found = try GeneralisationMeasures.of(evaluation, windows: windows, pool: pool)
    guard let found else {
      throw Failure.usage("--measures: leave --data out: they need what the run trained on")
    }
    report.add(
      MeasureTable(
        measures: found.measures, trainingLoss: found.trainingLoss, heldOutLoss: heldOut
      ).table)
    report.add("measures", json: found.measures.json)
  }
}
