import Foundation
import Signals
package import Telemetry

/// A vertical mark on a chart: what a person did, or an alarm.
package struct PlotMark: Sendable, Equatable {
  enum Kind: Int, Sendable, Comparable {
    case note, alarm, change, trouble

    static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
  }

  var step: Int
  var kind: Kind
  /// Words for it, the longest first.
  var texts: [String]

  /// The mark of `event`; nil for what charts do not show.
  package init?(_ event: RunEvent) {
    step = event.step
    switch event.kind {
    case .set:
      kind = .change
      let name = event.name ?? "setting"
      texts = [event.after.map { "\(name) \($0)" } ?? name, name]
    case .alarm:
      kind = .alarm
      texts = [(event.name ?? "alarm").replacing("-", with: " "), "alarm"]
    case .diverged:
      kind = .trouble
      texts = ["diverged"]
    case .fault:
      kind = .trouble
      texts = ["fault"]
    case .rewind, .skip, .branch:
      kind = .change
      texts = [event.kind.rawValue]
    case .note:
      kind = .note
      texts = [event.text, Markup.fitted(event.text, into: 150, size: 10), "note"]
    case .run, .effect, .pause, .resume, .step, .checkpoint, .evaluate, .stop, .detach, .sample,
      .refused, .calm:
      return nil
    }
  }
}

/// A mark with its place on a chart.
struct PlacedMark: Equatable {
  let mark: PlotMark
  let x: Double
  /// Nil where no words fit: then its sign alone stands there.
  var label: Label?

  struct Label: Equatable {
    let text: String
    let left: Double
    let width: Double
    /// Counted from the plot upwards.
    let row: Int

    var right: Double { left + width }
  }

  static let rows = 2
  static let size = 10.5
  /// Alarms closer than this share a mark.
  private static let crowding = 15.0

  /// Finds each mark a place between `left` and `right`, so that no label covers another label or
  /// another mark's line.
  static func place(
    _ marks: [PlotMark], between left: Double, _ right: Double, x: (Int) -> Double
  ) -> [PlacedMark] {
    var placed = gathered(marks, x: x)
    let order = placed.indices.sorted { one, other in
      let (a, b) = (placed[one].mark, placed[other].mark)
      return a.kind == b.kind ? a.step < b.step : a.kind > b.kind
    }
    for index in order {
      placed[index].label = label(for: placed[index], among: placed, between: left, right)
    }
    return placed
  }

  private static func label(
    for mark: PlacedMark, among placed: [PlacedMark], between left: Double, _ right: Double
  ) -> Label? {
    for text in mark.mark.texts where !text.isEmpty {
      let width = Markup.width(of: text, size: size)
      for row in 0..<rows {
        for start in [mark.x + 5, mark.x - 5 - width] {
          let label = Label(text: text, left: start, width: width, row: row)
          guard start >= left - 4, label.right <= right + 4 else { continue }
          if placed.allSatisfy({ $0 == mark || label.isClear(of: $0, from: mark) }) { return label }
        }
      }
    }
    return nil
  }

  /// Marks in the order of their steps: alarms that would crowd each other as one, and of several
  /// at one place the weightiest.
  private static func gathered(_ marks: [PlotMark], x: (Int) -> Double) -> [PlacedMark] {
    var gathered: [PlacedMark] = []
    var alarms: [PlotMark] = []
    func closeAlarms() {
      guard var first = alarms.first else { return }
      if alarms.count > 1 {
        let isSame = alarms.allSatisfy { $0.texts == first.texts }
        first.texts = [isSame ? "\(first.texts[0]) ×\(alarms.count)" : "\(alarms.count) alarms"]
      }
      gathered.append(PlacedMark(mark: first, x: x(first.step)))
      alarms = []
    }
    for mark in marks.sorted(by: { $0.step < $1.step }) {
      if mark.kind == .alarm {
        if let first = alarms.first, x(mark.step) - x(first.step) > crowding { closeAlarms() }
        alarms.append(mark)
      } else {
        gathered.append(PlacedMark(mark: mark, x: x(mark.step)))
      }
    }
    closeAlarms()
    var weightiest: [PlacedMark] = []
    for mark in gathered.sorted(by: { $0.x < $1.x }) {
      guard let last = weightiest.last, mark.x - last.x < 2 else {
        weightiest.append(mark)
        continue
      }
      if mark.mark.kind >= last.mark.kind { weightiest[weightiest.count - 1] = mark }
    }
    return weightiest
  }
}

extension PlacedMark.Label {
  /// Whether neither label nor line of `other` stands in the way, nor this label's line in the way
  /// of the other's label.
  fileprivate func isClear(of other: PlacedMark, from mark: PlacedMark) -> Bool {
    // A mark's line reaches up to its own label's row.
    if row <= (other.label?.row ?? 0), other.x > left - 4, other.x < right + 4 { return false }
    guard let theirs = other.label else { return true }
    if row == theirs.row, theirs.left < right + 6, left < theirs.right + 6 { return false }
    if theirs.row <= row, mark.x > theirs.left - 4, mark.x < theirs.right + 4 { return false }
    return true
  }
}
