/// The share of the last 100 steps whose gradient was clipped.
package struct ClipWindow: Sendable, Equatable, Codable {
  package static let length = 100

  private var clipped: [Bool] = []
  private var next = 0

  package init() {}

  package mutating func add(_ wasClipped: Bool) {
    guard clipped.count == Self.length else {
      clipped.append(wasClipped)
      return
    }
    clipped[next] = wasClipped
    next = (next + 1) % Self.length
  }

  /// NaN before the first step.
  package var fraction: Double {
    Double(clipped.count { $0 }) / Double(clipped.count)
  }
}
