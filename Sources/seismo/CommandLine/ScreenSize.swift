import ArgumentParser
import Dashboard
import Screen

/// `120x40` on the command line.
struct ScreenSize {
  let size: Size

  /// - Throws: what may be given.
  init(words: String) throws {
    guard let size = Size(words: words) else {
      throw ValidationError("give columns and rows from 1x1 to 1000x1000, such as 120x40")
    }
    self.size = size
  }
}
