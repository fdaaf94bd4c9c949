import Signals
import Telemetry
import Testing

@Suite(.timeLimit(.minutes(15))) struct TokenCountTests {
  private func history(_ records: [RunRecord], declared: Double = 16) -> RunHistory {
    var history = RunHistory()
    let description = RunDescription(
      name: "run", created: 0,
      model: RunDescription.Model(
        preset: nil, width: 64, layers: 2, heads: 2, context: 10, batch: 16, experts: 0,
        parameters: 1))
    history.append(.description(description))
    history.append(
      .settings([
        SettingDeclaration(
          name: SettingCatalog.batch, kind: .number(lowest: 1, highest: 4096),
          value: .number(declared), purpose: "")
      ]))
    for record in records { history.append(record) }
    return history
  }

  private func event(
    _ step: Int, _ kind: RunEvent.Kind, before: Double? = nil, after: Double? = nil
  ) -> RunRecord {
    .event(
      RunEvent(
        step: step, wallTime: 0, kind: kind, by: "you", name: SettingCatalog.batch,
        before: before.map { .number($0) }, after: after.map { .number($0) }, text: ""))
  }

  @Test func `a run whose batch never changed sees the same in each step`() throws {
    let count = try #require(TokenCount(history([])))
    #expect([0, 1, 100].map(count.tokens) == [0, 160, 16_000])
    #expect(count.step(after: 16_000) == 100)
    #expect(TokenCount(RunHistory()) == nil)
  }

  @Test func `each change counts from its step on`() throws {
    let count = try #require(
      TokenCount(
        history(
          [event(100, .set, before: 16, after: 64), event(200, .set, before: 64, after: 8)],
          declared: 8)))
    #expect([50, 100, 101, 200, 201].map(count.tokens) == [8_000, 16_000, 16_640, 80_000, 80_080])
    for step in [0, 50, 99, 100, 101, 150, 200, 201, 900] {
      #expect(count.step(after: count.tokens(before: step)) == step)
    }
  }

  @Test func `of two changes at one step the later one counts`() throws {
    let count = try #require(
      TokenCount(
        history([event(100, .set, before: 16, after: 64), event(100, .set, before: 64, after: 32)]))
    )
    #expect(count.tokens(before: 101) == 16_000 + 320)
  }

  @Test func `what was gone back over does not count`() throws {
    let rewound: [RunRecord] = [
      event(40, .checkpoint), event(60, .set, before: 16, after: 64), .generation(startingAt: 40),
      event(80, .set, before: 16, after: 32),
    ]
    let count = try #require(TokenCount(history(rewound, declared: 32)))
    #expect(count.tokens(before: 80) == 80 * 160)
    #expect(count.tokens(before: 81) == 80 * 160 + 320)
    // All changes were gone back over: what the run declares is what it goes on with.
    let undone = try #require(TokenCount(history(Array(rewound.prefix(3)))))
    #expect(undone.tokens(before: 100) == 16_000)
  }

  @Test func `numbers that are no batch change nothing`() throws {
    let strange = [0, -4, .nan].map { event(10, .set, before: 16, after: $0) }
    let count = try #require(TokenCount(history(strange, declared: 0)))
    #expect(count.tokens(before: 100) == 16_000)
  }
}
