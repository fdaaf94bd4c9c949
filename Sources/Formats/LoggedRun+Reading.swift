import Foundation
package import Telemetry

extension LoggedRun {
  /// A decoder of the run's file at `path`.
  package func decoder(of path: String) -> any LogDecoder {
    switch format {
    case .eventFiles: EventFileDecoder(path: path, part: subFolder(of: path))
    case .wandb: WandbDecoder(path: path)
    case .csv: TableDecoder(path: path, run: part)
    case .trainerState: TrainerStateDecoder(path: path)
    case .jsonLines: JSONLinesDecoder()
    case .textLog: TextLogDecoder()
    case .stream: StreamDecoder(path: path)
    }
  }

  /// The folder below the run's own in which a file of it lies; nil where it lies beside the others.
  private func subFolder(of path: String) -> String? {
    let folder = FileSystem.folder(of: path)
    return folder == FileSystem.folder(of: paths[0]) ? nil : SourceFile.name(of: folder)
  }

  /// Reads the run to its end; what of it is damaged is left out and said in its warnings.
  ///
  /// - Parameter aliases: the other names under which metrics are known, and get ours.
  /// - Returns: the run, and what of it was renamed.
  /// - Throws: `unreadable`, `damaged` or `unknown` where nothing of it can be read, `noSamples`.
  package func read(
    aliases: MetricAliases = .usual
  ) throws(FormatError) -> (run: RecordedRun, renamed: [MetricNames.Renamed]) {
    var batch = RunBatch(aliases: aliases)
    var assembly = RunAssembly()
    var failure: FormatError?
    for path in paths {
      do {
        try decode(path, &batch, into: &assembly)
      } catch {
        failure = failure ?? error
      }
    }
    assembly.take(&batch)
    var run = assembly.finished(batch)
    guard run.sampleCount > 0 else { throw failure ?? nothingFound }
    describe(&run)
    return (run, batch.renamed)
  }

  /// Any text may be what a program prints.
  private var nothingFound: FormatError {
    guard format == .textLog else { return .noSamples(path: paths[0]) }
    return .unknown(path: paths[0], found: "no record that is known")
  }

  private func decode(
    _ path: String, _ batch: inout RunBatch, into assembly: inout RunAssembly
  ) throws(FormatError) {
    var decoder = decoder(of: path)
    var file = try SourceFile(path)
    while let bytes = try file.next() {
      decoder.decode(bytes, into: &batch)
      assembly.take(&batch)
    }
    try decoder.finish(into: &batch)
  }

  /// Fills in what the source did not say itself.
  package func describe(_ description: inout RunDescription, firstTime: Double?) {
    if description.name.isEmpty { description.name = name }
    if description.created == 0 { description.created = firstTime ?? Self.modified(paths[0]) }
    if format == .csv || format == .eventFiles {
      description.options.merge(hyperParameters) { own, _ in own }
    }
    description.environment[.source] =
      SourceFile.resolved(paths[0]) + (part.map { "#\($0)" } ?? "")
  }

  /// Fills in what the source did not say itself, times that it does not know too.
  package func describe(_ run: inout RecordedRun) {
    var description = run.description ?? RunDescription(name: "", created: 0)
    describe(&description, firstTime: run.generations.first?.wallTimes.values.first)
    run.description = description
    if run.state == nil { run.state = .finished }
    for index in run.generations.indices where run.generations[index].wallTimes.steps.isEmpty {
      run.generations[index].assumeWallTimes(description.created)
    }
  }

  static func modified(_ path: String) -> Double {
    Double(FileSystem.stamp(path).seconds)
  }

  /// What Lightning's loggers have put beside their records.
  private var hyperParameters: [String: String] {
    let folder = FileSystem.folder(of: paths[0])
    let text = try? String(contentsOfFile: "\(folder)/hparams.yaml", encoding: .utf8)
    return text.map(PlainYAML.options) ?? [:]
  }
}

extension RecordedRun.Generation {
  /// Where no time is known the steps still need their place: all at one time.
  fileprivate mutating func assumeWallTimes(_ time: Double) {
    var steps: [Int] = []
    // Most metrics have the same steps: then no set is made of them.
    for column in columns where column.steps != steps {
      steps = Set(steps).union(column.steps).sorted()
    }
    wallTimes.steps = steps
    wallTimes.values = wallTimes.steps.map { _ in time }
  }
}
