/// A pattern of metric names as a shell writes it: `*` stands for any characters, `?` for one.
///
/// Without either it matches the one name it is.
package struct MetricGlob: Sendable {
  private let pattern: [Character]

  package init(_ pattern: String) {
    self.pattern = Array(pattern)
  }

  package func matches(_ name: MetricName) -> Bool {
    let text = Array(name.path)
    var (position, index) = (0, 0)
    // Where the last star stood and how much it has taken in: to be tried again with one more.
    var star: (index: Int, position: Int)?
    while position < text.count {
      if index < pattern.count, pattern[index] == "*" {
        star = (index, position)
        index += 1
      } else if index < pattern.count, pattern[index] == "?" || pattern[index] == text[position] {
        index += 1
        position += 1
      } else if let last = star {
        star = (last.index, last.position + 1)
        index = last.index + 1
        position = last.position + 1
      } else {
        return false
      }
    }
    return pattern[index...].allSatisfy { $0 == "*" }
  }
}
