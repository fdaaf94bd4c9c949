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
  /// What is known of a tag.
  private struct Tag {
    let name: String
    /// What it is for; comes with its first value only.
    var plugin: String?
    /// What stands for its metric.
    var metric: Int?
    /// What came after it: a writer logs its tags in the same order at every step.
    var follower: Int?
  }

  private var keys = ByteKeys()
  private var tags: [Tag] = []
  private var lastTag: Int?
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
    let held = frames.bytes
    while let frame = frames.next() {
      switch frame {
      case .event(let range):
        if !read(event: held, in: range, into: &batch) { damaged += 1 }
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
    var fields = ProtobufReader(in: range)
    while let field = fields.next(in: bytes.span) {
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
      var values = ProtobufReader(in: range)
      while let field = values.next(in: bytes.span) {
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
    var fields = ProtobufReader(in: range)
    while let field = fields.next(in: bytes.span) {
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
    var fields = ProtobufReader(in: range)
    while let field = fields.next(in: bytes.span) {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): tag = range
      case (2, .fixed32(let bits)): number = Double(Float(bitPattern: bits))
      case (8, .bytes(let range)): tensor = range
      case (9, .bytes(let range)): metadata = range
      default: break
      }
    }
    guard let tag, !fields.isMalformed else { return false }
    guard number != nil || tensor != nil || metadata != nil else { return true }
    let known = self.tag(bytes, in: tag)
    if let metadata { read(metadata: bytes, in: metadata, tag: known, &batch) }
    if let number {
      batch.add(metric(of: known, in: &batch), number)
      return true
    }
    guard let tensor else { return true }
    let content = TensorContent(bytes, in: tensor)
    switch tags[known].plugin ?? "scalars" {
    case "scalars":
      guard let value = content.scalar else { return !content.isMalformed }
      batch.add(metric(of: known, in: &batch), value)
    case "text":
      for text in content.texts {
        batch.note("\(tags[known].name): \(text)", step: step, wallTime: wallTime)
      }
    default: break
    }
    return !content.isMalformed
  }

  /// Whether it holds what a run was started with.
  var hasHyperParameters: Bool { tags.contains { $0.plugin == "hparams" } }

  /// The number of a tag. It is looked up by its bytes, since making a string of each costs more than
  /// all the rest; the one that came after the last one before is tried first.
  private mutating func tag(_ bytes: [UInt8], in range: Range<Int>) -> Int {
    if let follower = lastTag.flatMap({ tags[$0].follower }),
      keys.keys[follower].count == range.count,
      bytes.span.holds(keys.keys[follower], at: range.lowerBound)
    {
      lastTag = follower
      return follower
    }
    let number = keys.insert(bytes.span, in: range)
    if number == tags.count { tags.append(Tag(name: String(bytes, in: range))) }
    if let lastTag { tags[lastTag].follower = number }
    lastTag = number
    return number
  }

  private mutating func metric(of tag: Int, in batch: inout RunBatch) -> Int {
    if let metric = tags[tag].metric { return metric }
    let name = tags[tag].name
    let line = part.flatMap { Self.line(of: $0, tag: name) }
    let metric = batch.metric(line.map { "\(name)/\($0)" } ?? name)
    tags[tag].metric = metric
    return metric
  }

  private mutating func read(
    metadata bytes: [UInt8], in range: Range<Int>, tag: Int, _ batch: inout RunBatch
  ) {
    var fields = ProtobufReader(in: range)
    while let field = fields.next(in: bytes.span) {
      guard field.number == 1, case .bytes(let range) = field.value else { continue }
      var plugin = ProtobufReader(in: range)
      while let field = plugin.next(in: bytes.span) {
        switch (field.number, field.value) {
        case (1, .bytes(let name)): tags[tag].plugin = String(bytes, in: name)
        case (2, .bytes(let content)) where tags[tag].plugin == "hparams":
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
