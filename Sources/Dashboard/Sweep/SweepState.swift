package import Screen
package import Signals

/// A cell of a sweep as its screen shows it.
package struct ShownCell: Sendable, Hashable {
  package enum State: Sendable, Hashable {
    case waiting
    /// In this process or, where it cannot be steered from here, in another.
    case running
    case finished, diverged, failed, stopped

    var isOver: Bool { self != .waiting && self != .running }
  }

  /// From 1.
  package let number: Int
  /// What it has of its own: `lr 0.003, seed 1`.
  package let words: String
  package let group: Int
  package let rate: Double
  package let seed: String
  package var state = State.waiting
  /// Held-out loss at the end, or the last training loss of one that runs.
  package var loss: Double?
  package var initialLoss: Double?
  package var logits: Double?
  package var steps = 0
  package let totalSteps: Int
  /// The course of the training loss.
  package var curve = CurveOutline()
  /// Why it failed.
  package var reason: String?

  package init(
    number: Int, words: String, group: Int, rate: Double, seed: String, totalSteps: Int
  ) {
    (self.number, self.words, self.group) = (number, words, group)
    (self.rate, self.seed, self.totalSteps) = (rate, seed, totalSteps)
  }
}

/// Cells that differ in nothing but rate and seed.
package struct ShownGroup: Sendable {
  /// As the papers count it, without embedding and unembedding.
  package let parameters: Int
  /// What it has of its own beside its size; empty where groups differ in nothing else.
  package let mitigation: String
  /// Its size in words: `layers 2`.
  package let size: String
  package var curve: RateCurve

  package init(parameters: Int, mitigation: String, size: String, curve: RateCurve) {
    (self.parameters, self.mitigation, self.size) = (parameters, mitigation, size)
    self.curve = curve
  }

  var sizeLabel: String { NumberText.compact(Double(parameters)) }
}

/// All that the screen of a sweep is drawn from.
package struct SweepState: Sendable {
  /// The folder's name.
  package var name: String
  package var cells: [ShownCell] = []
  package var groups: [ShownGroup] = []
  /// What the sizes say of larger ones; nil below two.
  package var forecast: ShownForecast?
  /// Cells at once in this process; 0 where it only looks on.
  package var jobs = 0
  package var remainingSeconds: Double?
  /// Whether this process has cells to run or running.
  package var isRunning = false
  package var size: Size
  package var appearance: Appearance
  /// Seconds since 1970.
  package var now: Double
  package var toast: Toast?
  /// The chosen cell's place.
  package internal(set) var chosen = 0
  /// Whether a chart holds the mitigations of a size, and not the sizes of a mitigation.
  package internal(set) var isBySize = false
  var question: SweepQuestion?

  package init(name: String, size: Size, appearance: Appearance = Appearance(), now: Double = 0) {
    (self.name, self.size, self.appearance, self.now) = (name, size, appearance, now)
  }

  /// What of the screen moves by the clock alone.
  package var clockFace: [Int] { [toast == nil ? 0 : 1, Int(remainingSeconds ?? -1)] }

  package mutating func say(_ text: String, _ role: Role = .text, seconds: Double = 4) {
    toast = Toast(text: text, role: role, until: now + seconds)
  }

  package var chosenCell: ShownCell? { cells.indices.contains(chosen) ? cells[chosen] : nil }

  func count(_ state: ShownCell.State) -> Int { cells.count { $0.state == state } }

  /// All rates and seeds, the columns of the field of cells.
  var rates: [Double] { Set(cells.map(\.rate)).sorted() }

  var seeds: [String] {
    var seen: Set<String> = []
    return cells.map(\.seed).filter { seen.insert($0).inserted }
  }
}

/// What a person has to say before it is done.
enum SweepQuestion: Sendable, Hashable {
  case endCell(Int)
  case quit
  case help
  case forecast
}

/// What the shell of a sweep's screen has to do.
package enum SweepEffect: Sendable, Hashable {
  /// Show a cell's run on a screen of its own.
  case open(cell: Int)
  case end(cell: Int)
  /// Add cells with this rate.
  case add(rate: Double)
  case writeScreen
  case quit(SweepLeave)
  case bell
}

/// What becomes of cells that run when the screen is left.
package enum SweepLeave: Sendable, Hashable {
  case stop, detach, leave
}
