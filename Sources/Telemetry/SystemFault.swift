import Glibc

/// Why the system would not do what it was asked for: its number, which a caller can act on, and its
/// words, for the sentence that a person reads.
package struct SystemFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// As `errno` has it.
  package let code: Int32

  package init(_ code: Int32) { self.code = code }

  package var description: String { String(cString: strerror(code)) }
}
