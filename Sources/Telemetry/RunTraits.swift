/// What a recorded run can be found by.
package struct RunTraits: Sendable, Hashable {
  package var name = ""
  /// How it stands, in a word.
  package var state = ""
  package var alarms = 0
  /// What a filter compares beside the options.
  package var numbers: [RunFilter.Number: Double] = [:]
  /// Every option of the run under its long name.
  package var options: [String: String] = [:]
  package var environment: [String: String] = [:]
  package var notes: [String] = []
  package var metrics: [MetricName] = []
  package var tags: [String] = []

  package init() {}
}
