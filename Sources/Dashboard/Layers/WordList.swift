/// The field's words that the screen uses, each in a sentence.
enum WordList {
  struct Word: Sendable, Hashable {
    let name: String
    let meaning: String
  }

  static let words: [Word] = [
    Word(
      name: "adagc",
      meaning: "clips each tensor's gradient by its own average instead of all by one"),
    Word(
      name: "alarm", meaning: "a rule that saw trouble or foresees it; it stays until that ends"),
    Word(
      name: "attention entropy",
      meaning: "how many places a token looks at: 100% is all before it alike, 0% a single one"),
    Word(
      name: "attention logit",
      meaning: "a query times a key over √(head width), before the softmax; runs above 1e4 diverge"),
    Word(
      name: "balance loss",
      meaning: "moe.aux_loss: a term of the loss that grows as experts are used unevenly"),
    Word(
      name: "best m",
      meaning: "of the probe's update scales the one with the least loss; 1 is the rate in force"),
    Word(
      name: "capacity", meaning: "how many even shares of a window an expert takes; the rest drops"),
    Word(
      name: "checkpoint",
      meaning: "weights and optimiser on disk: r goes back to one, resume starts there"),
    Word(
      name: "cliff",
      meaning:
        "the first update scale m at which the probe's loss shoots up: how near divergence is"),
    Word(
      name: "clipping", meaning: "scaling a gradient down whose norm is above grad_clip"),
    Word(
      name: "cv",
      meaning: "coefficient of variation of the experts' loads: deviation over mean; 0 is even"),
    Word(
      name: "dead expert",
      meaning:
        "one with less than an eighth of an even share over 100 steps; it learns nothing more"),
    Word(
      name: "diverged",
      meaning: "the loss is no number any more, or far above where it was for good"),
    Word(
      name: "effect",
      meaning: "what a change did: means over 100 steps before it and after its blend"),
    Word(
      name: "eval", meaning: "held-out loss: the loss on windows that are never trained on"),
    Word(
      name: "grad norm", meaning: "the length of all gradients as one vector, before clipping"),
    Word(
      name: "log Z", meaning: "log of the softmax's normaliser; a drift away from 0 loses digits"),
    Word(
      name: "logit softcap", meaning: "bounds attention logits by c·tanh(z/c)"),
    Word(
      name: "MaxVio",
      meaning: "largest expert load over the mean, less 1: 0 is even, 1.5 an overload"),
    Word(
      name: "mitigation", meaning: "a setting that helps against instability: m lists them"),
    Word(
      name: "nats", meaning: "the unit of loss: natural logarithms; 1 nat is 1.44 bits"),
    Word(
      name: "noise scale",
      meaning: "the batch, in sequences, beyond which a larger one pays less and less"),
    Word(
      name: "overload", meaning: "an expert with more than 2.5 even shares over 100 steps"),
    Word(
      name: "probe",
      meaning: "measures the loss after the present update scaled by m, and takes it back"),
    Word(
      name: "qk-clip",
      meaning: "shrinks a head's query and key weights where its logits pass a bound"),
    Word(
      name: "qk-layernorm",
      meaning: "normalises queries and keys, so that attention logits cannot grow: the usual cure"),
    Word(
      name: "RMS", meaning: "root mean square: the typical size of a tensor's numbers"),
    Word(
      name: "router", meaning: "chooses the experts of each token"),
    Word(
      name: "sensitivity",
      meaning:
        "mean loss lost by scaling the update by m from 0 to 16; 0 is a rate that cannot be wrong"),
    Word(
      name: "sharpness",
      meaning:
        "largest curvature of the loss in the optimiser's scale; above 38/lr, with SGD 3.8/lr,"
        + " steps swing wider"),
    Word(
      name: "spike",
      meaning: "a loss far above its recent values: 7 standard deviations raise the alarm"),
    Word(
      name: "warm-up", meaning: "the first steps, in which the rate rises to its peak"),
    Word(
      name: "weight decay", meaning: "pulls weights towards 0 in every step"),
    Word(
      name: "z-loss", meaning: "adds z_loss·(log Z)² to the loss: holds log Z near 0; 1e-4 is usual"
    ),
    Word(
      name: "zclip", meaning: "lowers a gradient norm that stands out from those of the last steps"),
    Word(
      name: "ε",
      meaning: "adam_eps: what Adam adds to √v; a gradient as small as it no longer moves weights"),
    Word(
      name: "×", meaning: "lr.multiplier: what { and } halve and double, on top of the schedule"),
  ]

  /// What the mouse does, for the list of keys.
  static let mouse: [Word] = [
    Word(
      name: "click",
      meaning: "Focus a pane; press a key of the lowest line; in a list go to a line."),
    Word(
      name: "click a title", meaning: "Zoom the focused pane, or go back."),
    Word(name: "wheel", meaning: "Zoom in time at the pointer; over a list scroll it."),
    Word(
      name: "drag",
      meaning:
        "Move a zoomed window in time, or the cursor where it is on; a replay's line: go there."),
    Word(name: "right button", meaning: "Put the cursor on the charts, and move it."),
    Word(name: "click outside", meaning: "Close a box."),
  ]
}
