import ArgumentParser
import Foundation
import Runs
import Screen
import Sweeps

struct Sweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a grid of small models: which rate, at which size, with which mitigation.",
    discussion: """
      Every option of train takes several values: a,b,c; 1..5 for whole numbers; lo..hi*n for n \
      values evenly in log. Their product is run, a session a cell, a core each, the longest first. \
      Run again, it goes on where it was. Options may stand in a sweep.toml (--config) under their \
      own names, each with a value or a list; several [[grid]] tables are run one after the \
      other. What has one value for all is left out of the cells that it would change nothing in.
      """)

  @Argument(help: "the folder of a sweep to go on with, or to look at") var sweep: String?
  @OptionGroup(title: "The cells") var options: SweepOptions
  @Option(help: "a sweep.toml: the same options under their own names, [[grid]] tables")
  var config: String?
  @Option(help: "where the cells are recorded (default: sweeps/ and the time)") var folder: String?
  @Option(help: "options whose lists run in step, such as layers,heads; may be given several times")
  var zip: [String] = []
  @Option(
    help:
      "three rates around what is suggested for each size: suggest (the Step Law), or a sweep's folder"
  )
  var around: String?
  @Option(help: "so many cells of the grid, drawn at random") var random: Int?
  @Option(help: "seed of that draw") var randomSeed: Int?
  @Flag(help: "add the grid's cells to those of the folder") var extend = false
  @Flag(help: "print the cells with what they cost, and end") var list = false
  @Option(help: "cells at once (default: as many as cores)") var jobs: Int?
  @Option(help: "run this part of the cells, such as 3/16") var shard: String?
  @Option(help: "run the cell with this number, as --list counts them") var cell: Int?
  @Flag(help: "share the folder: take cells that no other process has") var claim = false
  @Option(help: "with --claim: seconds after which a process that is silent is gone")
  var stale: Double?
  @Option(
    help: "at a ninth and at a third of the steps one in so many equal cells goes on, such as 3")
  var halving: Int?
  @Option(help: "seconds between two checkpoints of a cell; 0 is none before its end")
  var checkpointSeconds: Double?
  @Flag(inversion: .prefixedNo, help: "no screen: plain lines") var headless: Bool?
  @Flag(help: "a line a cell that ends, and one JSON object with all of them at the end")
  var json = false
  @Flag(help: "of a folder's sweep: print its screen as text") var text = false
  @Option(help: "of a folder's sweep: write its screen as SVG to this file, - for standard output")
  var svg: String?
  @Option(help: "of a folder's sweep: write a page with all numbers to this file") var html: String?
  @Option(
    help: "columns and rows of a printed screen, such as 120x40", transform: ScreenSize.init(words:)
  )
  var size: ScreenSize?
  @Option(help: "theme: see seismo themes") var theme: String?

  mutating func validate() throws {
    try validateNumbers()
    try validateParts()
    let shows = [text, svg != nil, html != nil, json, list].count { $0 }
    if shows > 1 {
      throw ValidationError("--text, --svg, --html, --json and --list: give one of them")
    }
    if svg == "" || html == "" {
      throw ValidationError("--svg and --html: give a file name, or - for standard output")
    }
    if around != nil, random != nil {
      throw ValidationError("--around and --random: give one of them")
    }
    if around == "" || (around != nil && !hasGrid) {
      throw ValidationError("--around: give it beside a grid, as suggest or a sweep's folder")
    }
    if sweep != nil, folder != nil {
      throw ValidationError("the folder is given already: leave --folder out")
    }
  }

  private func validateNumbers() throws {
    if let random, random < 1 { throw ValidationError("--random \(random): give at least 1") }
    if let seed = randomSeed, seed < 0 {
      throw ValidationError("--random-seed \(seed): give a whole number from 0")
    }
    if let jobs, !(1...1024).contains(jobs) {
      throw ValidationError("--jobs \(jobs): give a whole number from 1 to 1024")
    }
    if let stale, !(stale >= 2 && stale <= 1e6) {
      throw ValidationError("--stale \(stale): give seconds from 2 to 1e6")
    }
    if let seconds = checkpointSeconds, !(seconds >= 0 && seconds <= 1e6) {
      throw ValidationError("--checkpoint-seconds \(seconds): give seconds from 0 to 1e6")
    }
    if let halving, !(2...100).contains(halving) {
      throw ValidationError("--halving \(halving): give a whole number from 2 to 100")
    }
  }

  /// What says which cells this process runs.
  private func validateParts() throws {
    if halving != nil, shard != nil || cell != nil || claim {
      throw ValidationError(
        "--halving compares all cells of a size: leave --shard, --cell and --claim out")
    }
    if stale != nil, !claim { throw ValidationError("--stale: it goes with --claim") }
    if randomSeed != nil, random == nil {
      throw ValidationError("--random-seed: it goes with --random")
    }
    if [shard != nil, cell != nil, claim].count(where: { $0 }) > 1 {
      throw ValidationError("--shard, --cell and --claim: give one of them")
    }
  }

  mutating func run() throws {
    let file = try gridFile()
    let place = sweep ?? folder ?? file.conduct["folder"]
    let plan = try plan(file, in: place.map { SweepFolder(path: $0) })
    if list { return try SweepListing(plan).print() }
    guard !shows || hasGrid else { return try show(plan) }
    try ConductedSweep(plan: plan, watcher: watcher).conduct()
    if shows { try show(plan) }
  }

  /// Whether the sweep is to be shown without a terminal.
  private var shows: Bool { text || svg != nil || html != nil }
  private var hasGrid: Bool { config != nil || !options.given.isEmpty }

  private var watcher: ConductedSweep.Watcher {
    if json { return .json }
    if shows { return .silent }
    let conduct = ["headless": headless == true ? "on" : "off"]
    if case .dashboard = Watcher(conduct, data: nil) { return .screen(theme: theme) }
    return .lines
  }

  private func show(_ plan: SweepPlan) throws {
    let size = size?.size ?? Size(columns: 160, rows: 48)
    let report = SweepReport(plan)
    if let svg {
      try report.writePicture(to: svg, size: size, theme: theme)
    } else if let html {
      try report.writePage(to: html, size: size, theme: theme)
    } else {
      try report.printText(size: size, theme: theme)
    }
  }

  /// The file's grid with what the command line says.
  private func gridFile() throws -> SweepFile {
    var file =
      try config.map { path throws(RunFile.Flaw) in try SweepFile(path: path) }
      ?? SweepFile()
    file.take(options.given)
    file.zips += zip.map(SweepFile.zip)
    if let random { file.draw = Grid.Draw(count: random, seed: randomSeed ?? 0) }
    return file
  }

  /// The file's grid, with rates around those that are suggested where it is to have such.
  private func given(_ file: SweepFile) throws -> Grid {
    guard let around else { return try file.grid() }
    let rates = try RatesAround(around, of: file.grid())
    Seismo.report(rates.words)
    return rates.grid
  }

  private func plan(_ file: SweepFile, in place: SweepFolder?) throws -> SweepPlan {
    let selection: CellSelection =
      if let shard { try CellSelection(shard: shard) } else if let cell { .cell(cell) } else {
        .all
      }
    let target = place ?? .fresh()
    guard hasGrid || place != nil else { throw GridError.noValues(name: "the sweep") }
    let grid =
      hasGrid ? try target.joined(with: given(file), extending: extend) : try target.grid()
    let seconds = checkpointSeconds ?? file.conduct["checkpoint-seconds"].flatMap { Double($0) }
    let plan = try SweepPlan(
      folder: target, grid: grid, selection: selection,
      jobs: jobs ?? file.conduct["jobs"].flatMap { Int($0) }, checkpointSeconds: seconds ?? 30,
      stale: claim ? stale ?? 120 : nil, halving: halving)
    if !list { try target.take(grid) }
    return plan
  }
}
