import ArgumentParser

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model, show it, steer it, record it.",
    discussion: """
      Every option may stand in a run.toml (--config) under its own name; the command line wins. \
      Sizes and rates that are not given come from the preset.
      """)

  @OptionGroup var training: TrainingOptions

  mutating func run() throws {
    try training.train()
  }
}
