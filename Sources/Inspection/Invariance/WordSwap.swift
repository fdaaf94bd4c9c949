import Models
import Training

/// A word of the built-in language for another of its kind: as long, with the same ending.
///
/// What follows a word depends on that word alone, so that from the next word's end on the text says
/// what it said.
struct WordSwap: TextChange {
  let name = "word"
  let meaning = "a word for one of its length and ending; compared after the next word"

  private struct Kind: Hashable {
    let ending: ArraySlice<UInt8>
    let count: Int

    init(_ word: [UInt8]) {
      ending = word.drop { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      count = word.count
    }
  }

  private let words: Set<[UInt8]>
  private let kinds: [Kind: [[UInt8]]]

  /// - Parameters: `seed` of the language that runs learn without data of their own
  init(seed: UInt64 = 1) {
    let language = SyntheticLanguage(seed: seed)
    words = Set(language.words)
    kinds = Dictionary(grouping: language.words, by: Kind.init)
  }

  func apply(to passage: Passage) -> ChangedText? {
    var window = passage.window
    // The first of them may be the rest of a word.
    let whole = SyntheticLanguage.wholeWords(in: window).dropFirst()
    for (word, next) in zip(whole, whole.dropFirst())
    where words.contains(Array(word)) && words.contains(Array(next)) {
      guard let other = other(than: Array(word), passage.number) else { continue }
      window.replaceSubrange(word.indices, with: other)
      guard next.endIndex < passage.context else { return nil }
      return ChangedText(
        bytes: window, pairs: (next.endIndex..<passage.context).map { ($0, $0) })
    }
    return nil
  }

  private func other(than word: [UInt8], _ number: Int) -> [UInt8]? {
    let others = (kinds[Kind(word)] ?? []).filter { $0 != word }
    guard !others.isEmpty else { return nil }
    var random = RandomStream(seed: UInt64(number), name: "word swap")
    return others[Int(random.next() % UInt64(others.count))]
  }
}
