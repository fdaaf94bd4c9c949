import Screen

extension Theme {
  /// The theme as a file says it, every key of it, so that a person can copy and change it.
  package var fileText: String {
    var lines = [
      "# A role's colour is \"#RRGGBB\", \"ansi 0\" to \"ansi 15\", or \"\" for the terminal's own.",
      "# ROLE.background and ROLE.attributes (bold dim italic underline reverse) are optional.",
      "# A theme that changes a few roles begins with: inherits = \"dark\"", "",
      "isDark = \(isDark)",
    ]
    if depth == .ansi16 { lines.append("colors = 16") }
    lines += [
      "paper = \"\(paper.fileWord)\"", "ink = \"\(ink.fileWord)\"", "",
    ]
    for role in Role.allCases where role != .heat { lines += self.lines(of: role) }
    for (name, gradient) in [
      ("logitsGradient", logitsGradient), ("expertsGradient", expertsGradient),
    ] {
      lines += [
        "", "\(name).low = \"\(gradient.low.fileWord)\"",
        "\(name).middle = \"\(gradient.middle.fileWord)\"",
        "\(name).high = \"\(gradient.high.fileWord)\"",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func lines(of role: Role) -> [String] {
    let look = looks[role] ?? Look()
    guard role != .background else {
      return ["background = \"\(look.background?.fileWord ?? "")\""]
    }
    var lines = ["\(role.name).foreground = \"\(look.foreground?.fileWord ?? "")\""]
    // A file without a parent starts from the dark theme: what that has and this has not is said.
    let usual = Theme.dark.looks[role] ?? Look()
    if look.background != nil || usual.background != nil {
      lines.append("\(role.name).background = \"\(look.background?.fileWord ?? "")\"")
    }
    let words = look.attributes.words
    if !words.isEmpty || !usual.attributes.isEmpty {
      lines.append("\(role.name).attributes = \"\(words)\"")
    }
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
