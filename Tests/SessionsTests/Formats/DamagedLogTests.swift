import Foundation
import Telemetry
import Testing

@testable import Formats

/// Other tools' files cut and with flipped bits: an error of one line, or numbers of their own.
@Suite(.timeLimit(.minutes(15))) struct DamagedLogTests {
  private static let files = Decoding.files

  /// What a file must have to be believed wherever it is damaged.
  private struct Told {
    var values: [MetricName: Set<UInt64>] = [:]
    var columns: [[MetricName: [UInt64]]] = []

    init(_ run: RecordedRun) {
      for generation in run.generations {
        columns.append([:])
        for column in generation.columns {
          let bits = column.values.map(\.bitPattern)
          columns[columns.count - 1][column.name] = bits
          values[column.name, default: []].formUnion(bits)
        }
      }
    }
  }

  private static func read(
    _ bytes: [UInt8], _ decoder: any LogDecoder
  ) throws -> RecordedRun {
    try Decoding.run(decoder, bytes)
  }

  @Test(arguments: files) func `cut at any byte it begins as the whole did`(file: String) throws {
    let whole = try Decoding.bytes(file)
    let decoder = try Decoding.decoder(file)
    let told = Told(try Self.read(whole, decoder))
    var sizes: Set<Int> = []
    for length in whole.indices {
      do {
        let run = try Self.read(Array(whole.prefix(length)), decoder)
        sizes.insert(run.sampleCount)
        for (index, generation) in run.generations.enumerated() {
          for column in generation.columns {
            let bits = column.values.map(\.bitPattern)
            #expect(
              told.columns[index][column.name]?.starts(with: bits) == true,
              "cut at \(length): \(column.name)")
          }
        }
      } catch {
        #expect(!"\(error)".contains("\n"), "cut at \(length)")
      }
    }
    // A state of Hugging Face's trainer is one document: nothing of it can be read in part.
    let isOneDocument = file.hasSuffix("trainer_state.json")
    #expect(isOneDocument ? sizes.count <= 1 : sizes.count > 1, "\(sizes)")
  }

  /// Where the format has checksums nothing is believed that was not written.
  @Test func `a line that has no end for gigabytes is no row, and makes none`() throws {
    let line = [UInt8](repeating: UInt8(ascii: "1"), count: 1 << 20)
    let pieces =
      [Array("step,loss\n1,4\n2,".utf8)]
      + [[UInt8]](repeating: line, count: LineCutter.mostBytes >> 20 + 2)
      + [Array("\n3,3\n".utf8)]
    let run = try Decoding.run(TableDecoder(path: "a.csv"), pieces)
    #expect(run.samples("loss") == "1:4.0 3:3.0")
    #expect(run.warnings == ["1 lines of more than 64 MiB are left out"])
  }

  @Test(arguments: files) func `a flipped bit in any byte is said or harmless`(file: String) throws
  {
    let whole = try Decoding.bytes(file)
    let decoder = try Decoding.decoder(file)
    let told = Told(try Self.read(whole, decoder))
    let isChecked = file.contains("tfevents") || file.hasSuffix(".wandb")
    for index in whole.indices {
      var bytes = whole
      bytes[index] ^= 1 << UInt8(index % 8)
      do {
        let run = try Self.read(bytes, decoder)
        #expect(run.sampleCount <= 80, "byte \(index)")
        guard isChecked else { continue }
        // The seventh byte of a .wandb file is its version, which no checksum covers.
        let isVersion = file.hasSuffix(".wandb") && index == 6
        #expect(run.warnings.isEmpty == isVersion, "byte \(index)")
        for column in run.generations.flatMap(\.columns) {
          let known = told.values[column.name] ?? []
          #expect(column.values.allSatisfy { known.contains($0.bitPattern) }, "byte \(index)")
        }
      } catch {
        #expect(!"\(error)".contains("\n"), "byte \(index)")
      }
    }
  }
}

/// Records of W&B's that go over the end of a block.
@Suite(.timeLimit(.minutes(15))) struct WandbLogTests {
  private static func history(step: Int, padding: Int) -> [UInt8] {
    func item(_ key: String, _ json: String) -> [UInt8] {
      var item = ProtobufWriter()
      item.bytes(1, key.utf8)
      item.bytes(16, json.utf8)
      return item.bytes
    }
    var history = ProtobufWriter()
    history.bytes(1, item("_step", "\(step)"))
    history.bytes(1, item("loss", "\(Double(step) / 8)"))
    history.bytes(1, item("_note", "\"" + String(repeating: "x", count: padding) + "\""))
    var record = ProtobufWriter()
    record.bytes(2, history.bytes)
    return record.bytes
  }

  private static func log(_ records: [[UInt8]]) -> [UInt8] {
    var bytes = WandbLog.magic + [0]
    for record in records {
      var (rest, isFirst) = (record[...], true)
      repeat {
        let room = 32768 - bytes.count % 32768
        guard room >= 7 else {
          bytes += [UInt8](repeating: 0, count: room)
          continue
        }
        let part = rest.prefix(room - 7)
        rest = rest.dropFirst(part.count)
        let kind: UInt8 = isFirst ? (rest.isEmpty ? 1 : 2) : (rest.isEmpty ? 4 : 3)
        isFirst = false
        let checksum = CRC32.of([kind] + part)
        withUnsafeBytes(of: checksum.littleEndian) { bytes += $0 }
        bytes += [UInt8(part.count & 0xff), UInt8(part.count >> 8), kind] + part
      } while !rest.isEmpty
    }
    return bytes
  }

  private static func steps(_ bytes: [UInt8]) throws -> [Int] {
    try Decoding.run(WandbDecoder(path: "a"), bytes).generations.first?.columns.first?.steps ?? []
  }

  @Test func `a record in two blocks or in four is one, and a cut or damaged one is left out`()
    throws
  {
    for padding in [32_600, 32_680, 32_690, 32_700, 100_000] {
      let records = [(0, 10), (1, padding), (2, 10)].map { Self.history(step: $0, padding: $1) }
      let whole = Self.log(records)
      let steps = try Self.steps(whole)
      #expect(steps == [0, 1, 2], "\(padding)")
      let end = Self.log(Array(records.prefix(2))).count
      for length in [end - 1, end - 20, 32768, 32769, 32775, 32760] where length < end {
        let run = try Decoding.run(WandbDecoder(path: "a"), Array(whole.prefix(length)))
        #expect(run.generations[0].columns[0].steps == [0], "\(padding) cut at \(length)")
        #expect(!run.warnings.isEmpty, "\(padding) cut at \(length)")
      }
      for index in [100, 32_500, end - 3] {
        var bytes = whole
        bytes[index] ^= 4
        let run = try Decoding.run(WandbDecoder(path: "a"), bytes)
        #expect(!run.warnings.isEmpty, "\(padding) byte \(index)")
        let steps = run.generations[0].columns[0].steps
        #expect(!steps.contains(1), "\(padding) byte \(index)")
      }
    }
  }
}
