/// Pronounceable words, no two with the same letters, the frequent ones shorter; each with its
/// ending.
///
/// One word in fourteen ends a sentence and one in fourteen a clause.
func inventedWords(count: Int, seed: UInt64) -> [[UInt8]] {
  let generator = CounterGenerator(seed: seed, stream: "language words")
  var counter: UInt64 = 0
  func draw(below bound: Int) -> Int {
    defer { counter += 1 }
    return generator.number(below: bound, at: counter)
  }
  var taken: Set<[UInt8]> = []
  var words: [[UInt8]] = []
  while words.count < count {
    let letters = syllables(forRank: words.count, draw: draw)
    guard taken.insert(letters).inserted else { continue }
    words.append(letters + ending(forRank: words.count))
  }
  return words
}

private func syllables(forRank rank: Int, draw: (Int) -> Int) -> [UInt8] {
  let consonants = Array("bdfgklmnprstvz".utf8)
  let vowels = Array("aeiou".utf8)
  let count = rank < 40 ? 1 : rank < 400 ? 2 : 3
  var letters: [UInt8] = []
  for _ in 0..<count {
    letters.append(consonants[draw(consonants.count)])
    letters.append(vowels[draw(vowels.count)])
  }
  if draw(3) == 0 { letters.append(consonants[draw(consonants.count)]) }
  return letters
}

private func ending(forRank rank: Int) -> [UInt8] {
  switch rank % 14 {
  case 5: Array(".\n".utf8)
  case 9: Array(", ".utf8)
  default: Array(" ".utf8)
  }
}
