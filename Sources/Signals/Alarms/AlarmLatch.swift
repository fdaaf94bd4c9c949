/// One alarm's memory: raised once, held until it is quiet for a while, then held down for a while.
///
/// Between trouble and quiet lies a band that is neither; there the latch stays as it is.
struct AlarmLatch: Sendable, Equatable, Codable {
  enum Reading: Sendable, Equatable {
    case trouble, between, quiet
  }

  enum Change: Sendable, Equatable {
    case raised, calmed
  }

  private(set) var isRaised = false
  private(set) var troubleSince: Int?
  private var quietSince: Int?
  private var notBefore = Int.min

  mutating func read(_ reading: Reading, step: Int, patience: Patience) -> Change? {
    troubleSince = reading == .trouble ? (troubleSince ?? step) : nil
    quietSince = reading == .quiet ? (quietSince ?? step) : nil
    if isRaised {
      guard let quietSince, step - quietSince >= patience.quiet else { return nil }
      isRaised = false
      notBefore = step + patience.coolDown
      return .calmed
    }
    guard let troubleSince, step - troubleSince >= patience.trouble, step >= notBefore else {
      return nil
    }
    isRaised = true
    return .raised
  }
}
