import Foundation
import Signals
import Telemetry
import Testing

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct EventFileTests {
  private func bytes(_ hex: String) -> [UInt8] {
    hex.split(separator: " ").compactMap { UInt8($0, radix: 16) }
  }

  @Test func `a record has TensorBoard's bytes`() {
    var event = ProtobufWriter()
    event.double(1, 1.7e9)
    event.bytes(3, "brain.Event:2".utf8)
    #expect(
      EventFrames.frame(event.bytes)
        == bytes(
          """
          18 00 00 00 00 00 00 00 a3 7f 4b 22 09 00 00 00 40 fc 54 d9 41 1a 0d 62 72 61 69 6e 2e \
          45 76 65 6e 74 3a 32 ec ed 8f 9d
          """))
    let sample = bytes(
      "09 00 00 00 40 fc 54 d9 41 10 0c 2a 0d 0a 0b 0a 04 6c 6f 73 73 15 00 00 c0 3f")
    #expect(EventFrames.frame(sample).suffix(4) == [0x9e, 0xa2, 0xb7, 0x95])
    let column = read(EventFrames.frame(sample)).generations[0].columns[0]
    #expect(column == MetricColumn(name: "loss", steps: [12], values: [1.5]))
  }

  private func exported(_ run: RecordedRun) -> [UInt8] {
    var bytes: [UInt8] = []
    TensorBoardExport(run).eachRecord { bytes += $0 }
    return bytes
  }

  private func read(_ bytes: [UInt8]) -> RecordedRun {
    var decoder = EventFileDecoder(path: "events")
    var batch = RunBatch()
    var assembly = RunAssembly()
    decoder.decode(bytes, into: &batch)
    // A file without an event is an error; what it said stands all the same.
    try? decoder.finish(into: &batch)
    assembly.take(&batch)
    return assembly.finished(batch)
  }

  @Test func `an export read again is the same run, generations and non-finite numbers included`() {
    var records: [RunRecord] = []
    for (start, end) in [(0, 9), (5, 12)] {
      if start > 0 { records.append(.generation(startingAt: start)) }
      for step in start..<end {
        let value: Double = step == 3 ? .nan : step == 4 ? -.infinity : Double(step) / 8
        records.append(
          .samples(
            StepSamples(
              step: step, wallTime: 1.7e9 + Double(step), names: ["loss", "lr"],
              values: [value, 0.5])))
      }
    }
    let run = RecordedRun(records: records)
    let again = read(exported(run))
    #expect(again.warnings.isEmpty)
    expectEqual(TestRun.history(again.records), TestRun.history(run.records))
    #expect(again.generations.map(\.startingStep) == [0, 5])
  }

  @Test func `a file cut at any byte gives its whole records and says so`() {
    let run = RecordedRun(records: TestRun.samples(0..<6))
    let whole = exported(run)
    let told = read(whole)
    var sizes: Set<Int> = []
    for length in 0..<whole.count {
      let part = read(Array(whole.prefix(length)))
      sizes.insert(part.sampleCount)
      #expect(part.sampleCount < told.sampleCount)
      #expect(part.sampleCount % TestRun.names.count == 0)
      for column in part.generations.first?.columns ?? [] {
        let original = told.generations[0].columns.first { $0.name == column.name }
        #expect(original?.values.starts(with: column.values) == true)
      }
    }
    #expect(sizes == Set((0..<6).map { $0 * TestRun.names.count }))
  }

  @Test func `a flipped bit loses a record or the rest, is said, and invents nothing`() {
    let whole = exported(RecordedRun(records: TestRun.samples(0..<4)))
    let told = read(whole)
    for index in whole.indices {
      for bit in 0..<8 {
        var bytes = whole
        bytes[index] ^= 1 << UInt8(bit)
        let part = read(bytes)
        #expect(!part.warnings.isEmpty, "bit \(bit) of byte \(index)")
        for column in part.generations.first?.columns ?? [] {
          let original = told.generations[0].columns.first { $0.name == column.name }
          let known = original.map { Set($0.values) } ?? []
          #expect(column.values.allSatisfy(known.contains), "bit \(bit) of byte \(index)")
        }
      }
    }
  }

  @Test func `protobuf of any bytes ends`() {
    var random = RandomBits(seed: 3)
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = read(EventFrames.frame(bytes))
      var fields = ProtobufReader(in: bytes.indices)
      var count = 0
      while fields.next(in: bytes.span) != nil { count += 1 }
      #expect(count <= length)
      #expect(TensorContent(bytes, in: bytes.indices).texts.count <= length)
    }
  }

  @Test func `a metric that counts epochs opens no generation, a run that goes back does`() {
    var (batch, assembly) = (RunBatch(), RunAssembly())
    func add(_ name: String, _ step: Int, _ value: Double) {
      batch.add(batch.metric(name), value)
      batch.endRow(step: step, wallTime: Double(step))
    }
    for step in 0..<40 {
      add("loss", step, 1)
      if step % 10 == 9 { add("epoch/loss", step / 10, 2) }
    }
    assembly.take(&batch)
    #expect(assembly.finished(batch).generations.count == 1)
    add("loss", 20, 3)
    add("loss", 21, 3)
    assembly.take(&batch)
    let run = assembly.finished(batch)
    #expect(run.generations.map(\.startingStep) == [0, 20])
    #expect(run.generations[1].columns.map(\.steps) == [[20, 21]])
    #expect(run.sampleCount == 46)
  }

  @Test func `a tag that goes back in an event of its own supersedes itself alone`() {
    func event(_ tag: String, _ step: Int, _ value: Float) -> [UInt8] {
      var (number, summary, event) = (ProtobufWriter(), ProtobufWriter(), ProtobufWriter())
      number.bytes(1, tag.utf8)
      number.float(2, value)
      summary.bytes(1, number.bytes)
      event.double(1, 1.7e9)
      event.varint(2, step)
      event.bytes(5, summary.bytes)
      return EventFrames.frame(event.bytes)
    }
    let run = read(
      event("loss", 1, 4) + event("lr", 1, 1) + event("loss", 2, 3) + event("loss", 1, 2)
        + event("lr", 3, 1))
    #expect(run.generations.count == 1)
    #expect(run.samples("loss") == "1:4.0 2:3.0 1:2.0")
    #expect(run.newest.samples("loss") == "1:2.0")
    #expect(run.newest.samples("lr") == "1:1.0 3:1.0")
  }
}
