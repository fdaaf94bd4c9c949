import Telemetry

/// Decodes a TensorBoard event file: scalars of every kind that a writer makes, texts as notes,
/// hyper-parameters as options.
///
/// Pictures, histograms, graphs and tensors of more than one number are passed over. The files of one
/// run are decoded into one batch, a decoder each.
package struct EventFileDecoder: LogDecoder {
  private let name: String
  /// What a writer calls the folder of one of several lines in a chart.
  private let part: String?
  private var frames = EventFrames()
  private var damaged = 0
  /// Events of any kind.
  private var eventCount = 0
  /// What a tag is for; comes with its first value only.
  private var plugins: [String: String] = [:]
  private var tags: [ArraySlice<UInt8>: Int] = [:]
  /// What was met after which: a writer logs its tags in the same order at every step.
  private var followers: [(tag: ArraySlice<UInt8>, metric: Int)?] = []
  private var lastMetric = 0
  private var hasStarted = false

  /// `path`: the file, which warnings name. `part`: the folder below its run's in which it lies, as
  /// torch's `add_scalars` makes one for each line of a chart.
  package init(path: String, part: String? = nil) {
    name = SourceFile.name(of: path)
    self.part = part
  }

  /// What a folder `chart_line` adds to the tag `chart` in it; nil where it is no such folder.
  static func line(of folder: String, tag: String) -> Substring? {
    let start = tag.replacing("/", with: "_") + "_"
    return folder.hasPrefix(start) && folder.count > start.count
      ? folder.dropFirst(start.count) : nil
  }

  package mutating func decode(_ bytes: [UInt8], into batch: inout RunBatch) {
    frames.append(bytes)
    while let frame = frames.next() {
      switch frame {
      case .event(let range):
        if !read(event: frames.bytes, in: range, into: &batch) { damaged += 1 }
      case .damaged: damaged += 1
      case .broken(let position):
        batch.warn("\(name) is damaged at byte \(position): what follows is left out")
      }
    }
  }

  package mutating func finish(into batch: inout RunBatch) throws(FormatError) {
    if damaged > 0 { batch.warn("\(name): \(damaged) damaged records are left out") }
    if frames.rest > 0, !frames.isBroken {
      batch.warn("\(name) ends within a record: its last \(frames.rest) bytes are left out")
    }
    guard eventCount > 0 else { throw .unknown(path: name, found: "no whole event file") }
  }

  /// - Returns: whether the bytes are an event.
  private mutating func read(
    event bytes: [UInt8], in range: Range<Int>, into batch: inout RunBatch
  ) -> Bool {
    var (wallTime, step) = (0.0, 0)
    var summaries: [Range<Int>] = []
    var log: Range<Int>?
    var fields = ProtobufReader(bytes, in: range)
    while let field = fields.next() {
      switch (field.number, field.value) {
      case (1, .fixed64(let bits)): wallTime = Double(bitPattern: bits)
      case (2, .varint(let number)): step = Int(Int64(bitPattern: number))
      case (5, .bytes(let range)): summaries.append(range)
      case (7, .bytes(let range)): log = range
      default: break
      }
    }
    eventCount += 1
    if batch.description.created == 0 { batch.description.created = wallTime }
    if let log { read(log: bytes, in: log, step: step, into: &batch) }
    var isWhole = !fields.isMalformed
    for range in summaries {
      var values = ProtobufReader(bytes, in: range)
      while let field = values.next() {
        guard field.number == 1, case .bytes(let range) = field.value else { continue }
        if !read(value: bytes, in: range, step: step, wallTime: wallTime, into: &batch) {
          isWhole = false
        }
      }
      if values.isMalformed { isWhole = false }
    }
    // A writer may log each metric in an event of its own: none of them tells what the run does.
    batch.endRow(step: step, wallTime: wallTime, isWhole: false)
    return isWhole
  }

  /// A START after the first says that a run begins again.
  private mutating func read(
    log bytes: [UInt8], in range: Range<Int>, step: Int, into batch: inout RunBatch
  ) {
    var fields = ProtobufReader(bytes, in: range)
    while let field = fields.next() {
      guard field.number == 1, case .varint(1) = field.value else { continue }
      if batch.hasMetrics || hasStarted { batch.restart(at: step) }
      hasStarted = true
    }
  }

  private mutating func read(
    value bytes: [UInt8], in range: Range<Int>, step: Int, wallTime: Double,
    into batch: inout RunBatch
  ) -> Bool {
    var number: Double?
    var (tag, tensor, metadata): (Range<Int>?, Range<Int>?, Range<Int>?)
    var fields = ProtobufReader(bytes, in: range)
    while let field = fields.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): tag = range
      case (2, .fixed32(let bits)): number = Double(Float(bitPattern: bits))
      case (8, .bytes(let range)): tensor = range
      case (9, .bytes(let range)): metadata = range
      default: break
      }
    }
    guard let tag, !fields.isMalformed else { return false }
    if let metadata { read(metadata: bytes, in: metadata, tag: String(bytes, in: tag), &batch) }
    if let number {
      batch.add(metric(bytes[tag], in: &batch), number)
      return true
    }
    guard let tensor else { return true }
    let content = TensorContent(bytes, in: tensor)
    switch plugins[String(bytes, in: tag)] ?? "scalars" {
    case "scalars":
      guard let value = content.scalar else { return !content.isMalformed }
      batch.add(metric(bytes[tag], in: &batch), value)
    case "text":
      for text in content.texts {
        batch.note("\(String(bytes, in: tag)): \(text)", step: step, wallTime: wallTime)
      }
    default: break
    }
    return !content.isMalformed
  }

  /// Whether it holds what a run was started with.
  var hasHyperParameters: Bool { plugins.values.contains("hparams") }

  /// Tags are looked up by their bytes: making a string of each costs more than all the rest. The
  /// tag that came after the last one before is tried first.
  private mutating func metric(_ tag: ArraySlice<UInt8>, in batch: inout RunBatch) -> Int {
    if lastMetric < followers.count, let follower = followers[lastMetric], follower.tag == tag {
      lastMetric = follower.metric
      return lastMetric
    }
    let index = lookedUp(tag, in: &batch)
    while followers.count <= lastMetric { followers.append(nil) }
    followers[lastMetric] = (ArraySlice(Array(tag)), index)
    lastMetric = index
    return index
  }

  private mutating func lookedUp(_ tag: ArraySlice<UInt8>, in batch: inout RunBatch) -> Int {
    if let index = tags[tag] { return index }
    let name = String(decoding: tag, as: UTF8.self)
    let line = part.flatMap { Self.line(of: $0, tag: name) }
    let index = batch.metric(line.map { "\(name)/\($0)" } ?? name)
    tags[ArraySlice(Array(tag))] = index
    return index
  }

  private mutating func read(
    metadata bytes: [UInt8], in range: Range<Int>, tag: String, _ batch: inout RunBatch
  ) {
    var fields = ProtobufReader(bytes, in: range)
    while let field = fields.next() {
      guard field.number == 1, case .bytes(let range) = field.value else { continue }
      var plugin = ProtobufReader(bytes, in: range)
      while let field = plugin.next() {
        switch (field.number, field.value) {
        case (1, .bytes(let name)): plugins[tag] = String(bytes, in: name)
        case (2, .bytes(let content)) where plugins[tag] == "hparams":
          batch.description.options.merge(HyperParameters.read(bytes, in: content)) { $1 }
        default: break
        }
      }
    }
  }
}

extension String {
  init(_ bytes: [UInt8], in range: Range<Int>) {
    self.init(decoding: bytes[range], as: UTF8.self)
  }
}
