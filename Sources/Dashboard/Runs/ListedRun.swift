package import Signals
package import Telemetry

/// A run that a person may lay over the charts, as a list shows it.
package struct ListedRun: Sendable, Hashable {
  package var path: String
  /// Steps done.
  package var steps: Int
  package var finalLoss: Double?
  /// Name, options and what else it can be found by.
  package var traits: RunTraits
  package var details = RunDetails()

  package var name: String { traits.name }
  package var options: [String: String] { traits.options }

  package init(path: String, steps: Int, finalLoss: Double?, traits: RunTraits) {
    self.path = path
    self.steps = steps
    self.finalLoss = finalLoss
    self.traits = traits
  }

  /// Its name, with the folder in front where that is not `home`; a line's below its run's.
  func name(from home: String?) -> String {
    if let line = details.line {
      let number = name.lastIndex(of: "@").map { name[$0...] } ?? ""
      return "  \(number) left \(NumberText.grouped(line.leftAt))"
    }
    return home == nil || details.folder == home ? name : "\(details.folder)/\(name)"
  }

  /// Whether it is a line which another run went back from.
  package var isLine: Bool { details.line != nil }

  /// What plain words are looked for in: `rescue finished lr=0.04 seed=1`.
  var words: String {
    ([name, traits.state] + options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
      .joined(separator: " ")
  }
}

/// What a list of runs shows of one, beyond its name.
package struct RunDetails: Sendable, Hashable {
  /// How a run stands.
  package enum Standing: Sendable, Hashable {
    /// It is there; the rest is being read.
    case unread
    case live, paused, finished, stopped, diverged, failed, killed, unreadable
  }

  /// That it is a line which another run went back from.
  package struct Origin: Sendable, Hashable {
    /// The path of the run.
    package var run: String
    /// The step from which on the run went another way.
    package var leftAt: Int

    package init(of run: String, leftAt: Int) {
      (self.run, self.leftAt) = (run, leftAt)
    }
  }

  package var standing = Standing.unread
  /// Whether it is the run on the screen.
  package var isPresent = false
  /// The folder it lies in, as a person would type it.
  package var folder = ""
  /// Why it cannot be read.
  package var flaw: String?
  package var totalSteps: Int?
  /// The peak learning rate.
  package var rate: Double?
  package var heldOut: StepValue?
  package var best: StepValue?
  package var loss = CurveOutline()
  package var heldOutCurve = CurveOutline()
  package var line: Origin?
  /// Alarms and what was done about them, in order.
  package var events: [RunEvent] = []
  /// When it was last written, seconds since 1970.
  package var lastWritten = 0.0
  /// Bytes on disk, the checkpoints' not among them.
  package var bytes = 0
  package var checkpoints = 0

  package init() {}

  /// Whether a process writes it now: then nothing of its files may be changed.
  var isLive: Bool { standing == .live || standing == .paused }
}
