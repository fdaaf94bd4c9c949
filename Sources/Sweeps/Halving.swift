/// Successive halving: cells of one size and length wait for each other at a ninth and at a third of
/// their steps (for a divisor of 3), and there the best third of them goes on.
///
/// What is left out says nothing of its rate, so that no sensitivity comes of it.
/// - Source: Jamieson and Talwalkar 2016 (1502.07943).
package struct Halving: Sendable {
  /// What becomes of cells that have come to a rung.
  package struct Decision: Sendable, Equatable {
    /// Places of cells, those of the lowest loss first.
    package var goOn: [Int] = []
    package var leave: [Leaver] = []

    package init() {}
  }

  /// A cell that is left out.
  package struct Leaver: Sendable, Equatable {
    package let place: Int
    package let step: Int
    /// From 1, by the held-out loss.
    package let rank: Int
    package let count: Int

    package var reason: String {
      "\(Halving.reason) \(step) steps: rank \(rank) of \(count) by the held-out loss"
    }
  }

  /// Cells of one size and length.
  private struct Group {
    let rungs: [Int]
    /// The rung that is come to next; beyond the last one cells run to their end.
    var rung = 0
    /// Those that are on their way to it.
    var open: Set<Int>
    var losses: [Int: Double] = [:]
    /// Those that ended on the way.
    var ended = 0
  }

  private let divisor: Int
  private var groups: [Group] = []
  private var groupOfPlace: [Int: Int] = [:]

  /// How the reason of a cell that was left out begins.
  package static let reason = "left out by halving after"

  /// - Parameters:
  ///   - costs: of all cells.
  ///   - places: of the cells that take part, among `costs`.
  ///   - divisor: 3 for thirds.
  package init(costs: [CellCost], places: [Int], divisor: Int) {
    precondition(divisor >= 2, "a divisor of \(divisor)")
    self.divisor = divisor
    struct Key: Hashable {
      let shape: CellCost.Shape
      let steps: Int
    }
    var numbers: [Key: Int] = [:]
    for place in places {
      let steps = costs[place].steps
      let key = Key(shape: costs[place].shape, steps: steps)
      let group = numbers[key] ?? groups.count
      if group == groups.count {
        numbers[key] = group
        groups.append(Group(rungs: Self.rungs(steps: steps, divisor: divisor), open: []))
      }
      groups[group].open.insert(place)
      groupOfPlace[place] = group
    }
  }

  static func rungs(steps: Int, divisor: Int) -> [Int] {
    Set([steps / (divisor * divisor), steps / divisor]).filter { $0 > 0 && $0 < steps }.sorted()
  }

  /// The steps after which a cell waits for the others; nil where it runs to its end.
  package func pause(of place: Int) -> Int? {
    guard let group = groupOfPlace[place].map({ groups[$0] }) else { return nil }
    return group.rung < group.rungs.count ? group.rungs[group.rung] : nil
  }

  /// Takes the held-out loss of a cell at its rung.
  /// - Returns: what becomes of all of them where it is the last one.
  package mutating func reached(_ place: Int, loss: Double) -> Decision {
    guard let group = groupOfPlace[place], groups[group].open.remove(place) != nil else {
      return Decision()
    }
    groups[group].losses[place] = loss.isNaN ? .infinity : loss
    return decide(group)
  }

  /// A cell that comes to no rung any more.
  package mutating func ended(_ place: Int) -> Decision {
    guard let group = groupOfPlace[place], groups[group].open.remove(place) != nil else {
      return Decision()
    }
    groups[group].ended += 1
    return decide(group)
  }

  private mutating func decide(_ number: Int) -> Decision {
    let group = groups[number]
    guard group.open.isEmpty, group.rung < group.rungs.count else { return Decision() }
    let ranked = group.losses.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
    let count = ranked.count + group.ended
    let kept = (count + divisor - 1) / divisor
    let leave = ranked.enumerated().dropFirst(kept).map { rank, place in
      Leaver(place: place, step: group.rungs[group.rung], rank: rank + 1, count: count)
    }
    let goOn = Array(ranked.prefix(kept))
    groups[number].rung += 1
    groups[number].open = Set(goOn)
    groups[number].losses = [:]
    groups[number].ended = 0
    var decision = Decision()
    (decision.goOn, decision.leave) = (goOn, leave)
    return decision
  }
}
