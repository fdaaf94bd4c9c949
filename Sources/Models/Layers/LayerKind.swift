/// A layer by its name: a value that carries its conformer.
public struct LayerKind: RawRepresentable, Sendable, Hashable, Codable {
  /// What may mix a block's positions.
  public static let mixers: [LayerKind] = [.attention, .ssm]
  /// What may follow it where there are no experts.
  public static let feedForwards: [LayerKind] = [.gelu, .kat, .swiglu]

  package let conformer: any Layer.Type

  /// One that need not be registered, as long as nobody reads its name back.
  package init(_ conformer: any Layer.Type) { self.conformer = conformer }

  /// Nil for a name that is not registered.
  public init?(rawValue: String) {
    let kinds = Self.mixers + Self.feedForwards
    guard let kind = kinds.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = kind
  }

  /// The word for it in options and checkpoints.
  public var rawValue: String { conformer.name }
}
