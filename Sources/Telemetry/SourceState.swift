/// How a source of records stands, whoever makes them.
package enum SourceState: Sendable, Hashable {
  /// What there is already is still being read: this share of it has been, and a part is told.
  case reading(share: Double)
  /// Records come.
  case live
  /// No more records come.
  case ended
  /// Nothing has come since this time, which is longer than usual; what is known of why.
  case silent(since: Double, remark: String)
  /// Whoever made the records is gone before the run's end; what is known of it.
  case gone(remark: String)
  /// Nothing can be read just now, and why.
  case unreachable(reason: String)
}
