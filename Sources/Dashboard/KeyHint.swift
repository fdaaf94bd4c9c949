import Screen

/// A key and what it does, as boxes and banners show it; a click on it presses the key.
struct KeyHint: Sendable, Hashable {
  let sign: String
  let label: String
  /// What it stands for: none where it only explains, two where one sign shows both, such as `↑↓`.
  let keys: [Key]

  init(_ sign: String, _ label: String, _ keys: Key...) {
    self.sign = sign
    self.label = label
    self.keys = keys
  }

  private init(sign: String, label: String, keys: [Key]) {
    (self.sign, self.label, self.keys) = (sign, label, keys)
  }

  var text: String { "\(sign) \(label)" }

  /// The hint with its sign in words where the terminal has no such sign.
  func spelled(with symbols: Symbols) -> KeyHint {
    let signs = ["⏎": symbols.enterKey, "⇥": symbols.tabKey]
    return KeyHint(sign: signs[sign] ?? sign, label: label, keys: keys)
  }

  /// The key that a click on the given column of the sign and its label is for: of two keys the
  /// first on the left half of the sign.
  func key(at column: Int) -> Key? {
    column < TextWidth.columns(of: sign) / 2 ? keys.first : keys.last
  }
}
