import Telemetry
import Training

/// One product of lists: each option takes each of its values with each of the others', but for
/// those that run in step.
package struct GridTable: Sendable {
  /// What was given, by option: lists as they were written.
  package let given: [String: [String]]
  /// Options whose lists run in step.
  package let zips: [[String]]
  let axes: [Axis]

  /// An option, or several in step.
  struct Axis: Sendable {
    let names: [String]
    let values: [GridValues]
    let count: Int
  }

  /// What sizes are called beside the preset.
  package static let sizes = "sizes"
  /// Options that a cell's own run has no say in.
  package static let unfit = [
    "workers": "a cell has one core: --jobs says how many cells run at once",
    "base": "a sweep trains new models: seismo finetune --compare holds methods against each other",
    "monitor": "the machine is shared by all cells, and recorded with none",
  ]

  /// - Parameters:
  ///   - given: what each option takes, by its long name, or `sizes` for presets.
  ///   - zips: options whose lists run in step, each option once.
  /// - Throws: ``GridError``: what is no option, no value or no pair of lists.
  package init(_ given: [String: [String]], zips: [[String]] = []) throws(GridError) {
    var given = given
    if let sizes = given.removeValue(forKey: Self.sizes) {
      guard given["preset"] == nil else {
        throw .unfit(name: Self.sizes, reason: "the presets are given already: give one of them")
      }
      given["preset"] = sizes
    }
    let zips = zips.map { $0.map { $0 == Self.sizes ? "preset" : $0 } }
    var values: [String: GridValues] = [:]
    for (name, words) in given.sorted(by: { $0.key < $1.key }) {
      values[name] = try Self.values(name, words)
    }
    (self.given, self.zips) = (given, zips)
    axes = try Self.axes(values, zips: zips)
  }

  private static func values(
    _ name: String, _ words: [String]
  ) throws(GridError) -> GridValues {
    if let reason = unfit[name] { throw .unfit(name: name, reason: reason) }
    guard let option = RunOptionCatalog.option(name) else {
      let known = RunOptionCatalog.all.map(\.name).filter { unfit[$0] == nil }
      throw .unknownOption(
        name: name,
        nearest: RunOptionCatalog.namesElsewhere[name] ?? name.nearest(among: known + [sizes]))
    }
    if name == "data", words.contains("-") {
      throw .unfit(
        name: name,
        reason: "standard input can be read once, and a sweep goes on later: name a file")
    }
    let ends = [".checkpoints", ".checkpoints/"]
    if name == "distil", let folder = words.first(where: { ends.contains(where: $0.hasSuffix) }) {
      throw .unfit(
        name: name,
        reason: "\(folder) may have a newer checkpoint when later cells begin: name one, step-…,"
          + " in it")
    }
    return try GridValues(words, of: option)
  }

  /// In the order of the table of options; what runs in step stands where its first option does.
  private static func axes(
    _ values: [String: GridValues], zips: [[String]]
  ) throws(GridError) -> [Axis] {
    for names in zips {
      for name in names where values[name] == nil { throw .zipUnknown(name: name) }
      let counts = names.compactMap { values[$0]?.count }
      guard Set(counts).count <= 1 else { throw .zipUneven(names: names, counts: counts) }
    }
    var axes: [Axis] = []
    var done: Set<String> = []
    for option in RunOptionCatalog.all where !done.contains(option.name) {
      guard values[option.name] != nil else { continue }
      let names = zips.first { $0.contains(option.name) } ?? [option.name]
      let lists = names.compactMap { values[$0] }
      axes.append(Axis(names: names, values: lists, count: lists.first?.count ?? 0))
      done.formUnion(names)
    }
    return axes
  }

  /// Cells, exactly up to 2⁵³.
  package var count: Double { axes.reduce(1) { $0 * Double($1.count) } }

  /// The options of the cell with this number from 0; the last option changes first.
  func options(at index: Int) -> [String: String] {
    var rest = index
    var options: [String: String] = [:]
    for axis in axes.reversed() {
      for (name, values) in zip(axis.names, axis.values) {
        options[name] = values[rest % axis.count]
      }
      rest /= axis.count
    }
    return options
  }

  /// The options that do not have one value alone.
  var varied: [String] {
    let names = Set(axes.filter { $0.count > 1 }.flatMap(\.names))
    return RunOptionCatalog.all.map(\.name).filter(names.contains)
  }
}
