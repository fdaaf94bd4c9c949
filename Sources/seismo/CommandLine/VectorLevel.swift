import CBuild
import Foundation

/// The vectors that an engine is built for. One build has one; an installation has a build for each,
/// of which its launcher starts the widest that the processor has.
enum VectorLevel: String, CaseIterable {
  case avx512
  case avx2
  case plain

  static let built = VectorLevel(rawValue: String(cString: seismo_vector())) ?? .plain

  /// What the kernel says of a processor that has them.
  private var flags: Set<String> {
    switch self {
    case .avx512: ["avx2", "fma", "avx512f", "avx512vl", "avx512dq", "avx512bw"]
    case .avx2: ["avx2", "fma"]
    case .plain: []
    }
  }

  /// Why this build may not run here, in one line; nil where it may.
  ///
  /// - Parameters:
  ///   - wanted: what SEISMO_VECTOR says
  ///   - processor: the processor's flags; nil where they are not known
  /// - Returns: the reason, and what helps
  func refusal(wanted: String?, processor: Set<String>?) -> String? {
    if let wanted, wanted != rawValue {
      guard let level = VectorLevel(rawValue: wanted) else {
        return "SEISMO_VECTOR is '\(wanted)': give avx512, avx2 or plain"
      }
      return """
        SEISMO_VECTOR is \(wanted), and this build is for \(rawValue) alone: \
        SEISMO_VECTOR=\(level.rawValue) swift build -c release makes one
        """
    }
    guard let processor, !processor.isSuperset(of: flags) else { return nil }
    guard wanted == nil else {
      return "SEISMO_VECTOR is \(rawValue), which this processor lacks: name another, or none"
    }
    return """
      this build is for \(rawValue), which this processor does not have: build it here, or install \
      the package, which has a build for each
      """
  }

  /// What `/proc/cpuinfo` says of the first processor.
  static var processorFlags: Set<String>? {
    guard let file = FileHandle(forReadingAtPath: "/proc/cpuinfo"),
      let start = try? file.read(upToCount: 1 << 14)
    else { return nil }
    let line = String(decoding: start, as: UTF8.self).split(separator: "\n").first {
      $0.hasPrefix("flags")
    }
    return line.map { Set($0.split(whereSeparator: \.isWhitespace).map(String.init)) }
  }
}
