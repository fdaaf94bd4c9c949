import Models

extension ModelConfiguration {
  /// The shape in a few words.
  package var words: String {
    let mixture =
      experts.map {
        ", \($0.active) of \($0.count) experts of width \($0.width) by the router \($0.words)"
      } ?? ""
    let family =
      (architecture == .persimmon ? "" : "\(architecture.rawValue) of ")
    let shares =
      (keyValueHeads.map { ", \($0) of keys" } ?? "") + (isTied ? ", tied embeddings" : "")
    let sigma = sigmaReparam ? ", sigma-reparametrised" : ""
    let adapter =
      adapter.map {
        ", \($0.method.rawValue) of rank \($0.rank)"
          + ($0.method.hasAlpha ? " and alpha \($0.alpha)" : "")
      } ?? ""
    let left =
      pruned.map { ", \($0.heads) heads and \($0.channels.reduce(0, +)) channels left" } ?? ""
    let mixed = (0..<layers).filter { mixer(inLayer: $0) != .attention }
    let mixers = mixed.map { "\(mixer(inLayer: $0).rawValue) in layer \($0)" }
    let shared = sharing > 0 ? ", matrices read from an array \(sharing) times as long" : ""
    return "\(family)width \(width), \(layers) layers, \(heads) heads\(shares), context \(context)"
      + besidesFamily + mixers.map { ", \($0)" }.joined() + mixture + sigma + shared + adapter
      + left
  }

  /// What it has otherwise than its family usually does, by the options' names.
  private var besidesFamily: String {
    var words: [String] = []
    if vocabulary != Corpus.byteVocabulary { words.append(", \(vocabulary) tokens") }
    if feedForward != architecture.feedForward { words.append(", \(feedForward.rawValue)") }
    if feedForwardWidth != architecture.feedForwardWidth(width) {
      words.append(", ffn-width \(feedForwardWidth)")
    }
    if rotaryBase != Self.usualRotaryBase { words.append(", rope-theta \(rotaryBase)") }
    if normEpsilon != architecture.normEpsilon { words.append(", norm-eps \(normEpsilon)") }
    return words.joined()
  }
}

extension ExpertConfiguration {
  /// The router, and what is otherwise than usual, by the options' names.
  fileprivate var words: String {
    var words = [router.rawValue]
    if router.conformer.hasState { words.append("router-width \(routerWidth)") }
    if every != 1 { words.append("expert-every \(every)") }
    if sharedWidth != 0 { words.append("shared-expert-width \(sharedWidth)") }
    return words.joined(separator: ", ")
  }
}
