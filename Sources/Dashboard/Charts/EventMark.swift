import Screen
import Signals
import Telemetry

/// A vertical mark on the charts: something a person did, or an alarm.
struct EventMark: Sendable, Equatable {
  var step: Int
  var role: Role
  /// What stands for it where no words fit.
  var sign: String
  /// Words for it, the longest first.
  var texts: [String]
  /// Words that are worth a place anywhere, the longest first.
  var essential: [String] = []
  /// Of several in one column the highest is drawn.
  var rank: Int
  /// Its number in the list of events, and those of others that it stands for, ascending.
  private(set) var numbers: [Int] = []
  private var isAlarm = false

  /// The mark of `event`, nil for what charts do not show.
  init?(_ event: RunEvent) {
    step = event.step
    let look = EventLook(event.kind)
    sign = look.sign
    role = look.role
    switch event.kind {
    case .set:
      texts = Self.changeTexts(event)
      rank = 4
    case .diverged:
      texts = ["diverged", "NaN"]
      rank = 5
    case .fault:
      texts = ["fault"]
      rank = 2
    case .alarm:
      texts = event.alarmRule.map { [$0.place.mark, Self.brief($0)] } ?? ["alarm"]
      rank = 3
      isAlarm = true
    case .note:
      texts = [event.text, "note"].filter { $0.count <= 24 }
      rank = 1
    case .rewind:
      texts = ["rewind"]
      rank = 4
    case .branch:
      texts = ["branch \(event.name ?? "")", "branch"].filter { $0.count <= 24 }
      rank = 4
    case .run, .effect, .skip, .pause, .resume, .step, .checkpoint, .evaluate, .stop, .detach,
      .sample, .refused, .calm:
      return nil
    }
  }

  /// An alarm's noun where there is room for little more.
  private static func brief(_ rule: AlarmRule) -> String {
    switch rule {
    case .lossSpike: "spike"
    case .logZDrift: "log Z"
    case .gradientNearEpsilon: rule.place.mark
    default: rule.place.mark.split(separator: " ").first.map(String.init) ?? rule.place.mark
    }
  }

  private static func changeTexts(_ event: RunEvent) -> [String] {
    let name = SettingWords.short(event.name ?? "")
    guard let after = event.after else { return [name] }
    if event.name == SettingCatalog.learningRateMultiplier { return ["\(name) ×\(after)"] }
    let brief = SettingWords.brief(event.name ?? "")
    return ["\(name) \(after)", "\(brief) \(after)", brief]
  }
}

extension EventMark {
  /// Whether charts mark events of a kind.
  static func marks(_ kind: RunEvent.Kind) -> Bool {
    switch kind {
    case .set, .diverged, .fault, .alarm, .note, .rewind, .branch: true
    case .run, .effect, .skip, .pause, .resume, .step, .checkpoint, .evaluate, .stop, .detach,
      .sample, .refused, .calm:
      false
    }
  }

  /// The number by which each of `events`, oldest first, is found on the charts and in the list: 1
  /// for the first that charts mark, nil for what they don't. Events to come change none of them.
  static func numbers(of events: [RunEvent]) -> [Int?] {
    var last = 0
    return events.map { event in
      guard marks(event.kind) else { return nil }
      last += 1
      return last
    }
  }

  /// The marks of `events`, numbered, of those that `isShown` lets through.
  static func numbered(
    _ events: [RunEvent], where isShown: (RunEvent) -> Bool
  ) -> [(event: RunEvent, mark: EventMark)] {
    zip(events, numbers(of: events)).compactMap { event, number in
      guard let number, isShown(event), var mark = EventMark(event) else { return nil }
      mark.numbers = [number]
      return (event, mark)
    }
  }

  /// A mark's number as the charts and the list write it: `³`, `¹²`.
  static func raised(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return String(String(number).compactMap { $0.wholeNumberValue.map { digits[$0] } })
  }

  /// What stands on a chart for a mark that cannot be named: `³`, of several `³·⁷`, `³⁻⁹` where none
  /// of those between is left out.
  var numberText: String? {
    guard let first = numbers.first, let last = numbers.last else { return nil }
    let isRange = numbers.count > 2 && last - first == numbers.count - 1
    if isRange { return Self.raised(first) + "⁻" + Self.raised(last) }
    guard numbers.count > 3 else { return numbers.map(Self.raised).joined(separator: "·") }
    return Self.raised(first) + "…" + Self.raised(last)
  }
}

extension EventMark {
  /// Alarms closer than so many columns share one mark.
  private static let leastGap = 4.0

  /// The marks to draw: one a column, the weightiest, and alarms that would crowd each other as
  /// one.
  static func distinct(_ marks: [EventMark], _ time: TimeScale) -> [EventMark] {
    var drawn: [EventMark] = []
    var cluster: [EventMark] = []
    var last = -Double.infinity
    for (place, here) in columns(marks, time) {
      let alarms = here.filter(\.isAlarm)
      let other = here.reversed().filter { !$0.isAlarm }.max { $0.rank < $1.rank }
      if place - last >= leastGap || other != nil {
        drawn += [merged(cluster)].compactMap(\.self)
        cluster = []
      }
      if let other, alarms.allSatisfy({ other.rank > $0.rank }) {
        drawn.append(other)
        // What was done there stands for the alarms of that very column.
        continue
      }
      cluster += alarms
      last = alarms.isEmpty ? last : place
    }
    drawn += [merged(cluster)].compactMap(\.self)
    return drawn.sorted { ($0.rank, $0.step) > ($1.rank, $1.step) }
  }

  /// Marks less than a column apart, from the left, all at the first one's step.
  private static func columns(
    _ marks: [EventMark], _ time: TimeScale
  ) -> [(place: Double, marks: [EventMark])] {
    var columns: [(place: Double, marks: [EventMark])] = []
    for mark in marks.sorted(by: { $0.step < $1.step }) {
      guard let place = time.place(of: mark.step) else { continue }
      guard let here = columns.last, place - here.place < 1 else {
        columns.append((place, [mark]))
        continue
      }
      var moved = mark
      moved.step = here.marks[0].step
      columns[columns.count - 1].marks.append(moved)
    }
    return columns
  }

  /// Several alarms as one, at the first's place; what one of them has to say in full stays.
  private static func merged(_ alarms: [EventMark]) -> EventMark? {
    guard var mark = alarms.first, alarms.count > 1 else { return alarms.first }
    let word = alarms.allSatisfy { $0.texts == mark.texts } ? mark.texts[0] : "alarms"
    mark.texts = ["\(word) ×\(alarms.count)", "alarms"]
    mark.numbers = alarms.flatMap(\.numbers).sorted()
    mark.essential = alarms.map(\.essential).first { !$0.isEmpty } ?? []
    return mark
  }
}

/// How an event's line and mark look.
struct EventLook: Sendable, Equatable {
  var sign: String
  var role: Role

  init(_ kind: RunEvent.Kind) {
    switch kind {
    case .set, .note: (sign, role) = ("◆", .person)
    case .rewind, .branch: (sign, role) = ("◀", .person)
    case .pause, .resume, .step, .stop, .detach, .skip: (sign, role) = ("◇", .person)
    case .checkpoint, .evaluate: (sign, role) = ("✓", .good)
    case .effect: (sign, role) = ("=", .good)
    case .alarm: (sign, role) = ("▲", .warning)
    case .refused: (sign, role) = ("✗", .warning)
    case .diverged, .fault: (sign, role) = ("✗", .trouble)
    case .run, .sample, .calm: (sign, role) = ("·", .faint)
    }
  }
}

/// A setting's name as charts write it.
enum SettingWords {
  static func short(_ name: String) -> String {
    switch name {
    case SettingCatalog.learningRateMultiplier: "rate"
    case SettingCatalog.balanceLoss: "balance loss"
    default: name.replacing("_", with: "-")
    }
  }

  /// Where there is little room.
  static func brief(_ name: String) -> String {
    switch name {
    case SettingCatalog.qkLayerNorm: "qk-norm"
    case SettingCatalog.balanceLoss: "balance"
    case SettingCatalog.weightDecay: "decay"
    default: short(name)
    }
  }
}
