package import Kernels

/// Plans the memory of passes, one after the other, and in each of its layers from the first on.
package struct MemoryPlan {
  package let arena: Arena
  /// M, the rows of a pass.
  package let rows: Int
  private var constants: [ObjectIdentifier: any Sendable] = [:]
  private var values: [ObjectIdentifier: any Sendable] = [:]
  private var firstSignal = 0

  init(arena: Arena, rows: Int) {
    self.arena = arena
    self.rows = rows
  }

  /// [M, columns], kept from a layer's forward to its backward pass.
  package func matrix(columns: Int) -> Matrix { arena.matrix(rows: rows, columns: columns) }

  /// What the layer before left under this type in the same pass; nil in the first one that asks.
  package subscript<Value: Sendable>(type: Value.Type) -> Value? {
    get { values[ObjectIdentifier(type)] as? Value }
    set { values[ObjectIdentifier(type)] = newValue }
  }

  /// Memory that layers of a kind need for the length of one layer, so that a pass has it once.
  package mutating func scratch<Value: Sendable>(_ make: (MemoryPlan) -> Value) -> Value {
    if let known = self[Value.self] { return known }
    let value = make(self)
    self[Value.self] = value
    return value
  }

  /// What no pass changes, so that all have it once.
  package mutating func constant<Value: Sendable>(_ make: () -> Value) -> Value {
    if let known = constants[ObjectIdentifier(Value.self)] as? Value { return known }
    let value = make()
    constants[ObjectIdentifier(Value.self)] = value
    return value
  }

  /// Where a layer puts its signals, in their order; asked once by a layer that has some.
  package mutating func signals(_ count: Int) -> Range<Int> {
    defer { firstSignal += count }
    return firstSignal..<firstSignal + count
  }

  /// The next pass has layers of its own.
  mutating func beginPass() {
    values = [:]
    firstSignal = 0
  }
}
