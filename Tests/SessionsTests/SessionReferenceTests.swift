import Testing
import TestSupport

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct SessionReferenceTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
    for name in ["rescue.seismo", "odd@2.seismo", "bare"] {
      try TestRun.record(TestRun.samples(0..<3), at: folder.path(name))
    }
  }

  @Test(arguments: [
    ("rescue.seismo", "rescue.seismo", nil, "rescue"), ("rescue", "rescue.seismo", nil, "rescue"),
    ("rescue@1", "rescue.seismo", 1, "rescue@1"),
    ("rescue.seismo@12", "rescue.seismo", 12, "rescue@12"),
    ("odd@2", "odd@2.seismo", nil, "odd@2"), ("odd@2@3", "odd@2.seismo", 3, "odd@2@3"),
    ("bare", "bare", nil, "bare"),
  ])
  func `a path, a name and a line are told apart`(
    words: String, file: String, line: Int?, name: String
  ) throws {
    let reference = try SessionReference(folder.path(words))
    #expect(reference.path == folder.path(file))
    #expect(reference.line == line)
    #expect(reference.name == name)
  }

  @Test(arguments: [
    ("rescu", "did you mean", "rescue.seismo? "), ("rescuee@1", "did you mean", "rescue.seismo? "),
    ("rescue@0", "did you mean", "rescue.seismo? "),
    ("nothing", "no session at", "nothing: 'seismo"),
  ])
  func `what is no session is refused with the nearest that there is`(
    words: String, text: String, end: String
  ) {
    let error = #expect(throws: SessionError.self) { try SessionReference(folder.path(words)) }
    let description = error?.description ?? ""
    #expect(description.contains(text) && description.contains(end), "\(description)")
    #expect(!description.contains("\n"))
  }
}
