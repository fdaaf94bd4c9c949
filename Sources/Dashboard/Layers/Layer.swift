package import Screen

/// Something in front of the panes that takes the keys first.
package protocol Layer: Sendable, Hashable {
  /// Whether it takes the whole screen.
  var isScreen: Bool { get }
  /// Whether pasted text is typed into it.
  var takesText: Bool { get }
  /// The entry of its list that a click takes rather than chooses; nil where there is none.
  var chosenIndex: Int? { get }

  mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer
  /// Chooses an entry of its list.
  mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer
  /// Gives the box that was drawn; nil where it has none.
  @discardableResult
  func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box?
  /// What a click there is on.
  func target(at point: Point, in state: DashboardState) -> Box.Target
}

extension Layer {
  package var isScreen: Bool { false }
  package var takesText: Bool { false }
  package var chosenIndex: Int? { nil }

  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer { .consumed }

  package func target(at point: Point, in state: DashboardState) -> Box.Target {
    var grid = CellGrid(size: state.size)
    return draw(on: &grid, state)?.target(at: point) ?? .nothing
  }

  /// A click on an entry of the list: it goes there, or, where it is already, takes it.
  mutating func click(_ index: Int, in state: DashboardState) -> LayerAnswer {
    index == chosenIndex ? handle(.enter, in: state) : choose(index, in: state)
  }
}

/// What a layer makes of a key.
package struct LayerAnswer: Sendable, Hashable {
  /// Not consumed: the key goes on to what lies behind.
  var isConsumed = true
  var closes = false
  /// Done in order once the layer is closed or put back.
  var deeds: [Deed] = []

  static let consumed = LayerAnswer()
  static let ignored = LayerAnswer(isConsumed: false)
  static let closed = LayerAnswer(closes: true)

  static func closed(_ deeds: Deed...) -> LayerAnswer { LayerAnswer(closes: true, deeds: deeds) }
  static func stays(_ deeds: Deed...) -> LayerAnswer { LayerAnswer(deeds: deeds) }
}
