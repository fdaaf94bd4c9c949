import Foundation
package import Signals
import Training

/// What the settings of a sweep came to at each of its sizes.
///
/// A setting is all that cells are told but their size and their seed, the rate with it.
package struct SettingTable: Sendable {
  package struct Size: Sendable, Hashable {
    /// Weights without embedding and unembedding.
    package let parameters: Int
    /// `layers 2`; empty where all cells have one size.
    package let words: String
  }

  package struct Setting: Sendable {
    package let options: [String: String]
    /// What it has of its own: `lr 0.01, qk-layernorm on`.
    package let words: String
    /// Its mean over seeds by the place of the size among ``SettingTable/sizes``.
    package fileprivate(set) var outcomes: [Int: RateCurve.Point] = [:]
    /// The cells' places, by that of the size.
    package fileprivate(set) var cells: [Int: [Int]] = [:]
  }

  /// The smallest first.
  package let sizes: [Size]
  package private(set) var settings: [Setting] = []

  package init(_ results: SweepResults) {
    let groups = results.seedGroups
    let sizes = Set(groups.map { Size(parameters: $0.parameters, words: $0.size) })
      .sorted { ($0.parameters, $0.words) < ($1.parameters, $1.words) }
    self.sizes = sizes
    let ofCell = SweepResults.ofSize.union(["seed"])
    var numbers: [[String: String]: Int] = [:]
    for group in groups {
      let size = sizes.firstIndex(of: Size(parameters: group.parameters, words: group.size)) ?? 0
      let options = group.options.filter { !ofCell.contains($0.key) }
      let number = numbers[options] ?? settings.count
      if number == settings.count {
        numbers[options] = number
        let cell = results.cells[group.cells[0]]
        settings.append(
          Setting(options: options, words: SeedGroup.words(of: cell, without: ofCell)))
      }
      settings[number].outcomes[size] = group.outcome
      settings[number].cells[size] = group.cells
    }
  }

  /// The settings known at a size, the lowest loss first.
  package func ranked(atSize size: Int) -> [Setting] {
    settings.filter { $0.outcomes[size] != nil }.sorted {
      ($0.outcomes[size]?.loss ?? .infinity) < ($1.outcomes[size]?.loss ?? .infinity)
    }
  }

  /// How well `size` judges for `target`, over the settings that are known at both; nil below two.
  package func ranking(ofSize size: Int, for target: Int, in results: SweepResults) -> Proxy? {
    let known = settings.filter { $0.outcomes[size] != nil && $0.outcomes[target] != nil }
    let departures = known.map { setting in
      setting.cells[target]?.first.map { results.cells[$0].departure } ?? .infinite
    }
    guard let baseline = departures.indices.min(by: { departures[$0] < departures[$1] }),
      let ranking = ProxyRanking(
        estimates: known.map { $0.outcomes[size]?.loss ?? .nan },
        truths: known.map { $0.outcomes[target]?.loss ?? .nan }, baseline: baseline)
    else { return nil }
    return Proxy(size: size, target: target, baseline: known[baseline], ranking: ranking)
  }

  /// A size as the judge of settings for a larger one.
  package struct Proxy: Sendable {
    /// Places among the sizes.
    package let size: Int
    package let target: Int
    /// The setting that is nearest to a run's defaults.
    package let baseline: Setting
    package let ranking: ProxyRanking
  }
}

/// How far a cell lies from what a run starts with unless told otherwise.
private struct Departure: Comparable {
  /// How many options are others.
  let options: Int
  /// How far the rate lies from the usual one, in log.
  let rate: Double

  static let infinite = Departure(options: .max, rate: .infinity)

  static func < (one: Departure, other: Departure) -> Bool {
    (one.options, one.rate) < (other.options, other.rate)
  }
}

extension SweepCell {
  /// Of the options that differ from cell to cell, sizes and seeds aside.
  fileprivate var departure: Departure {
    let own = Set(varied).subtracting(SweepResults.ofSize).subtracting(["seed"])
    let rest = runOptions.filter { !own.contains($0.key) }
    guard let usual = try? TrainingConfiguration(options: rest).options else { return .infinite }
    let others = own.subtracting(["lr"]).count { name in
      guard let value = options[name] else { return false }
      return !value.isSameValue(as: usual[name])
    }
    let rates = [options["lr"], usual["lr"]].compactMap { $0.flatMap(Double.init) }
    let distance =
      rates.count == 2 && rates.allSatisfy { $0 > 0 } ? abs(log(rates[0] / rates[1])) : 0
    return Departure(options: others, rate: distance)
  }
}
