import Screen

extension Theme {
  /// The theme as a file says it, every key of it, so that a person can copy and change it.
  package var fileText: String {
    var lines = [
      "# A role's colour is \"#RRGGBB\", or \"\" for the terminal's own.",
      "# ROLE.background and ROLE.attributes (bold dim italic underline reverse) are optional.",
      "# A theme that changes a few roles begins with: inherits = \"dark\"", "",
      "isDark = \(isDark)", "paper = \"\(paper.hex ?? "")\"", "ink = \"\(ink.hex ?? "")\"", "",
    ]
    for role in Role.allCases where role != .heat { lines += self.lines(of: role) }
    for (name, gradient) in [
      ("logitsGradient", logitsGradient), ("expertsGradient", expertsGradient),
    ] {
      lines += [
        "", "\(name).low = \"\(gradient.low.hex ?? "")\"",
        "\(name).middle = \"\(gradient.middle.hex ?? "")\"",
        "\(name).high = \"\(gradient.high.hex ?? "")\"",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func lines(of role: Role) -> [String] {
    let look = looks[role] ?? Look()
    guard role != .background else {
      return ["background = \"\(look.background?.hex ?? "")\""]
    }
    var lines = ["\(role.name).foreground = \"\(look.foreground?.hex ?? "")\""]
    if let background = look.background?.hex {
      lines.append("\(role.name).background = \"\(background)\"")
    }
    let words = look.attributes.words
    if !words.isEmpty { lines.append("\(role.name).attributes = \"\(words)\"") }
    return lines
  }
}

extension Attributes {
  fileprivate var words: String {
    let known: [(Attributes, String)] = [
      (.bold, "bold"), (.dim, "dim"), (.italic, "italic"), (.underline, "underline"),
      (.reverse, "reverse"),
    ]
    return known.filter { contains($0.0) }.map(\.1).joined(separator: " ")
  }
}
