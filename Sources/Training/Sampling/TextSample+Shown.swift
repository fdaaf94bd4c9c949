extension TextSample {
  /// For a terminal, which must not take what a model wrote for orders.
  package var shown: String { text { $0 == "\n" || $0 == "\t" } }

  /// The same in one line.
  package var line: String { text { _ in false } }

  private func text(_ isKept: (Unicode.Scalar) -> Bool) -> String {
    var shown = ""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control where !isKept(scalar), .format, .lineSeparator, .paragraphSeparator:
        shown += Self.escaped(scalar)
      default: shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": "\\n"
    case "\t": "\\t"
    default: "\\u{\(String(scalar.value, radix: 16))}"
    }
  }
}
