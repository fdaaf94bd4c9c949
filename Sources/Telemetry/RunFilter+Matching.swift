extension RunFilter {
  package func matches(_ traits: RunTraits) -> Bool {
    alternatives.contains { terms in
      terms.allSatisfy { Self.holds($0.test, traits) != $0.isNegated }
    }
  }

  private static func holds(
    _ test: Test, _ traits: RunTraits
  ) -> Bool {
    switch test {
    case .word(let word):
      return texts(.name, traits).contains { $0.lowercased().contains(word) }
        || texts(.note, traits).contains { $0.lowercased().contains(word) }
        || texts(.project, traits).contains { $0.lowercased().contains(word) }
    case .field(.has, let word): return has(word, traits)
    case .field(let field, let word):
      return texts(field, traits).contains { $0.lowercased().contains(word) }
    case .option(let name, let comparator, let value):
      let found = traits.options.first { plain($0.key) == name }?.value
      guard let found else { return comparator == .unequal }
      return compares(found.lowercased(), comparator, value)
    case .number(let number, let comparator, let bound):
      guard let found = traits.numbers[number] else { return comparator == .unequal }
      return comparator.holds(found, bound)
    }
  }

  /// The options that are compared, as they were typed but for their spelling.
  package var comparedOptions: [String] {
    alternatives.joined().compactMap { term in
      if case .option(let name, _, _) = term.test { name } else { nil }
    }
  }

  /// Whether `options` have one that is compared under `name`.
  package static func has(option name: String, in options: [String: String]) -> Bool {
    options.keys.contains { plain($0) == name }
  }

  private static func texts(
    _ field: Field, _ traits: RunTraits
  ) -> [String] {
    switch field {
    case .name: [traits.name]
    case .note: traits.notes
    case .project: traits.environment[.project].map { [$0] } ?? []
    case .tag:
      traits.tags + [traits.environment[.tags] ?? traits.options["tags"]].compactMap(\.self)
    case .state: [traits.state]
    case .config: traits.options.map { "\($0.key)=\($0.value)" }
    case .has: []
    }
  }

  private static func has(
    _ word: String, _ traits: RunTraits
  ) -> Bool {
    switch word {
    case "alarm", "alarms": return traits.alarms > 0
    case "note", "notes": return !traits.notes.isEmpty
    default:
      let glob = MetricGlob(word)
      return traits.metrics.contains { name in
        let path = name.path.lowercased()
        return glob.matches(MetricName(path)) || path.hasPrefix(word + "/")
      }
    }
  }

  /// Numbers by their value, on and off with them, all else as words.
  private static func compares(_ found: String, _ comparator: Comparator, _ value: String) -> Bool {
    let numbers = [found, value].compactMap { SettingValue(words: $0)?.number }
    if numbers.count == 2 { return comparator.holds(numbers[0], numbers[1]) }
    return switch comparator {
    case .equal: found == value
    case .unequal: found != value
    case .atLeast, .atMost, .above, .below: false
    }
  }
}

extension RunFilter.Comparator {
  fileprivate func holds(_ found: Double, _ bound: Double) -> Bool {
    switch self {
    case .equal: found == bound
    case .unequal: found != bound
    case .atLeast: found >= bound
    case .atMost: found <= bound
    case .above: found > bound
    case .below: found < bound
    }
  }
}
