import Formats
import Telemetry

/// How a cell ended.
package enum CellState: String, Sendable, CaseIterable {
  case finished, diverged, failed, stopped
}

/// What a cell came to.
package struct CellResult: Sendable, Equatable {
  /// The session's path from the working directory.
  package var session: String
  package var options: [String: String]
  package var state: CellState
  package var steps = 0
  /// Training loss of the last step.
  package var finalLoss: Double?
  /// Held-out loss at the end.
  package var evalLoss: Double?
  /// Held-out loss before the first update; the training loss where none was measured.
  package var initialLoss: Double?
  /// Largest attention logit of the last step.
  package var attentionLogitMax: Double?
  /// RMS of the gradient of the blocks' first feed-forward matrices, the smallest of them, its mean
  /// over the last 500 steps.
  package var gradRMS: Double?
  /// Weights without embedding and unembedding.
  package var parameters = 0
  /// Tokens trained on.
  package var tokens = 0
  package var seconds = 0.0
  /// Why it failed.
  package var reason: String?

  package init(session: String, options: [String: String], state: CellState) {
    (self.session, self.options, self.state) = (session, options, state)
  }
}

extension CellResult {
  /// The result as one JSON object; what is not known is null, NaN and infinities stand bare.
  package var json: String {
    func number(_ value: Double?) -> String {
      value.map { JSONLines.number($0) } ?? "null"
    }
    var members = [
      ("session", JSONLines.quoted(session)), ("options", Self.json(options)),
      ("state", JSONLines.quoted(state.rawValue)), ("steps", "\(steps)"),
      ("final_loss", number(finalLoss)), ("eval_loss", number(evalLoss)),
      ("initial_loss", number(initialLoss)),
      (
        "attention_logit_max",
        attentionLogitMax.map { JSONLines.number($0, isSingle: true) } ?? "null"
      ),
      ("grad_rms", number(gradRMS)),
      ("parameters", "\(parameters)"), ("tokens", "\(tokens)"),
      ("seconds", JSONLines.number(seconds)),
    ]
    if let reason { members.append(("reason", JSONLines.quoted(reason))) }
    return JSONLines.object(members)
  }

  package static func json(_ options: [String: String]) -> String {
    JSONLines.object(options.sorted { $0.key < $1.key }.map { ($0, JSONLines.quoted($1)) })
  }

  /// Reads what ``json`` has written; nil where it is something else.
  package init?(json bytes: [UInt8]) {
    guard let value = try? JSONValue(bytes), let session = value["session"]?.text,
      let state = value["state"]?.text.flatMap(CellState.init),
      let options = value["options"]?.members
    else { return nil }
    self.init(
      session: session,
      options: options.reduce(into: [:]) { $0[$1.key] = $1.value.text }, state: state)
    steps = value["steps"]?.step ?? 0
    finalLoss = value["final_loss"]?.number
    evalLoss = value["eval_loss"]?.number
    initialLoss = value["initial_loss"]?.number
    attentionLogitMax = value["attention_logit_max"]?.number.map { Double(Float($0)) }
    gradRMS = value["grad_rms"]?.number
    parameters = value["parameters"]?.step ?? 0
    tokens = value["tokens"]?.step ?? 0
    seconds = value["seconds"]?.number ?? 0
    reason = value["reason"]?.text
  }
}
