import Dashboard
import Inspection
import Kernels
import Signals

/// What a checkpoint's loss becomes in formats of 8 and 4 bits.
struct RoundedLossTables {
  let loss: RoundedLoss
  let temperatures: TemperatureCurve

  private static let mostTensors = 10

  var tables: [InspectionTable] { [byFormat, byTensor, byTemperature] }

  private func rise(_ value: Double) -> Span {
    Span(
      NumberText.signed(value, decimals: 4),
      value < 0.01 ? .good : value < 0.1 ? .warning : .trouble)
  }

  private var byFormat: InspectionTable {
    let header = ["format"] + ScaleGroup.allCases.map(\.rawValue)
    let rows = NumberFormat.allCases.map { format in
      [Span(format.rawValue, .text)]
        + loss.entries.filter { $0.format == format }.map { rise($0.loss - loss.loss) }
    }
    let base = NumberText.compact(loss.loss, digits: 5)
    return InspectionTable(
      heading: "held-out loss with all matrices rounded, above the \(base) nats it has",
      rows: [header.map { Span($0, .faint) }] + rows, rightAligned: [1, 2, 3],
      remarks: ["over \(NumberText.grouped(loss.tokens)) tokens"])
  }

  /// The matrices that cost most by themselves.
  private var byTensor: InspectionTable {
    let worst = loss.sensitivities.sorted { ($0.rise, $1.tensor) > ($1.rise, $0.tensor) }
    let rows = worst.prefix(Self.mostTensors).map { entry in
      [
        Span(FormatTables.short(entry.tensor), .text),
        Span("\(entry.format.rawValue) \(entry.scale.letter)", .text), rise(entry.rise),
      ]
    }
    return InspectionTable(
      heading: "the matrices that cost most when rounded alone",
      rows: [["tensor", "format", "rise"].map { Span($0, .faint) }] + rows, rightAligned: [2])
  }

  private var byTemperature: InspectionTable {
    let formats = TemperatureCurve.formats.map(\.rawValue)
    let header = ["T", "loss"] + formats + formats.map { "KL \($0)" }
    let rows = temperatures.points.map { point in
      [
        Span(NumberText.compact(point.temperature, digits: 2), .text),
        Span(NumberText.compact(point.loss, digits: 4), .text),
      ] + point.rounded.map { rise($0 - point.loss) }
        + point.divergence.map { Span(NumberText.compact($0, digits: 2), .text) }
    }
    return InspectionTable(
      heading: "4 bits in blocks of 64 over sampling temperature: rise of the loss, divergence",
      rows: [header.map { Span($0, .faint) }] + rows,
      rightAligned: Set(0..<header.count))
  }
}
