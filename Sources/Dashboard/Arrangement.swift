/// Which panes a person wants to see, and how.
package struct Arrangement: Sendable, Hashable {
  package var preset: LayoutPreset
  /// Panes switched on by hand, the latest first: they are left out last.
  package var promoted: [PaneID]
  package var hidden: Set<PaneID>
  /// Panes of metrics of a person's own, in every layout.
  package private(set) var pins: [PaneID]
  package var zoomed: PaneID?
  package var focus: PaneID

  package init(
    preset: LayoutPreset = .overview, promoted: [PaneID] = [], hidden: Set<PaneID> = [],
    pins: [PaneID] = [], zoomed: PaneID? = nil, focus: PaneID = .loss
  ) {
    self.preset = preset
    self.promoted = promoted
    self.hidden = hidden
    self.pins = pins
    self.zoomed = zoomed
    self.focus = focus
  }

  /// The panes wanted, the one to be left out last first. Where some are silent, whose metrics the
  /// run does not log, all that it does log stands in their place. `told` are those of ``PaneID/optional``
  /// that the run tells of.
  package func ranked(
    isMixture: Bool, silent: Set<PaneID> = [], told: Set<PaneID> = []
  ) -> [PaneID] {
    var usual = pins + preset.panes(isMixture: isMixture).filter { !silent.contains($0) }
    if preset == .overview {
      // Asked for by options of their own, they come before what stands there by itself.
      usual.insert(
        contentsOf: PaneID.optional.filter { told.contains($0) && $0 != .reward },
        at: usual.firstIndex(of: .learningRate).map { $0 + 1 } ?? usual.count)
      // It is what such a run is about.
      if told.contains(.reward) {
        usual.insert(.reward, at: usual.firstIndex(of: .loss).map { $0 + 1 } ?? 0)
      }
    }
    // Where no layer has attention, the pane of state spaces stands in its place.
    if !silent.isEmpty, !usual.contains(.wall), !told.contains(.stateSpaces) {
      usual.insert(.wall, at: usual.firstIndex(of: .loss).map { $0 + 1 } ?? pins.count)
    }
    usual.removeAll { hidden.contains($0) || promoted.contains($0) }
    return (promoted.filter { !silent.contains($0) } + usual)
      .filter {
        (isMixture || $0 != .experts) && (told.contains($0) || !PaneID.optional.contains($0))
      }
  }

  /// All panes in the order in which they are laid out, a person's own last.
  func ordered(isMixture: Bool) -> [PaneID] { PaneID.ordered(isMixture: isMixture) + pins }

  /// The panes that get room before others: those asked for by hand.
  var asked: [PaneID] { promoted + pins.filter { !promoted.contains($0) && !hidden.contains($0) } }

  package mutating func pin(_ pane: PaneID) {
    if !pins.contains(pane) { pins.append(pane) }
    show(pane)
  }

  package mutating func unpin(_ pane: PaneID) {
    pins.removeAll { $0 == pane }
    promoted.removeAll { $0 == pane }
    hidden.remove(pane)
    if zoomed == pane { zoomed = nil }
  }

  package mutating func show(_ pane: PaneID) {
    hidden.remove(pane)
    promoted.removeAll { $0 == pane }
    promoted.insert(pane, at: 0)
  }

  package mutating func hide(_ pane: PaneID) {
    promoted.removeAll { $0 == pane }
    hidden.insert(pane)
  }
}

/// The sets of panes that `p` goes through.
package enum LayoutPreset: String, Sendable, CaseIterable {
  case overview, stability, speed, wall, everything

  /// Its panes, the one to be left out last first.
  package func panes(isMixture: Bool) -> [PaneID] {
    switch self {
    case .overview:
      isMixture
        ? [.loss, .attentionLogits, .experts, .learningRate, .events, .gradients, .throughput]
        : [
          .loss, .attentionLogits, .learningRate, .gradients, .events, .throughput, .activations,
        ]
    case .stability:
      [.loss, .attentionLogits, .gradients, .activations, .outputs, .events]
    case .speed:
      [.loss, .throughput, .run, .console]
    case .wall:
      [.wall, .events]
    case .everything:
      PaneID.ordered(isMixture: isMixture)
    }
  }
}

extension PaneID {
  /// All panes in the order in which they are laid out; a dense model has no experts.
  package static func ordered(isMixture: Bool) -> [PaneID] {
    let first: [PaneID] =
      isMixture
      ? [
        .loss, .attentionLogits, .learningRate, .experts, .gradients, .throughput, .activations,
        .outputs, .run, .console, .wall,
      ]
      : [
        .loss, .attentionLogits, .learningRate, .gradients, .activations, .throughput, .outputs,
        .run, .console, .wall,
      ]
    let known = Set(first + [.experts, .events])
    return first + allCases.filter { !known.contains($0) } + [.events]
  }

  /// Panes of what a run tells only where its model has it or an option asks for it.
  package static let optional: [PaneID] = [.reward, .stateSpaces, .samples, .inspection]

  /// The panes with a digit, from 1 on: the same whatever the model.
  private static let numbered: [PaneID] = [
    .loss, .attentionLogits, .learningRate, .experts, .events, .throughput, .gradients,
    .activations, .run,
  ]

  /// The pane that a digit toggles.
  package static func pane(digit: Int) -> PaneID? {
    numbered.indices.contains(digit - 1) ? numbered[digit - 1] : nil
  }

  /// The digit that toggles it, if it has one.
  package var digit: Int? { Self.numbered.firstIndex(of: self).map { $0 + 1 } }

  package var title: String { PaneCatalog.pane(self)?.title ?? rawValue }

  /// The share of the rows it is given beside others.
  var weight: Int { PaneCatalog.pane(self)?.weight ?? 2 }

  /// Whether it is a list that up and down scroll.
  package var isScrollable: Bool {
    switch self {
    case .events, .run, .console, .samples, .wall: true
    default: false
    }
  }
}
