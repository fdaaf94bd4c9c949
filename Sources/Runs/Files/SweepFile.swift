import Foundation
package import Sweeps
import TOMLKit
import Telemetry
import Training

/// What a `sweep.toml` says: options under the flags' own names, each with a value or a list of
/// them, and `[[grid]]` tables, whose cells are run one table's after the other's.
package struct SweepFile: Sendable {
  /// What the options beside all tables take.
  package var options: [String: [String]] = [:]
  package var zips: [[String]] = []
  /// What each `[[grid]]` has besides; empty where there is none.
  package var tables: [Table] = []
  package var draw: Grid.Draw?
  /// Options of the command itself: folder, jobs, checkpoint-seconds.
  package var conduct: [String: String] = [:]

  /// One `[[grid]]`.
  package struct Table: Sendable {
    var options: [String: [String]] = [:]
    var zips: [[String]] = []
  }

  private static let conductNames = ["folder", "jobs", "checkpoint-seconds"]
  private static let ownNames = ["zip", "random", "random-seed", "grid", GridTable.sizes]

  package init() {}

  /// - Throws: `RunFile.Flaw`: what is wrong, and where.
  package init(path: String) throws(RunFile.Flaw) {
    try self.init(text: RunFile.text(at: path), path: path)
  }

  package init(text: String, path: String) throws(RunFile.Flaw) {
    let table = try RunFile.table(text, path: path)
    for (key, value) in table where !["grid", "random", "random-seed"].contains(key) {
      if Self.conductNames.contains(key) {
        conduct[key] = try Self.conduct(key, value, path: path)
      } else if key == "zip" {
        zips = try Self.zips(value, path: path)
      } else {
        options[key] = try Self.values(key, value, path: path)
      }
    }
    draw = try Self.draw(table, path: path)
    guard let grids = table["grid"] else { return }
    guard let list = grids.array, !list.isEmpty else {
      throw .wrongValue(path: path, key: "grid", reason: "write [[grid]] with options below it")
    }
    for entry in list {
      guard let table = entry.table else {
        throw .wrongValue(path: path, key: "grid", reason: "write [[grid]] with options below it")
      }
      tables.append(try Self.table(table, path: path))
    }
  }

  private static func conduct(
    _ key: String, _ value: any TOMLValueConvertible, path: String
  ) throws(RunFile.Flaw) -> String {
    let words = RunFile.words(value) ?? ""
    let allowed: String? =
      switch key {
      case "jobs":
        Int(words).map((1...1024).contains) == true ? nil : "a whole number from 1 to 1024"
      case "checkpoint-seconds":
        Double(words).map((0...1e6).contains) == true ? nil : "seconds from 0 to 1e6"
      default: words.isEmpty ? "a folder's path" : nil
      }
    if let allowed { throw .wrongValue(path: path, key: key, reason: "give \(allowed)") }
    return words
  }

  private static func table(_ table: TOMLTable, path: String) throws(RunFile.Flaw) -> Table {
    var found = Table()
    for (key, value) in table {
      if key == "zip" {
        found.zips = try zips(value, path: path)
      } else {
        found.options[key] = try values(key, value, path: path)
      }
    }
    return found
  }

  private static func values(
    _ key: String, _ value: any TOMLValueConvertible, path: String
  ) throws(RunFile.Flaw) -> [String] {
    guard key == GridTable.sizes || RunOptionCatalog.option(key) != nil else {
      let known = RunOptionCatalog.all.map(\.name) + conductNames + ownNames
      throw .unknownKey(
        path: path, key: key,
        nearest: RunOptionCatalog.namesElsewhere[key] ?? key.nearest(among: known))
    }
    if let words = RunFile.words(value) { return [words] }
    guard let list = value.array else {
      throw .wrongValue(path: path, key: key, reason: "give a value or a list of them")
    }
    let words = list.compactMap { RunFile.words($0) }
    guard words.count == list.count else {
      throw .wrongValue(path: path, key: key, reason: "give numbers, true, false or strings")
    }
    return words
  }

  /// `"layers,heads"`, or several of them.
  private static func zips(
    _ value: any TOMLValueConvertible, path: String
  ) throws(RunFile.Flaw) -> [[String]] {
    let words = value.string.map { [$0] } ?? value.array?.compactMap(\.string)
    guard let words else {
      throw .wrongValue(path: path, key: "zip", reason: "give options, such as \"layers,heads\"")
    }
    return words.map(zip)
  }

  /// `layers,heads`.
  package static func zip(_ words: String) -> [String] {
    words.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static func draw(_ table: TOMLTable, path: String) throws(RunFile.Flaw) -> Grid.Draw? {
    for key in ["random", "random-seed"] {
      guard let value = table[key] else { continue }
      guard let number = value.int, number >= (key == "random" ? 1 : 0) else {
        throw .wrongValue(path: path, key: key, reason: "give a whole number")
      }
    }
    return table["random"]?.int.map {
      Grid.Draw(count: $0, seed: table["random-seed"]?.int ?? 0)
    }
  }
}

extension SweepFile {
  /// The grid it comes to.
  /// - Throws: ``GridError``.
  package func grid() throws(GridError) -> Grid {
    guard !tables.isEmpty else {
      guard !options.isEmpty else { throw .noValues(name: "the sweep") }
      return try Grid([GridTable(options, zips: zips)], draw: draw)
    }
    var made: [GridTable] = []
    for table in tables {
      var own = table.options
      // A table that names sizes of its own has no use for the presets beside it.
      var common = options
      for (one, other) in [("preset", GridTable.sizes), (GridTable.sizes, "preset")]
      where own[one] != nil { common[other] = nil }
      own.merge(common) { own, _ in own }
      made.append(try GridTable(own, zips: zips + table.zips))
    }
    return try Grid(made, draw: draw)
  }

  /// What is given on the command line wins, over the tables too.
  package mutating func take(_ given: [String: [String]]) {
    for name in given.keys {
      for index in tables.indices { tables[index].options[name] = nil }
    }
    options.merge(given) { _, given in given }
  }
}

extension Grid {
  /// The grid as a `sweep.toml`.
  package var text: String {
    var lines = ["# Written by seismo sweep: the grid of this folder's cells."]
    if let draw { lines += ["random = \(draw.count)", "random-seed = \(draw.seed)"] }
    for table in tables {
      if tables.count > 1 { lines += ["", "[[grid]]"] }
      for (name, words) in table.given.sorted(by: { $0.key < $1.key }) {
        let list = words.map(TOMLText.quoted).joined(separator: ", ")
        lines.append("\(name) = \(words.count == 1 ? list : "[\(list)]")")
      }
      guard !table.zips.isEmpty else { continue }
      let zips = table.zips.map { TOMLText.quoted($0.joined(separator: ",")) }
      lines.append("zip = [\(zips.joined(separator: ", "))]")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
