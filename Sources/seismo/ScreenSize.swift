import ArgumentParser
import Dashboard
import Screen

/// `120x40` on the command line.
struct ScreenSize: ExpressibleByArgument {
  let size: Size

  init?(argument: String) {
    guard let size = Size(words: argument) else { return nil }
    self.size = size
  }
}
