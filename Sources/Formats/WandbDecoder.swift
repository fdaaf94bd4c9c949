import Telemetry

/// Decodes the record that W&B keeps of a run on disk: history, configuration, output, alerts, end.
package struct WandbDecoder: LogDecoder {
  private let path: String
  private var log = WandbLog()
  private var items = WandbItems()
  /// The first bytes, until it is known whether they are W&B's.
  private var magic: [UInt8] = []
  private var isForeign = false
  private var count = 0
  private var damaged = 0
  private var step = 0
  private var wallTime = 0.0
  private var notes: [String: String] = [:]
  /// What is no number, by its kind, told once.
  private var objects: Set<String> = []
  /// What its machine said since the last step.
  private var machine = MachineReadings()
  private var lastMachineStep: Int?
  /// Whether what came before is of an earlier file of the run, which was resumed.
  private var isResumed: Bool?
  private var hasEnded = false

  package init(path: String) {
    self.path = path
  }

  package mutating func decode(_ bytes: [UInt8], into batch: inout RunBatch) {
    guard !isForeign else { return }
    if magic.count < WandbLog.magic.count {
      magic += bytes.prefix(WandbLog.magic.count - magic.count)
      isForeign = !WandbLog.magic.starts(with: magic)
    }
    log.append(bytes)
    while !isForeign, let record = log.next() {
      count += 1
      if !read(record, into: &batch) { damaged += 1 }
    }
  }

  package mutating func finish(into batch: inout RunBatch) throws(FormatError) {
    guard !isForeign, magic.count == WandbLog.magic.count else {
      throw .unknown(path: path, found: "no .wandb file")
    }
    guard count > damaged else { throw .damaged(path: path, offset: 7, what: "no whole record") }
    if log.damagedBlocks > 0 {
      batch.warn("\(log.damagedBlocks) damaged blocks are left out in part")
    }
    if damaged > 0 { batch.warn("\(damaged) damaged records are left out") }
    if log.isCut { batch.warn("it ends within a record: the rest is left out") }
    if !hasEnded {
      batch.warn("it ended without an exit record: its program was killed, or still runs")
      batch.state = .stopped
    }
    addMachine(into: &batch)
  }

  /// - Returns: whether the bytes are a record.
  private mutating func read(_ bytes: [UInt8], into batch: inout RunBatch) -> Bool {
    var fields = ProtobufReader(in: bytes.indices)
    while let field = fields.next(in: bytes.span) {
      guard case .bytes(let range) = field.value else { continue }
      switch field.number {
      case 2: read(history: bytes, range, into: &batch)
      case 5: read(config: bytes, range, into: &batch)
      case 7: read(stats: bytes, range)
      case 12: WandbMetricDefinition(bytes, range)?.add(to: &batch.description)
      case 10: read(alert: bytes, range, into: &batch)
      case 13: read(output: bytes, range, into: &batch)
      case 17: read(run: bytes, range, into: &batch)
      case 18: read(exit: bytes, range, into: &batch)
      case 26: read(environment: bytes, range, into: &batch)
      default: break
      }
    }
    return !fields.isMalformed
  }

  private mutating func read(
    history bytes: [UInt8], _ range: Range<Int>, into batch: inout RunBatch
  ) {
    var others: [WandbItems.Item] = []
    var (stated, counted): (Int?, Int?)
    items.beginRecord()
    var fields = ProtobufReader(in: range)
    while let field = fields.next(in: bytes.span) {
      switch (field.number, field.value) {
      case (1, .bytes(let range)):
        if let (metric, number) = items.number(bytes, range) {
          batch.add(metric, number)
        } else if let item = items.item(bytes, range) {
          others.append(item)
        }
      case (2, .bytes(let range)): counted = Self.number(bytes, range)
      default: break
      }
    }
    for item in others {
      if item.key == "_step" { stated = item.value.step }
      if item.key == "_timestamp", let time = item.value.number, time.isFinite { wallTime = time }
    }
    step = stated ?? counted ?? step
    if isResumed == nil {
      isResumed = batch.hasMetrics
      if isResumed == true {
        batch.restart(at: step)
        batch.state = .running
      }
    }
    let time = wallTime > 0 ? wallTime : nil
    let pictures = takeObjects(others, time, into: &batch)
    for item in others where !LogKeys.isHidden(item.key) {
      if pictures.contains(where: { item.key.hasPrefix($0) }) { continue }
      if case .number = item.value { items.note(item, metric: batch.metric(item.key)) }
      item.value.eachLeaf(item.key, separator: "/") { name, value in
        if let kind = value["_type"]?.text {
          tell(of: name, kind, time, into: &batch)
        } else if let number = value.number ?? value.text.flatMap({ WrittenNumber.read($0) }) {
          batch.add(batch.metric(name), number)
        } else if let text = value.text, notes.updateValue(text, forKey: name) != text {
          batch.note("\(name): \(text)", step: step, wallTime: time)
        }
      }
    }
    batch.endRow(step: step, wallTime: time)
    addMachine(into: &batch)
  }

  /// The beginnings of the keys of images, tables and histograms, whose parts come as items of their
  /// own; what they are is said once.
  private mutating func takeObjects(
    _ items: [WandbItems.Item], _ time: Double?, into batch: inout RunBatch
  ) -> [String] {
    items.compactMap { item in
      guard item.key.hasSuffix("/_type"), let kind = item.value.text else { return nil }
      let name = String(item.key.dropLast("/_type".count))
      tell(of: name, kind, time, into: &batch)
      return name + "/"
    }
  }

  private mutating func tell(
    of name: String, _ kind: String, _ time: Double?, into batch: inout RunBatch
  ) {
    guard objects.insert("\(name) \(kind)").inserted else { return }
    batch.console("\(name) is a \(kind): not shown", wallTime: time)
  }

  private mutating func read(stats bytes: [UInt8], _ range: Range<Int>) {
    Self.each(bytes, range) { number, value in
      guard number == 3, case .bytes(let range) = value,
        let (key, value, _) = WandbItems.parts(bytes, range, separator: "."),
        !LogKeys.isHidden(key), let number = value.number
      else { return }
      machine.add(MetricCatalog.machine(key), number)
    }
  }

  /// What the machine said goes with the step that was told next.
  private mutating func addMachine(into batch: inout RunBatch) {
    guard !machine.isEmpty, step > lastMachineStep ?? .min else { return }
    lastMachineStep = step
    for reading in machine.take() { batch.add(batch.metric(reading.name.path), reading.value) }
    batch.endRow(step: step, wallTime: wallTime > 0 ? wallTime : nil, isWhole: false)
  }

  private mutating func read(
    config bytes: [UInt8], _ range: Range<Int>, into batch: inout RunBatch
  ) {
    Self.each(bytes, range) { number, value in
      guard number == 1, case .bytes(let range) = value,
        let (key, value, _) = WandbItems.parts(bytes, range, separator: "."),
        !LogKeys.isHidden(key)
      else { return }
      value.eachLeaf(key, separator: ".") { name, value in
        if let text = Self.words(value) { batch.description.options[name] = text }
      }
    }
  }

  private static func words(_ value: JSONValue) -> String? {
    switch value {
    case .number(let number): SettingValue.number(number).description
    case .flag(let flag): flag ? "on" : "off"
    case .text(let text): text
    case .null, .list, .object: nil
    }
  }

  private mutating func read(
    alert bytes: [UInt8], _ range: Range<Int>, into batch: inout RunBatch
  ) {
    let texts = Self.texts(bytes, range)
    let words = [texts[1], texts[2]].compactMap { $0 }.filter { !$0.isEmpty }
    batch.note(words.joined(separator: ": "), step: step, wallTime: wallTime)
  }

  private mutating func read(
    output bytes: [UInt8], _ range: Range<Int>, into batch: inout RunBatch
  ) {
    for line in (Self.texts(bytes, range)[3] ?? "").split(whereSeparator: \.isNewline) {
      batch.console(String(line), wallTime: wallTime)
    }
  }

  private mutating func read(
    run bytes: [UInt8], _ range: Range<Int>, into batch: inout RunBatch
  ) {
    let texts = Self.texts(bytes, range)
    batch.description.name = [texts[8], texts[1]].compactMap { $0 }.first { !$0.isEmpty } ?? ""
    if let project = texts[3] { batch.description.environment[.project] = project }
    for (number, name) in [(6, "group"), (7, "job type"), (9, "notes"), (13, "host")] {
      if let text = texts[number], !text.isEmpty { batch.description.environment[name] = text }
    }
    var tags: [String] = []
    Self.each(bytes, range) { number, value in
      guard case .bytes(let range) = value else { return }
      if number == 10 { tags.append(String(bytes, in: range)) }
      if number == 4 { read(config: bytes, range, into: &batch) }
      guard number == 17 else { return }
      Self.each(bytes, range) { number, value in
        guard number == 1, case .varint(let time) = value else { return }
        // One that was resumed began when it did first.
        if batch.description.created == 0 { batch.description.created = Double(time) }
      }
    }
    if !tags.isEmpty { batch.description.environment[.tags] = tags.joined(separator: ", ") }
  }

  /// Where and how the program was started.
  private mutating func read(
    environment bytes: [UInt8], _ range: Range<Int>, into batch: inout RunBatch
  ) {
    var arguments: [String] = []
    Self.each(bytes, range) { number, value in
      if number == 5, case .bytes(let range) = value { arguments.append(String(bytes, in: range)) }
    }
    let texts = Self.texts(bytes, range)
    let named = [(1, "os"), (2, "python"), (12, "host"), (18, "gpu")]
    for (number, name) in named {
      if let text = texts[number], !text.isEmpty { batch.description.environment[name] = text }
    }
    guard let program = texts[6], !program.isEmpty else { return }
    let words = ([program] + arguments).map(ShellWord.quoted).joined(separator: " ")
    batch.description.environment["command"] = words
  }

  private mutating func read(
    exit bytes: [UInt8], _ range: Range<Int>, into batch: inout RunBatch
  ) {
    var code = 0
    Self.each(bytes, range) { number, value in
      if number == 1, case .varint(let bits) = value {
        code = Int(Int32(truncatingIfNeeded: bits))
      }
    }
    hasEnded = true
    batch.state = code == 0 ? .finished : .failed(reason: "it ended with exit code \(code)")
  }

  // What the messages share.

  private static func each(
    _ bytes: [UInt8], _ range: Range<Int>, _ body: (Int, ProtobufReader.Value) -> Void
  ) {
    var fields = ProtobufReader(in: range)
    while let field = fields.next(in: bytes.span) { body(field.number, field.value) }
  }

  /// The number in field 1 of a message; 0 where it has none.
  private static func number(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
    var found = 0
    each(bytes, range) { number, value in
      if number == 1, case .varint(let bits) = value { found = Int(Int64(bitPattern: bits)) }
    }
    return found
  }

  private static func texts(_ bytes: [UInt8], _ range: Range<Int>) -> [Int: String] {
    var texts: [Int: String] = [:]
    each(bytes, range) { number, value in
      if case .bytes(let range) = value { texts[number] = String(bytes, in: range) }
    }
    return texts
  }
}
