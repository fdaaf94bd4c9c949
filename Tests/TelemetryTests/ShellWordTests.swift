import Telemetry
import Testing

@Suite(.timeLimit(.minutes(15))) struct ShellWordTests {
  @Test(arguments: [
    ("sessions/run-1.seismo", "sessions/run-1.seismo"), ("my run", "'my run'"), ("", "''"),
    ("it's", "'it'\\''s'"), ("'", "''\\'''"), ("a;b", "'a;b'"),
  ])
  func `a word is quoted where a shell would not take it as it is, and read back`(
    word: String, quoted: String
  ) {
    #expect(ShellWord.quoted(word) == quoted)
    #expect(ShellWord.unquoted(quoted) == word)
  }
}
