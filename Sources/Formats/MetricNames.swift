package import Telemetry

/// What metrics are called: as their source does, or by our name where that is known and free.
///
/// A name is settled with the first row that has a value of it; of a row's names those that are ours
/// come first, so that nothing takes a name away from the metric that bears it.
package struct MetricNames: Sendable {
  /// A metric that bears our name now.
  package struct Renamed: Sendable, Equatable {
    package let theirs: MetricName
    package let ours: MetricName
  }

  let aliases: MetricAliases
  private(set) var names: [MetricName] = []
  private(set) var isNamed: [Bool] = []
  /// Whether nobody wants to see it.
  private(set) var isLeftOut: [Bool] = []
  /// Whether values are multiplied to have our unit.
  private(set) var isScaled: [Bool] = []
  /// Whether it is one that is computed as a Float32.
  private(set) var isSingle: [Bool] = []
  /// Whether a machine says it and not the run.
  private(set) var isMachine: [Bool] = []
  private(set) var renamed: [Renamed] = []
  private var factors: [Double] = []
  private var indices: [String: Int] = [:]
  private var taken: Set<MetricName> = []
  /// Those that keep their name, whatever others call so.
  private var kept: Set<Int> = []

  init(aliases: MetricAliases) {
    self.aliases = aliases
  }

  func scaled(_ value: Double, _ index: Int) -> Double { value * factors[index] }

  /// What stands for `name` from now on.
  mutating func index(of name: String) -> Int {
    if let index = indices[name] { return index }
    indices[name] = names.count
    names.append(MetricName(name))
    isNamed.append(false)
    isLeftOut.append(aliases.isTwin(name))
    isScaled.append(false)
    isSingle.append(false)
    isMachine.append(MetricCatalog.isMachine(MetricName(name)))
    factors.append(1)
    return names.count - 1
  }

  /// Has a metric keep its name.
  mutating func keep(_ index: Int) { kept.insert(index) }

  /// Settles the names of those in a row that have none yet.
  mutating func name(_ row: ArraySlice<Int>) {
    var fresh: [Int] = []
    for index in row where !isNamed[index] {
      isNamed[index] = true
      fresh.append(index)
    }
    guard !fresh.isEmpty else { return }
    var others: [(index: Int, alias: MetricAlias)] = []
    for index in fresh {
      if !kept.contains(index), let alias = aliases.of(names[index].path) {
        others.append((index, alias))
      } else {
        settle(index, names[index])
      }
    }
    for (index, alias) in others.sorted(by: { $0.alias.rank < $1.alias.rank }) {
      guard !taken.contains(alias.ours) else {
        settle(index, names[index])
        continue
      }
      renamed.append(Renamed(theirs: names[index], ours: alias.ours))
      (factors[index], isScaled[index]) = (alias.factor, alias.factor != 1)
      settle(index, alias.ours)
    }
  }

  private mutating func settle(_ index: Int, _ name: MetricName) {
    var name = name
    // A metric of another name has taken this one in an earlier row.
    while !taken.insert(name).inserted { name = MetricName(name.path + " (logged)") }
    names[index] = name
    isSingle[index] = JSONLines.isSingle(name)
  }
}
