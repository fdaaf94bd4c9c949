import Dashboard
import Inspection
import Kernels
import Signals

/// What number formats would cost a model's tensors.
struct FormatTables {
  let reports: [TensorReport]
  /// Tensors without floating-point numbers.
  let skipped: [TensorFiles.Entry]

  private static let nameWidth = 27

  var tables: [InspectionTable] { [byTensor, byFormat] }

  private var byTensor: InspectionTable {
    let columns = [
      "tensor", "max/rms", "kurtosis", "int8", "e4m3", "nf4", "8 bits", "4 bits",
    ]
    // A bias that a model is written without is zeros.
    let zeros = reports.count { $0.nonFinite == 0 && $0.absmax == 0 }
    let rows = reports.filter { $0.nonFinite > 0 || $0.absmax > 0 }.map(row)
    return InspectionTable(
      heading: "tensors: SQNR in dB, of 8 bits with one scale, of nf4 with one for 64",
      rows: [columns.map { Span($0, .faint) }] + rows, rightAligned: [1, 2, 3, 4, 5],
      remarks: [
        "t, r, b: what bears one scale for the tensor, for a row, for a block of 64",
        "names without model., layers., transformer.h. and .weight",
      ] + (zeros == 0 ? [] : ["tensors of zeros: \(zeros)"]) + skippedWords)
  }

  private var skippedWords: [String] {
    guard let first = skipped.first else { return [] }
    let types = Set(skipped.map(\.type)).sorted().joined(separator: ", ")
    let more = skipped.count > 1 ? " and \(skipped.count - 1) more" : ""
    return ["not looked at: \(Self.short(first.name))\(more) (\(types))"]
  }

  private func row(_ report: TensorReport) -> [Span] {
    let name = Span(Self.short(report.name), .text)
    guard report.nonFinite == 0 else {
      return [name, Span("\(report.nonFinite) not finite", .trouble)]
    }
    let numbers = [
      Span(Self.number(report.crest), report.crest > 12 ? .warning : .text),
      Span(Self.number(report.kurtosis), .text),
      decibels(report.cost(.int8, .tensor)), decibels(report.cost(.e4m3, .tensor)),
      decibels(report.cost(.nf4, .block64)),
    ]
    guard report.isMatrix else { return [name] + numbers }
    return [name] + numbers + [8, 4].map { choice(report, bits: $0) }
  }

  private func choice(_ report: TensorReport, bits: Int) -> Span {
    guard let choice = report.choice(bits: bits) else { return Span("none", .trouble) }
    return Span("\(choice.format.rawValue) \(choice.scale.letter)", .text)
  }

  private func decibels(_ cost: FormatCost?) -> Span {
    guard let cost, !cost.decibels.isNaN else { return Span("–", .faint) }
    let isEnough = cost.decibels >= ScaleChoice.level(bits: cost.format.bits)
    return Span(Self.number(cost.decibels), isEnough ? .good : .trouble)
  }

  /// The whole model, its matrices together.
  private var byFormat: InspectionTable {
    let header = ["format", "tensor", "row", "block64", "flushed", "row", "block64"]
    let rows = NumberFormat.allCases.map { format in
      let costs = ScaleGroup.allCases.map { reports.cost(format, $0) }
      return [Span(format.rawValue, .text)] + costs.map(decibels)
        + costs.map { Span($0.map { NumberText.percent($0.flushed) } ?? "–", .text) }
    }
    return InspectionTable(
      heading: "all matrices together: SQNR in dB by scale, and the share that becomes 0",
      rows: [header.map { Span($0, .faint) }] + rows, rightAligned: [1, 2, 3, 4, 5, 6],
      remarks: bearing)
  }

  /// How many matrices bear what.
  private var bearing: [String] {
    let matrices = reports.filter { $0.isMatrix && $0.nonFinite == 0 }
    return [8, 4].map { bits in
      var counts: [String: Int] = [:]
      for matrix in matrices {
        let choice = matrix.choice(bits: bits)
        counts[choice.map { "\($0.format.rawValue) \($0.scale.letter)" } ?? "none", default: 0] += 1
      }
      let words = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "\($0.value) \($0.key)" }
      let level = NumberText.compact(ScaleChoice.level(bits: bits), digits: 2)
      return "\(bits) bits from \(level) dB on: " + words.joined(separator: ", ")
    }
  }

  static func number(_ value: Double) -> String {
    value.isNaN ? "–" : NumberText.compact(value)
  }

  /// A tensor's name as far as it tells tensors apart; its middle is left out where it is long.
  static func short(_ name: String) -> String {
    var name = name
    if name.hasSuffix(".weight") { name.removeLast(7) }
    for stem in ["model.", "layers.", "transformer.h.", "transformer."] where name.hasPrefix(stem) {
      name.removeFirst(stem.count)
    }
    guard name.count > nameWidth else { return name }
    let half = (nameWidth - 1) / 2
    return name.prefix(half) + "…" + name.suffix(nameWidth - 1 - half)
  }
}

extension ScaleGroup {
  var letter: String {
    switch self {
    case .tensor: "t"
    case .row: "r"
    case .block64: "b"
    }
  }
}
