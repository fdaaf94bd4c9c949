import Dashboard
import Screen
import Telemetry
import Testing

@Suite(.timeLimit(.minutes(15))) struct CommandTableTests {
  @Test(arguments: [true, false])
  func `no key stands for two things in one place`(isMixture: Bool) {
    for kind in [RunSource.Kind.live, .watch, .replay] {
      var state = DashboardState(
        source: RunSource(kind: kind, name: "run"), size: Size(columns: 80, rows: 24))
      state.history = isMixture ? SampleRun.mixture : SampleRun.rescue
      let keys = CommandTable.applicable(to: state).flatMap(\.keys)
      #expect(keys.count == Set(keys).count)
    }
  }

  @Test func `no two actions have one name`() {
    for isMixture in [true, false] {
      let names = CommandTable.all(isMixture: isMixture).map(\.name)
      #expect(names.count == Set(names).count)
    }
  }

  @Test func `every key of the design has its action`() {
    let live = UpdateTests.live()
    let keys: [Key] =
      " .cm{}uNxhjkl+-0gG[]syYa/n123456789pftwq?:".map(Key.character) + [
        .tab, .backtab, .enter, .escape, .left, .right, .up, .down, .control("l"), .control("z"),
        .control("c"),
      ]
    for key in keys {
      #expect(CommandTable.command(for: key, in: live) != nil, "\(key)")
    }
  }

  @Test func `the README's table names every key once`() {
    let table = CommandTable.markdown
    for command in CommandTable.all(isMixture: true) {
      for key in command.keys { #expect(table.contains("`\(key.words)`")) }
    }
  }

  @Test func `every sentence ends as one and says something`() {
    for command in CommandTable.all(isMixture: true) {
      #expect(command.sentence.hasSuffix("."))
      #expect(command.sentence.count > 10)
      #expect(command.sentence.count < 90)
    }
  }

  @Test func `no action of the menu or the palette ends a run unasked`() {
    for command in CommandTable.applicable(to: UpdateTests.live()) {
      var state = UpdateTests.live()
      for key in [Key.character(":")] + command.name.map(Key.character) + [.enter] {
        let effects = update(&state, .keyPressed(key))
        #expect(!effects.contains { $0.endsRun }, "\(command.name)")
      }
    }
    for word in ["stop", "detach"] {
      var state = UpdateTests.live()
      for key in [Key.character(":")] + word.map(Key.character) + [.enter] {
        #expect(!update(&state, .keyPressed(key)).contains { $0.endsRun })
      }
      #expect(state.layers.last is QuitDialog, "\(word) does not ask")
    }
  }
}

extension Effect {
  fileprivate var endsRun: Bool {
    switch self {
    case .quit, .send(.stop, _), .send(.detach, _): true
    default: false
    }
  }
}
