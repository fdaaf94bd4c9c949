import Dashboard
import Foundation
import Inspection
import Signals

/// What `merge` says of the parts and of what became of them.
struct MergeTables {
  let plan: MergePlan
  let outcome: MergeOutcome
  let output: String

  /// More parts than these have no columns of their own.
  private static let most = 4

  var tables: [InspectionTable] { [models, agreement] + maps }

  private var models: InspectionTable {
    func row(_ name: String, _ distance: Double?, _ kept: Double?, _ path: String) -> [Span] {
      [
        Span(name, .text), Span(distance.map(FormatTables.number) ?? "–", .text),
        Span(kept.map(NumberText.percent) ?? "–", .text), Span(path, .faint),
      ]
    }
    let whole = outcome.whole
    let base = plan.base.map { [row("base", nil, nil, $0.path)] } ?? []
    let parts = plan.parts.enumerated().map { index, part in
      row(
        "part \(index + 1)", plan.base == nil ? nil : whole.distances[index], whole.kept[index],
        part.path)
    }
    return InspectionTable(
      heading: "\(plan.parts.count) models merged: \(words)",
      rows: [["model", "from base", "kept", "path"].map { Span($0, .faint) }] + base + parts
        + [row("merged", plan.base == nil ? nil : whole.distance, nil, output)],
      rightAligned: [1, 2], remarks: remarks)
  }

  private var words: String {
    var words = [plan.kind.rawValue]
    if plan.kind.takesScale {
      let scales = plan.scales.allSatisfy { $0 == plan.scales[0] } ? [plan.scales[0]] : plan.scales
      words.append("scale " + scales.map { FormatTables.number($0) }.joined(separator: " "))
    }
    if let keep = plan.keep { words.append("the largest \(NumberText.percent(keep))") }
    return words.joined(separator: ", ")
  }

  private var remarks: [String] {
    ["from base: how far the weights have come, over their norm"]
      + (plan.parts[0].checkpoint == nil
        ? [] : ["the optimizer's moments are not merged: they begin at 0"])
  }

  /// Without a base nothing tells how the parts have moved.
  private var agreement: InspectionTable {
    guard plan.base != nil else {
      return InspectionTable(
        heading: "agreement of the parts: told with --base", rows: [], remarks: [])
    }
    let parts = plan.parts.count > Self.most ? [] : Array(plan.parts.indices)
    let header =
      ["layer", "signs", "cosine"] + parts.map { "part \($0 + 1)" } + ["merged", "kept"]
    let rows = (outcome.layers + [outcome.whole]).map { layer in
      [
        Span(layer.name, .text), Span(percent(layer.signs), .text),
        Span(FormatTables.number(layer.cosine), layer.cosine < 0 ? .warning : .text),
      ] + parts.map { Span(FormatTables.number(layer.distances[$0]), .text) } + [
        Span(FormatTables.number(layer.distance), .text),
        Span(percent(layer.kept.reduce(0, +) / Double(layer.kept.count)), .text),
      ]
    }
    return InspectionTable(
      heading: "agreement of the updates, and how far they lead from the base",
      rows: [header.map { Span($0, .faint) }] + rows,
      rightAligned: Set(1..<header.count),
      remarks: [
        "signs: of the numbers that two parts changed, those that all moved one way"
      ])
  }

  private func percent(_ share: Double) -> String {
    share.isNaN ? "–" : NumberText.percent(share)
  }
}

extension MergeTables {
  /// A map a part: what weighs where. The sums weigh all alike.
  private var maps: [InspectionTable] {
    guard plan.keep != nil else { return [] }
    let peak = outcome.tensors.flatMap(\.weights).max() ?? 0
    return plan.parts.indices.map { map(ofPart: $0, peak: peak) }
  }

  private func map(ofPart part: Int, peak: Double) -> InspectionTable {
    let columns: [Int?] =
      (outcome.layerNumbers.contains(nil) ? [nil] : [])
      + Set(outcome.layerNumbers.compactMap { $0 }).sorted().map { $0 }
    var kinds: [String] = []
    var weights: [String: [Double?]] = [:]
    for (tensor, layer) in zip(outcome.tensors, outcome.layerNumbers) {
      let kind = Self.kind(tensor.name, layer)
      if weights[kind] == nil {
        kinds.append(kind)
        weights[kind] = columns.map { _ in nil }
      }
      guard let column = columns.firstIndex(of: layer) else { continue }
      weights[kind]?[column] = tensor.weights[part]
    }
    let rows = kinds.map { kind in
      [Span(kind, .text)]
        + (weights[kind] ?? []).map { Span($0.map(Self.thousandths) ?? "", .text) }
    }
    let header = ["part \(part + 1)"] + columns.map { $0.map(String.init) ?? "–" }
    return InspectionTable(
      heading: "coefficients of part \(part + 1): mean weight by tensor and layer, thousandths",
      rows: [header.map { Span($0, .faint) }] + rows, rightAligned: Set(1..<header.count),
      shares: [[]]
        + kinds.map { kind in
          [nil] + (weights[kind] ?? []).map { $0.map { peak > 0 ? $0 / peak : 0 } }
        })
  }

  private static func thousandths(_ weight: Double) -> String {
    String(Int((weight * 1000).rounded()))
  }

  /// A tensor's name without its layer.
  private static func kind(_ name: String, _ layer: Int?) -> String {
    guard let layer else { return FormatTables.short(name) }
    var words = name.split(separator: ".").map(String.init)
    if let place = words.firstIndex(of: String(layer)) { words.remove(at: place) }
    return FormatTables.short(words.joined(separator: "."))
  }
}

/// Held-out losses of the parts and of what became of them.
struct MergeLossTable {
  /// By model its name and its losses by text.
  let models: [(name: String, losses: [Double])]
  let texts: [String]

  var table: InspectionTable {
    let isMany = texts.count > 1
    let header =
      ["model"] + texts.indices.map { "text \($0 + 1)" } + (isMany ? ["mean"] : [])
    let rows = models.map { model in
      [Span(model.name, .text)]
        + (model.losses + (isMany ? [Self.mean(model.losses)] : [])).map {
          Span(NumberText.compact($0, digits: 4), .text)
        }
    }
    return InspectionTable(
      heading: "held-out loss, nats a token", rows: [header.map { Span($0, .faint) }] + rows,
      rightAligned: Set(1..<header.count),
      remarks: texts.enumerated().map { "text \($0 + 1): \($1)" })
  }

  static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}
