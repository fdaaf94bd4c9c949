import Dashboard
import Foundation
import Inspection
import Signals

/// How two models differ.
struct DifferenceTable {
  let difference: ModelDifference
  private static let most = 20

  var table: InspectionTable {
    let order = difference.tensors.sorted { one, other in
      (one.relative.isNaN ? 0 : one.relative, other.name)
        > (other.relative.isNaN ? 0 : other.relative, one.name)
    }
    let header = ["tensor", "|b-a|/|a|", "cosine", "rms of b-a", "max"]
    let rows =
      [row(difference.whole, name: "all that both have")]
      + order.prefix(Self.most).map { row($0, name: FormatTables.short($0.name)) }
    var remarks = difference.others.prefix(5).map {
      "not compared: \(FormatTables.short($0.name)) (\($0.reason))"
    }
    if difference.others.count > 5 { remarks.append("and \(difference.others.count - 5) more") }
    return InspectionTable(
      heading: "differences of the two, the largest first",
      rows: [header.map { Span($0, .faint) }] + rows, rightAligned: [1, 2, 3, 4],
      remarks: Array(remarks))
  }

  private func row(_ tensor: TensorDifference, name: String) -> [Span] {
    [Span(name, .text), Span(FormatTables.number(tensor.relative), .text)]
      + [tensor.cosine, tensor.rms, tensor.peak].map { Span(FormatTables.number($0), .text) }
  }
}

/// Singular values of matrices.
struct SpectrumTable {
  let spectra: [Spectrum]

  var table: InspectionTable {
    let header = ["tensor", "largest", "stable", "effective", "99%", "of", "outliers"]
    let rows = spectra.map { spectrum in
      [
        Span(FormatTables.short(spectrum.name), .text),
        Span(FormatTables.number(spectrum.largest), .text),
        Span(FormatTables.number(spectrum.stableRank), .text),
        Span(FormatTables.number(spectrum.effectiveRank), .text),
        Span("\(spectrum.directions(holding: 0.99))", .text), Span("\(spectrum.rank)", .faint),
        Span(
          "\(spectrum.outlierColumns.count)", spectrum.outlierColumns.isEmpty ? .text : .warning),
      ]
    }
    return InspectionTable(
      heading: "singular values: largest, stable and effective rank, directions of 99%",
      rows: [header.map { Span($0, .faint) }] + rows, rightAligned: [1, 2, 3, 4, 5, 6],
      remarks: ["outliers: columns whose RMS is above three times the median one's"])
  }
}

/// Heads and experts by layer.
struct LayerUseTable {
  let layers: [LayerUse]

  var table: InspectionTable {
    let header = [
      "layer", "logit max", "entropy", "dead heads", "least worth", "expert load", "likeness",
    ]
    let rows = layers.map { layer in
      [
        Span("\(layer.layer)", .text), number(layer.logitMax.max()), number(layer.entropy),
        dead(layer), number(layer.headWorth.min()), load(layer), number(layer.likeness),
      ]
    }
    return InspectionTable(
      heading: "attention heads and experts",
      rows: [header.map { Span($0, .faint) }] + rows, rightAligned: [0, 1, 2, 3, 4, 5, 6],
      remarks: [
        "worth: what the held-out loss rises by without the head, nats; dead below"
          + " \(NumberText.compact(LayerUse.dead, digits: 1))"
      ])
  }

  private func number(_ value: Double?) -> Span {
    Span(value.map(FormatTables.number) ?? "–", .text)
  }

  private func dead(_ layer: LayerUse) -> Span {
    guard !layer.headWorth.isEmpty else { return Span("–", .faint) }
    let count = layer.deadHeads.count
    return Span("\(count) of \(layer.headWorth.count)", count == 0 ? .good : .warning)
  }

  private func load(_ layer: LayerUse) -> Span {
    guard let low = layer.load.min(), let high = layer.load.max() else { return Span("–", .faint) }
    return Span("\(NumberText.percent(low)) to \(NumberText.percent(high))", .text)
  }
}

/// Features that stand out, by layer.
struct OutlierTable {
  /// The first of the embeddings.
  let layers: [OutlierFeatures]

  private static let most = 8

  var table: InspectionTable {
    let rows = layers.enumerated().map { layer, outliers in
      let columns = outliers.columns.prefix(Self.most).map(String.init).joined(separator: " ")
      return [
        Span(CollapseTable.name(ofLayer: layer), .text),
        Span(FormatTables.number(outliers.absmax), outliers.absmax >= 6 ? .warning : .text),
        Span("\(outliers.columns.count)", outliers.columns.isEmpty ? .good : .warning),
        Span(columns + (outliers.columns.count > Self.most ? " …" : ""), .text),
      ]
    }
    return InspectionTable(
      heading: "features of 6 or more in 6% of the positions: what activations must bear",
      rows: [["after", "largest", "outliers", "columns"].map { Span($0, .faint) }] + rows,
      rightAligned: [1, 2])
  }
}

/// How alike features stay under changes of the text.
struct InvarianceTable {
  let invariance: Invariance

  var table: InspectionTable {
    let changes = invariance.changes
    let layers = changes.first?.layers.indices ?? 0..<0
    let rows = layers.map { layer in
      [Span(CollapseTable.name(ofLayer: layer), .text)]
        + changes.map { Span(FormatTables.number($0.layers[layer].invariance), .text) }
        + [Span(random(layer), .faint)]
    }
    let absent = invariance.absent.isEmpty ? "" : "; nothing to change: "
    return InspectionTable(
      heading: "invariance of features: 1 the same, 0 no more alike than random pairs",
      rows: [(["after"] + changes.map(\.name) + ["random pairs"]).map { Span($0, .faint) }] + rows,
      rightAligned: Set(1...(changes.count + 1)),
      remarks: changes.map { "\($0.name): \($0.meaning)" } + [
        "over \(NumberText.grouped(invariance.passages)) passages"
          + absent + invariance.absent.joined(separator: ", ")
      ])
  }

  /// Their mean cosine, of which the others are measured.
  private func random(_ layer: Int) -> String {
    let cosines = invariance.changes.map { $0.layers[layer].random }
    return FormatTables.number(cosines.reduce(0, +) / Double(max(1, cosines.count)))
  }
}

/// Neural collapse by layer.
struct CollapseTable {
  /// The first of the embeddings; nil where no two classes have samples enough.
  let layers: [NeuralCollapse?]
  /// What the model reads one of after another: byte or token.
  let unit: String

  var table: InspectionTable? {
    guard let some = layers.compactMap({ $0 }).first else { return nil }
    let header = [
      "after", "NC1", "Tr/Tr", "CDNV", "norms", "angles", "frame", "NC3", "NC4",
    ]
    let rows = layers.enumerated().compactMap { layer, collapse in
      collapse.map { [Span(Self.name(ofLayer: layer), .text)] + numbers($0) }
    }
    return InspectionTable(
      heading: "neural collapse of the features over the next \(unit)",
      rows: [header.map { Span($0, .faint) }] + rows, rightAligned: Set(1...8),
      remarks: [
        "\(some.classes) \(unit)s with \(NeuralCollapse.leastSamples) samples or more,"
          + " \(NumberText.grouped(some.samples)) samples in all",
        "all but NC4 fall towards 0 where features collapse, NC4 rises to 1",
        "\(unit)s are unbalanced and more than a width has directions: none arrives",
      ])
  }

  static func name(ofLayer layer: Int) -> String {
    layer == 0 ? "embedding" : "layer \(layer - 1)"
  }

  private func numbers(_ collapse: NeuralCollapse) -> [Span] {
    let values: [Double?] = [
      collapse.withinBetween, collapse.traceRatio, collapse.distanceVariance, collapse.normSpread,
      collapse.angleSpread, collapse.frameDistance, collapse.selfDuality, collapse.nearestMean,
    ]
    return values.map { Span($0.map(FormatTables.number) ?? "–", .text) }
  }
}

/// Measures of generalisation of one run.
struct MeasureTable {
  let measures: GeneralisationMeasures
  /// Nats a token on windows that were trained on.
  let trainingLoss: Double
  let heldOutLoss: Double

  static let warning =
    "no bound made of these is tight, here or anywhere: they may order runs, not more"

  var table: InspectionTable {
    let rows = MeasureTable.named(measures).map { name, value in
      [Span(name, .text), Span(FormatTables.number(value), .text)]
    }
    let losses = [("training loss", trainingLoss), ("held-out loss", heldOutLoss)].map {
      [Span($0.0, .text), Span(NumberText.compact($0.1, digits: 4), .text)]
    }
    let gap = [
      Span("gap", .text), Span(NumberText.signed(heldOutLoss - trainingLoss, decimals: 4), .text),
    ]
    return InspectionTable(
      heading: "generalisation measures",
      rows: [[Span("measure", .faint), Span("value", .faint)]] + losses + [gap] + rows,
      rightAligned: [1], remarks: [Self.warning])
  }

  static func named(_ measures: GeneralisationMeasures) -> [(String, Double)] {
    [
      ("margin, 10th percentile", measures.margin), ("sharpness sigma", measures.sharpness),
      ("relative sigma", measures.relativeSharpness), ("distance from start", measures.distance),
      ("norm", measures.norm), ("sum ln sigma1^2", measures.spectralLogarithms),
      ("sum of stable ranks", measures.stableRanks),
      ("PAC-Bayes from start", measures.boundFromStart),
      ("PAC-Bayes from zero", measures.boundFromZero),
    ]
  }
}
