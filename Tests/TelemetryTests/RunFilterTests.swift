import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(15))) struct RunFilterTests {
  private func matches(_ expression: String) throws -> Bool {
    var traits = RunTraits()
    traits.name = "Big-Run"
    traits.state = "finished"
    traits.alarms = 2
    traits.numbers = [.loss: 1.75, .steps: 300, .alarms: 2]
    traits.options = ["lr": "0.01", "moe-aux-loss": "1e-3", "qk-layernorm": "on", "data": "corpus"]
    traits.environment = ["project": "Proxies", "tags": "first, paper"]
    traits.notes = ["cured: the loss falls", "a|b \"quoted\""]
    traits.metrics = ["loss", "attention_logit_max/0"]
    traits.tags = ["keep"]
    return try RunFilter(expression).matches(traits)
  }

  @Test(arguments: [
    ("", true), ("big", true), ("BIG run", true), ("small", false), ("cured", true),
    ("proxies", true), ("corpus", false), ("name:cured", false), ("note:cured", true),
    ("project:prox", true), ("tag:paper", true), ("tag:keep tag:paper", true),
    ("tag:second", false), ("state:finished", true),
    ("config:lr=0.01", true), ("config:corpus", true), ("has:alarms", true), ("has:notes", true),
    ("has:loss", true), ("has:attention_logit_max", true), ("has:attention*", true),
    ("has:grad_norm", false),
  ])
  func `words are looked for in their field`(expression: String, isFound: Bool) throws {
    #expect(try matches(expression) == isFound)
  }

  @Test(arguments: [
    ("cfg.lr>=1e-2", true), ("cfg.lr>1e-2", false), ("cfg.lr<=0.01", true), ("cfg.lr<1", true),
    ("cfg.lr=1e-2", true), ("cfg.lr!=0.01", false), ("cfg.moe.aux_loss=0.001", true),
    ("cfg.qk_layernorm=on", true), ("cfg.qk_layernorm=1", true), ("cfg.data=Corpus", true),
    ("cfg.data>0", false), ("cfg.absent=1", false), ("cfg.absent!=1", true),
  ])
  func `options are compared as numbers or words`(expression: String, isFound: Bool) throws {
    #expect(try matches(expression) == isFound)
  }

  @Test(arguments: [
    ("loss<2", true), ("loss<1.75", false), ("loss<=1.75", true), ("LOSS>1.7e0", true),
    ("-loss<2", false), ("steps>=300", true), ("alarms=2", true), ("alarms!=2", false),
    ("loss<2 big", true), ("loss>2 | big", true), ("size>1", false), ("size!=1", true),
    ("\"loss<2\"", false),
  ])
  func `what the list says is compared as numbers`(expression: String, isFound: Bool) throws {
    #expect(try matches(expression) == isFound)
  }

  @Test(arguments: [
    ("-small", true), ("!big", false), ("--big", true), ("big -cured", false),
    ("small | big", true), ("small|big", true), ("small big | cured", true),
    ("small | big tiny", false), ("\"the loss falls\"", true), ("-\"the loss falls\"", false),
    ("note:\"the loss\"", true), ("note:\"a|b\"", true), ("\"cured:\"", true),
    ("-has:alarms", false),
    ("-cfg.lr<1e-3", true),
  ])
  func `not, and, or, quotes`(expression: String, isFound: Bool) throws {
    #expect(try matches(expression) == isFound)
  }

  @Test(arguments: [
    ("\"open", "a quote is not closed: end it with \""),
    ("a | ", "nothing stands after '|': give a word"),
    ("name:", "nothing stands after 'name:': give a word"),
    ("-", "nothing stands after '-': give a word"),
    ("nme:x", "no field 'nme:', did you mean 'name:'? (quote a word that has a colon)"),
    ("cfg.lr", "'cfg.lr' compares nothing: write cfg.lr>=1e-3, with one of >= <= != = > <"),
    ("lss<2", "no number 'lss' to compare: did you mean 'loss'?"),
    (
      "lr>=1e-3",
      "no number 'lr' to compare: there are loss, best, steps, alarms, length, size; an option is cfg.lr,"
        + " a word with a sign is quoted"
    ),
    ("loss<two", "'two' is no number to compare with"),
    ("loss<", "nothing stands after 'loss<': give a word"),
    ("<2", "'<2' compares nothing: write cfg.lr>=1e-3, with one of >= <= != = > <"),
    ("cfg.>1", "'cfg.>1' compares nothing: write cfg.lr>=1e-3, with one of >= <= != = > <"),
  ])
  func `what cannot be read is said in one line`(expression: String, line: String) {
    let flaw = #expect(throws: RunFilter.Flaw.self) { try RunFilter(expression) }
    #expect(flaw?.description == line)
  }
}
