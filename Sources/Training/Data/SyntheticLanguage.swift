import Foundation

/// A Markov chain over invented words whose frequencies follow Zipf's law, with its exact entropy.
///
///     P(j | i) = (1 - coherence) zipf(j) + coherence sum_k weight(k) [successor(i, k) = j]
///
/// A model first learns the letters, then the words and how frequent they are, and last, over the
/// whole run, which few words like to follow which: a fact for every pair, the rare words' last.
/// Every word ends with its own ending (a space, a comma and a space, a full stop and a newline)
/// and has letters no other word has, so the bytes tell the words apart and the entropy of the
/// bytes is that of the words:
///
///     H = sum_i pi(i) H(P(. | i)) / sum_i pi(i) bytes(i)     nats a byte, pi = pi P
///
/// The first word is drawn from pi, so the text is stationary from its first byte.
package struct SyntheticLanguage: Sendable {
  /// The words by rank, most frequent first, each with its ending.
  package let words: [[UInt8]]
  /// The share of each word in an endless text.
  package let stationary: [Double]
  /// Nats a byte.
  package private(set) var entropyPerByte: Double

  private let seed: UInt64
  private let zipf: [Double]
  /// `successorWeights.count` words for each word, one word after the other.
  private let successors: [Int]
  private let successorWeights: [Double]

  private static let coherence = 0.8
  private static let zipfOffset = 2.0

  package init(seed: UInt64, vocabulary: Int = 1000) {
    self.seed = seed
    words = inventedWords(count: vocabulary, seed: seed)
    zipf = normalised((0..<vocabulary).map { 1 / (Double($0) + 1 + Self.zipfOffset) })
    successorWeights = normalised([8, 4, 2, 1, 1])
    successors = Self.successors(zipf: zipf, each: successorWeights.count, seed: seed)
    stationary = Self.stationary(zipf: zipf, successors: successors, weights: successorWeights)
    entropyPerByte = 0
    entropyPerByte = transitionEntropy() / meanWordLength
  }

  /// P(next | previous).
  package func probability(of next: Int, after previous: Int) -> Double {
    let each = successorWeights.count
    var share = 0.0
    for rank in 0..<each where successors[previous * each + rank] == next {
      share += successorWeights[rank]
    }
    return (1 - Self.coherence) * zipf[next] + Self.coherence * share
  }

  /// Whether `next` is one of the few words that like to follow `previous`.
  package func prefers(_ next: Int, after previous: Int) -> Bool {
    let each = successorWeights.count
    return successors[(previous * each)..<((previous + 1) * each)].contains(next)
  }

  /// Whole words, up to the first that reaches `bytes`.
  package func text(bytes: Int) -> [UInt8] {
    let generator = CounterGenerator(seed: seed, stream: "language text")
    let zipfSums = runningSums(zipf)
    let weightSums = runningSums(successorWeights)
    var text: [UInt8] = []
    text.reserveCapacity(bytes + 64)
    var word = index(of: generator.fraction(at: 0), in: runningSums(stationary))
    var counter: UInt64 = 1
    while true {
      text.append(contentsOf: words[word])
      guard text.count < bytes else { return text }
      let draw = generator.fraction(at: counter + 1)
      if generator.fraction(at: counter) < Self.coherence {
        word = successors[word * successorWeights.count + index(of: draw, in: weightSums)]
      } else {
        word = index(of: draw, in: zipfSums)
      }
      counter += 2
    }
  }

  /// Letters and the ending after them, of each word but the last; the first may be the rest of one.
  package static func wholeWords(in bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    var (words, start): ([ArraySlice<UInt8>], Int) = ([], 0)
    for index in bytes.indices.dropFirst()
    where isLetter(bytes[index]) && !isLetter(bytes[index - 1]) {
      words.append(bytes[start..<index])
      start = index
    }
    return words
  }

  private var meanWordLength: Double {
    zip(stationary, words).reduce(0) { $0 + $1.0 * Double($1.1.count) }
  }

  /// Nats a word: the mean over pi of the entropies of the rows of P.
  private func transitionEntropy() -> Double {
    let base = zipf.map { (1 - Self.coherence) * $0 }
    let baseEntropy = base.reduce(0) { $0 + surprise($1) }
    let each = successorWeights.count
    var entropy = 0.0
    for word in words.indices {
      var row = baseEntropy
      for next in successors[(word * each)..<((word + 1) * each)] {
        row += surprise(probability(of: next, after: word)) - surprise(base[next])
      }
      entropy += stationary[word] * row
    }
    return entropy
  }

  /// Distinct successors for each word, frequent words more often.
  private static func successors(zipf: [Double], each: Int, seed: UInt64) -> [Int] {
    let generator = CounterGenerator(seed: seed, stream: "language successors")
    let sums = runningSums(zipf)
    var successors: [Int] = []
    var counter: UInt64 = 0
    for _ in zipf {
      var chosen: [Int] = []
      while chosen.count < each {
        let candidate = index(of: generator.fraction(at: counter), in: sums)
        counter += 1
        if !chosen.contains(candidate) { chosen.append(candidate) }
      }
      successors += chosen
    }
    return successors
  }

  /// The fixed point of pi P by iteration; each round shrinks the error by the coherence.
  private static func stationary(
    zipf: [Double], successors: [Int], weights: [Double]
  ) -> [Double] {
    var present = zipf
    for _ in 0..<200 {
      var next = zipf.map { (1 - coherence) * $0 }
      for word in zipf.indices {
        for rank in weights.indices {
          next[successors[word * weights.count + rank]] += coherence * weights[rank] * present[word]
        }
      }
      present = next
    }
    return normalised(present)
  }
}

/// -p ln p.
private func surprise(_ probability: Double) -> Double {
  probability > 0 ? -probability * log(probability) : 0
}

private func normalised(_ values: [Double]) -> [Double] {
  let sum = values.reduce(0, +)
  return values.map { $0 / sum }
}

private func runningSums(_ values: [Double]) -> [Double] {
  var sum = 0.0
  return values.map { value in
    sum += value
    return sum
  }
}

/// The first entry whose running sum exceeds `draw`.
private func index(of draw: Double, in sums: [Double]) -> Int {
  var low = 0
  var high = sums.count - 1
  while low < high {
    let middle = (low + high) / 2
    if sums[middle] > draw { high = middle } else { low = middle + 1 }
  }
  return low
}
