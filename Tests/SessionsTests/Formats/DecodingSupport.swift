import Foundation
import Telemetry
import Testing
import TestSupport

@testable import Formats

/// Decodes bytes in pieces, as a file that grows hands them out.
enum Decoding {
  static func run(_ decoder: any LogDecoder, _ pieces: [[UInt8]]) throws -> RecordedRun {
    var decoder = decoder
    var batch = RunBatch()
    var assembly = RunAssembly()
    for piece in pieces {
      decoder.decode(piece, into: &batch)
      assembly.take(&batch)
    }
    try decoder.finish(into: &batch)
    assembly.take(&batch)
    return assembly.finished(batch)
  }

  static func run(_ decoder: any LogDecoder, _ bytes: [UInt8]) throws -> RecordedRun {
    try run(decoder, [bytes])
  }

  /// The records that a follower gets.
  static func records(_ decoder: any LogDecoder, _ pieces: [[UInt8]]) throws -> [RunRecord] {
    var decoder = decoder
    var batch = RunBatch()
    var records: [RunRecord] = []
    for piece in pieces {
      decoder.decode(piece, into: &batch)
      records += batch.takeRecords(clock: 0)
    }
    try decoder.finish(into: &batch)
    return records + batch.takeRecords(clock: 0)
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Every recorded file and every case, so that none is forgotten.
  static let files: [String] = ["Recorded", "Cases"].flatMap { part in
    let root = folder.appendingPathComponent(part).path
    let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return all.filter {
      !FileSystem.isFolder("\(root)/\($0)") && !$0.hasSuffix(".yaml") && !$0.hasSuffix(".py")
        && !$0.hasSuffix(".seismo") && !$0.hasPrefix("whole/")
    }.map { "\(part)/\($0)" }
  }.sorted()

  static func path(_ file: String) -> String { folder.appendingPathComponent(file).path }

  static func bytes(_ file: String) throws -> [UInt8] { try SourceFile.bytes(of: path(file)) }

  static func decoder(_ file: String) throws -> any LogDecoder {
    try LoggedRun.all(at: path(file))[0].decoder(of: path(file))
  }
}

extension RecordedRun {
  /// The samples of a metric as they were logged, `50:1.5 100:1.4`, a generation after another.
  func samples(_ name: MetricName) -> String {
    generations.map { generation in
      generation.columns.filter { $0.name == name }.map { column in
        zip(column.steps, column.values).map { "\($0):\($1)" }.joined(separator: " ")
      }.joined(separator: "; ")
    }.joined(separator: " | ")
  }

  var notes: [String] {
    generations.flatMap(\.happenings).compactMap { record in
      guard case .event(let event) = record else { return nil }
      return "\(event.step) \(event.text)"
    }
  }

  var console: [String] {
    generations.flatMap(\.happenings).compactMap { record in
      guard case .console(_, let line) = record else { return nil }
      return line
    }
  }
}
