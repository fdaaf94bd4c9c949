import Foundation
import Kernels
import Models
import Signals
import TestSupport
import Testing

@testable import Runs
@testable import Training

/// Tasks as they are read, judged and tried.
@Suite(.timeLimit(.minutes(15)))
struct TaskTests {
  private func tasks(_ text: String) throws -> [TextTask] {
    let folder = try TestFolder()
    try Data(text.utf8).write(to: folder.url.appending(path: "tasks"))
    return try TextTask.all(in: folder.path("tasks"))
  }

  @Test func `a line is a task, with its bytes, its check and its weak one`() throws {
    let tasks = try tasks(
      """
      {"prompt":"2+2=","check":{"exact":"four"}}

      {"prompt":"a","check":{"regex":"^b+"},"tokens":9,"weak_check":{"language":"words"}}
      {"prompt":"a","check":{"command":"cat"}}
      """)
    #expect(tasks.map(\.tokens) == [4, 9, 32])
    #expect(tasks.map(\.check) == [.exact("four"), .regex("^b+"), .command("cat")])
    #expect(tasks.map(\.weakCheck) == [nil, .language(.words), nil])
  }

  @Test(arguments: [
    ("{\"prompt\":\"a\"", "no JSON at byte "),
    ("{\"check\":{\"exact\":\"b\"}}", "no \"prompt\": give a text"),
    ("{\"prompt\":\"\",\"check\":{\"exact\":\"b\"}}", "no \"prompt\": give a text"),
    ("{\"prompt\":\"a\"}", "no \"check\": give"),
    ("{\"prompt\":\"a\",\"check\":{}}", "\"check\": give one of"),
    ("{\"prompt\":\"a\",\"check\":{\"exact\":\"b\",\"regex\":\"c\"}}", "\"check\": give one of"),
    ("{\"prompt\":\"a\",\"check\":{\"exakt\":\"b\"}}", "\"exakt\" is no check: give regex"),
    ("{\"prompt\":\"a\",\"check\":{\"regex\":\"(\"}}", "\"regex\" (: no pattern"),
    ("{\"prompt\":\"a\",\"check\":{\"language\":\"verbs\"}}", "\"language\" verbs: give words"),
    (
      "{\"prompt\":\"a\",\"check\":{\"exact\":\"b\"},\"weak_check\":4}",
      "\"weak_check\": give one of"
    ),
    ("{\"prompt\":\"a\",\"check\":{\"exact\":\"b\"},\"tokens\":0}", "\"tokens\": give a whole"),
  ])
  func `a line that is none is named`(line: String, what: String) throws {
    let error = #expect(throws: TaskError.self) {
      try tasks("{\"prompt\":\"a\",\"check\":{\"exact\":\"b\"}}\n" + line)
    }
    let words = error.map { "\($0)" } ?? ""
    #expect(words.contains("/tasks line 2: \(what)") && !words.contains("\n"), "\(words)")
  }

  @Test func `a file without tasks is one line`() throws {
    #expect(throws: TaskError.missing(path: "nowhere")) { try TextTask.all(in: "nowhere") }
    let error = #expect(throws: TaskError.self) { try tasks("\n \n") }
    #expect(error.map { "\($0)".contains("no task in it; give lines") } == true)
  }

  private func passes(_ check: TextCheck, _ text: String, after prompt: String = "a") throws -> Bool
  {
    try TextJudge(check, language: LanguageJudge()).passes(
      Array(text.utf8), after: Array(prompt.utf8))
  }

  @Test func `patterns are found, answers begin the text, programs answer by lines`() throws {
    #expect(try passes(.regex("^b+c"), "bbcd") && !passes(.regex("^b+c"), "abbc"))
    #expect(try passes(.exact("four"), "four more") && !passes(.exact("four"), "for"))
    let long = "while read line; do echo $((${#line} > 30)); done"
    #expect(try passes(.command(long), "quite a long text") && !passes(.command(long), "b"))
  }

  @Test(arguments: [
    ("exit 3", "it ended with code 3"), ("/nowhere/judge", "it ended with code 127 ("),
    ("read line; echo yes", "it answers 'yes'"),
    ("read line; echo first >&2; echo no model >&2; exit 4", "it ended with code 4 ('no model')"),
  ])
  func `a program that does not answer is one line`(command: String, reason: String) throws {
    let error = #expect(throws: TaskError.self) { try passes(.command(command), "b") }
    let words = error.map { "\($0)" } ?? ""
    #expect(words.hasPrefix("\(command): ") && !words.contains("\n"))
    #expect(words.contains(reason), "\(words)")
  }

  @Test func `a program may say more on its standard error than a pipe holds`() throws {
    let loud = "while read line; do head -c 300000 /dev/zero | tr '\\0' x >&2; echo 1; done"
    let judge = try TextJudge(.command(loud), language: LanguageJudge())
    for _ in 0..<2 { #expect(try judge.passes(Array("b".utf8), after: [])) }
  }

  @Test(arguments: [
    ("exit 3", "it ended with code 3"), ("while read line; do echo nan; done", "it answers nan"),
    ("while read line; do echo -2e6; done", "it answers -2000000.0"),
    ("while read line; do printf '1\\n0\\n'; done", "it answers more than a line for a text"),
  ])
  func `a reward that is none is one line in a reward's words`(command: String, reason: String)
    throws
  {
    let error = #expect(throws: TaskError.self) {
      _ = try RewardJudge.reward("command:" + command)([], [98], { true })
    }
    let words = error.map { "\($0)" } ?? ""
    #expect(words.hasPrefix("reward command:\(command): \(reason)"), "\(words)")
    #expect(!words.contains("\n") && !words.contains("pass"))
  }

  @Test func `a program that nobody waits for is left, and another one is asked next`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "seismo-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let mark = folder.appending(path: "quick").path
    // It holds on to its life too.
    let command = "trap '' TERM; while read line; do [ -e '\(mark)' ] && echo 7 || sleep 600; done"
    let reward = try RewardJudge.reward("command:" + command)
    let start = ContinuousClock.now
    #expect(throws: TaskError.self) { _ = try reward([97], [98], { false }) }
    #expect(ContinuousClock.now - start < .seconds(30))
    FileManager.default.createFile(atPath: mark, contents: nil)
    #expect(try reward([97], [98], { true }) == 7)
  }

  @Test func `the built-in language is judged by its words and by what they like to follow`() throws
  {
    let language = SyntheticLanguage(seed: 1)
    let judge = LanguageJudge()
    let next = try #require(language.words.indices.first { language.prefers($0, after: 0) })
    let other = try #require(language.words.indices.first { !language.prefers($0, after: 0) })
    let (first, half) = (language.words[0], Array("un".utf8))
    for (word, isFact) in [(next, true), (other, false)] {
      let text = language.words[word] + half
      #expect(judge.passes(text, after: first, level: .words))
      #expect(judge.passes(text, after: first, level: .facts) == isFact)
    }
    #expect(!judge.passes(Array("xqx un".utf8), after: first, level: .words))
    // A word that the text breaks off in is none yet.
    #expect(!judge.passes(half, after: first, level: .words))
    let text = language.text(bytes: 400)
    #expect(judge.passes(Array(text[40...]), after: Array(text[..<40]), level: .words))
  }

  /// A task with one right answer has the probability of its bytes.
  @Test func `rates are those of the answer's bytes`() throws {
    let configuration = ModelConfiguration(width: 8, layers: 1, heads: 1, context: 8)
    let layout = ParameterLayout(configuration)
    let parameters = FloatBuffer(count: layout.count)
    initialise(parameters: parameters, layout: layout, seed: 2)
    // Few bytes are likely, so that two of them are passed now and then.
    let head = try #require(layout["lm_head.weight"])
    for index in head.offset..<head.offset + head.count { parameters[index] *= 4 }
    let engine = InferenceEngine(
      configuration: configuration, settings: LossSettings(), parameters: parameters,
      pool: WorkerPool(workers: 1))
    var sampling = Sampling(prompt: Array("ab".utf8))
    sampling.tokens = 2
    let likely = sampling.continuation(40, engine: engine)
      .samples(0..<40, rule: SamplingRule(), seed: 99)
      .filter { $0.bytes.allSatisfy { $0 < 0x80 && $0 != 0x22 && $0 != 0x5c && $0 >= 0x20 } }
      .max { $0.logProbability < $1.logProbability }
    let answer = try #require(likely)
    let text = String(decoding: answer.bytes, as: UTF8.self)
    var evaluation = TaskEvaluation(
      tasks: try tasks("{\"prompt\":\"ab\",\"check\":{\"exact\":\"\(text)\"}}"))
    evaluation.passes = 20
    let judged = try (0..<12).map { seed in
      evaluation.seed = UInt64(seed)
      return try evaluation.outcomes(of: engine)[0].rate
    }
    let exact = exp(answer.logProbability)
    #expect(judged.allSatisfy { $0.passes == 20 && $0.isReached })
    // 95% each: fewer than nine of twelve come in one case of 5,000.
    #expect(judged.count { $0.interval.contains(exact) } >= 9)
    evaluation.most = 30
    let limited = try evaluation.outcomes(of: engine)[0].rate
    #expect(limited.tries <= 30)
  }
}
