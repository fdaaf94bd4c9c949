import Telemetry

/// Lines of keys with numbers.
extension TextLineReader {
  mutating func takePairs(_ line: String, into batch: inout RunBatch) -> Bool {
    if let (pairs, step) = mmEngine.read(line) {
      if !pairs.isEmpty { add(pairs, at: step, into: &batch) }
      return !pairs.isEmpty
    }
    if let found = EpochLine(line) {
      let step = epochSteps.step(found.done, of: found.all, epoch: found.epoch)
      let pairs = TextLine(found.rest).pairs
      if !pairs.isEmpty { add(pairs, at: step, into: &batch) }
      return !pairs.isEmpty
    }
    let isIndented = line.first == " " || line.first == "\t"
    var text = LoggerPrefix.removed(from: line)
    let parted = PrintedSplit.parted(text)
    if let parted { text = parted.rest }
    var pairs = PrintedSplit.named(TextLine(text).pairs)
    if let part = parted?.heldOut { pairs = PrintedSplit.heldOut(pairs, part) }
    guard !pairs.isEmpty else { return false }
    if isBelowStep, isIndented, let step, pairs.allSatisfy(\.isMarked),
      !PrintedStep.isTold(by: pairs)
    {
      add(pairs, at: step, into: &batch)
      isBelowStep = true
      return true
    }
    if let index = PrintedStep.index(in: pairs)
      ?? PrintedStep.bracketIndex(
        text, isBehindLogger: LoggerPrefix.glogMessage(line) != nil, &pairs)
    {
      let pair = pairs.remove(at: index)
      let all = pair.total.flatMap { $0 > 0 && $0 < 1e15 ? Int($0) : nil }
      let step = told(Int(pair.value), of: all, beside: pairs, into: &batch)
      if !pairs.isEmpty { add(pairs, at: step, into: &batch) }
      isBelowStep = true
      return !pairs.isEmpty || pair.isMarked
    }
    if let place = PrintedPlace(text), takePlace(place, into: &batch) { return true }
    if pairs.count > 1, LogKeys.role(of: pairs[0].key) == .epoch {
      let members = pairs.map { pair in
        let (name, value) = Self.named(pair)
        return JSONValue.Member(key: name, value: .number(value))
      }
      json.take(members, into: &batch)
      return true
    }
    if let step, PrintedStep.isHeldOut(pairs, text) || parted?.heldOut != nil {
      add(pairs, at: step, into: &batch)
      return true
    }
    return takeCandidates(pairs.filter(\.isMarked), into: &batch)
  }

  private mutating func takePlace(_ place: PrintedPlace, into batch: inout RunBatch) -> Bool {
    let pairs = PrintedSplit.named(TextLine(place.rest).pairs)
    guard !pairs.isEmpty else { return false }
    take(places.judge(PrintedPlaces.Line(place: place, pairs: pairs)), into: &batch)
    return true
  }

  mutating func take(_ judgement: PrintedPlaces.Judgement, into batch: inout RunBatch) {
    switch judgement {
    case .waits: break
    case .steps(let lines):
      for line in lines {
        let told = told(line.place.done, of: line.place.all, beside: line.pairs, into: &batch)
        add(line.pairs, at: told, into: &batch)
        isBelowStep = true
      }
    case .others(let lines):
      for line in lines { _ = takeCandidates(line.pairs.filter(\.isMarked), into: &batch) }
    }
  }

  /// Takes in what a line says of its step: of an epoch's steps those of all epochs are counted.
  private mutating func told(
    _ done: Int, of all: Int?, beside pairs: [TextLine.Pair], into batch: inout RunBatch
  ) -> Int {
    var (told, total) = (done, all)
    if let all, let epoch = pairs.first(where: { LogKeys.role(of: $0.key) == .epoch }),
      epoch.value == epoch.value.rounded(), abs(epoch.value) < 1e9
    {
      told = epochSteps.noticed(done, of: all, epoch: Int(epoch.value))
      if epochSteps.isCounting {
        total = epoch.total.flatMap { $0 > 0 && $0 < 1e6 ? Int($0) * all : nil }
      }
    } else if let all {
      told = rounds.step(done, of: all)
      // How many rounds there will be is not told.
      if rounds.isCounting { (total, batch.description.totalSteps) = (nil, nil) }
    }
    step = told
    json.clockTold(step: told)
    if let total, batch.description.totalSteps != total { batch.description.totalSteps = total }
    return told
  }

  mutating func add(
    _ pairs: [TextLine.Pair], at step: Int, into batch: inout RunBatch
  ) {
    self.step = step
    json.clockTold(step: step)
    for pair in pairs {
      let (name, value) = Self.named(pair)
      // What nanoGPT estimates beside the held-out loss is not the loss that it trains with.
      batch.add(batch.metric(name, keepsName: name == "train loss"), value)
    }
    batch.endRow(step: step, wallTime: nil)
  }

  /// What a key with its unit is called, and its value in our unit.
  private static func named(_ pair: TextLine.Pair) -> (name: String, value: Double) {
    let key = pair.key.lowercased()
    switch (key, pair.unit) {
    case ("time", "ms"), ("dt", "ms"), ("iter time", "ms"), ("step_ms", _):
      return ("step_ms", pair.value)
    case ("time", "s"), ("dt", "s"): return ("step_ms", pair.value * 1000)
    case ("norm", _): return ("grad_norm", pair.value)
    case ("tok/s", _), ("tps", _): return ("tokens_per_s", pair.value)
    case ("train loss", _): return ("train loss", pair.value)
    default: return (pair.key, pair.value)
    }
  }

  /// Keys that come in three lines are metrics; what they said in the first two counts too.
  private mutating func takeCandidates(
    _ pairs: [TextLine.Pair], into batch: inout RunBatch
  ) -> Bool {
    guard !pairs.isEmpty else { return false }
    if step == nil { lineCount += 1 }
    let row = step ?? lineCount - 1
    var fresh: [(String, [(row: Int, value: Double)])] = []
    for pair in pairs where !known.contains(pair.key) {
      guard candidates.count < Self.mostCandidates || candidates[pair.key] != nil else { continue }
      candidates[pair.key, default: []].append((row, Self.named(pair).value))
      guard let said = candidates[pair.key], said.count >= 3 else { continue }
      candidates[pair.key] = nil
      known.insert(pair.key)
      fresh.append((Self.named(pair).name, said.dropLast()))
    }
    if !fresh.isEmpty, step == nil, known.count == fresh.count {
      batch.warn("no step is told: lines are counted from 0")
    }
    for (name, said) in fresh {
      for (row, value) in said {
        batch.add(batch.metric(name), value)
        batch.endRow(step: row, wallTime: nil, isWhole: false)
      }
    }
    let taken = pairs.filter { known.contains($0.key) }
    guard !taken.isEmpty else { return false }
    for pair in taken {
      let (name, value) = Self.named(pair)
      batch.add(batch.metric(name), value)
    }
    batch.endRow(step: row, wallTime: nil, isWhole: false)
    return true
  }
}
