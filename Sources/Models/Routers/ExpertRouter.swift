/// A router by its name: a value that carries its conformer.
public struct ExpertRouter: RawRepresentable, CaseIterable, Sendable, Hashable, Codable {
  /// All that options name; each is a file in this folder.
  public static let allCases: [ExpertRouter] = [
    .topk, .switch, .sigmoid, .rmoe, .random, .hash, .thor,
  ]

  package let conformer: any Router.Type

  /// One that need not be registered, as long as nobody reads its name back.
  package init(_ conformer: any Router.Type) { self.conformer = conformer }

  /// Nil for a name that is not registered.
  public init?(rawValue: String) {
    guard let router = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
    self = router
  }

  /// The word for it in options and checkpoints.
  public var rawValue: String { conformer.name }

  /// The words for all that answer so, for a sentence.
  package static func names(where answers: (any Router.Type) -> Bool) -> String {
    allCases.filter { answers($0.conformer) }.map(\.rawValue).joined(separator: " or ")
  }
}
