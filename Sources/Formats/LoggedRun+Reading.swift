import Foundation
import Telemetry

extension LoggedRun {
  /// Reads the run; what of it is damaged is left out and said in its warnings.
  ///
  /// - Throws: `unreadable`, `damaged` or `unknown` where nothing of it can be read, `noSamples`.
  package func read() throws(FormatError) -> RecordedRun {
    let path = paths[0]
    var run: RecordedRun
    switch format {
    case .eventFiles: run = try readEvents()
    case .wandb: run = try WandbReader.run(SourceFile.bytes(of: path), path: path)
    case .csv: run = try CSVReader.run(SourceFile.bytes(of: path), path: path)
    case .trainerState: run = try TrainerStateReader.run(SourceFile.bytes(of: path), path: path)
    case .jsonLines: run = JSONLinesReader.run(try SourceFile.bytes(of: path))
    }
    guard run.sampleCount > 0 else { throw .noSamples(path: path) }
    describe(&run)
    return run
  }

  private func readEvents() throws(FormatError) -> RecordedRun {
    var events = TensorBoardEvents()
    for path in paths {
      events.read(try SourceFile.bytes(of: path), name: SourceFile.name(of: path))
    }
    guard events.eventCount > 0 else {
      throw .unknown(path: paths[0], found: "no whole event file")
    }
    var run = events.assembly.finished()
    run.description = RunDescription(
      name: "", created: events.firstWallTime ?? 0, options: events.options)
    return run
  }

  /// Fills in what the source did not say itself.
  private func describe(_ run: inout RecordedRun) {
    var description = run.description ?? RunDescription(name: "", created: 0)
    if description.name.isEmpty { description.name = name }
    if description.created == 0 {
      description.created =
        run.generations.first?.wallTimes.values.first ?? Self.modified(paths[0])
    }
    if format == .csv { description.options.merge(hyperParameters) { own, _ in own } }
    description.environment[RunDescription.sourceKey] = SourceFile.resolved(paths[0])
    run.description = description
    if run.state == nil { run.state = .finished }
    for index in run.generations.indices where run.generations[index].wallTimes.steps.isEmpty {
      run.generations[index].assumeWallTimes(description.created)
    }
  }

  private static func modified(_ path: String) -> Double {
    Double(FileSystem.stamp(path).seconds)
  }

  /// The top level of Lightning's `hparams.yaml` beside the table.
  private var hyperParameters: [String: String] {
    let folder = FileSystem.folder(of: paths[0])
    guard let text = try? String(contentsOfFile: "\(folder)/hparams.yaml", encoding: .utf8) else {
      return [:]
    }
    var options: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) where line.first?.isLetter == true {
      let parts = line.split(separator: ":", maxSplits: 1).map {
        $0.trimmingCharacters(in: CharacterSet(charactersIn: " '\""))
      }
      if parts.count == 2, !parts[1].isEmpty { options[parts[0]] = parts[1] }
    }
    return options
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
