import Foundation
import Telemetry
import Testing

@testable import Formats

/// A decoder does not know how its bytes were cut.
@Suite(.timeLimit(.minutes(15))) struct DecoderCutTests {
  @Test func `there are recorded files of all formats`() throws {
    let formats = try Decoding.files.map { try LoggedRun.all(at: Decoding.path($0))[0].format }
    #expect(Decoding.files.count == 30)
    for format in [
      LoggedRun.Format.eventFiles, .wandb, .csv, .trainerState, .jsonLines, .textLog,
    ] {
      #expect(formats.contains(format))
    }
  }

  @Test(arguments: Decoding.files)
  func `in one piece, byte by byte and in random pieces the records are the same`(
    file: String
  ) throws {
    let bytes = try Decoding.bytes(file)
    let decoder = try Decoding.decoder(file)
    let whole = try Decoding.records(decoder, [bytes])
    let single = try Decoding.records(decoder, bytes.map { [$0] })
    #expect(Self.told(single).elementsEqual(Self.told(whole)))
    #expect(!whole.isEmpty)
    for seed in 0..<8 {
      var random = RandomBits(seed: UInt64(seed))
      let pieces = Self.pieces(bytes, &random)
      let records = try Decoding.records(decoder, pieces)
      #expect(Self.told(records).elementsEqual(Self.told(whole)), "seed \(seed)")
    }
    let run = try Decoding.run(decoder, bytes)
    let joined = try Decoding.run(decoder, bytes.map { [$0] })
    #expect("\(joined.generations)" == "\(run.generations)")
    #expect(joined.warnings == run.warnings && joined.description == run.description)
  }

  /// The records but descriptions, of which only the last one counts.
  private static func told(_ records: [RunRecord]) -> [String] {
    var last: RunDescription?
    var told: [String] = []
    for record in records {
      if case .description(let description) = record {
        last = description
      } else {
        told.append("\(record)")
      }
    }
    return told + [last?.name ?? "", "\(last?.totalSteps ?? -1)"]
  }

  private static func pieces(_ bytes: [UInt8], _ random: inout RandomBits) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Int.random(in: 0...min(rest.count, 40), using: &random)
      pieces.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return pieces
  }
}
