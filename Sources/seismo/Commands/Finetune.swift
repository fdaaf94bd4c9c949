import ArgumentParser
import Models
import Ranks
import Runs
import Training

struct Finetune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model that is there on other data: all of it, or an adapter beside it.",
    discussion: """
      It is seismo train --base CHECKPOINT: the same options, records, screen and hands. Sizes come \
      from the checkpoint; rate and steps that are not given are the method's usual ones. With \
      --method lora and its like the model's own weights stay as they are, and a checkpoint holds \
      them beside the adapter, which lies in its folder adapter/ in PEFT's form. seismo train \
      --resume goes on with it, sample and eval read it as any other. With --light N as many steps \
      before the run find out what of the model and of the adapter is needed; the rest is cut out.
      """)

  @Argument(
    help:
      """
      a checkpoint folder of Seismo's, or of a Persimmon, GPT-2 or Llama as transformers writes it
      """)
  var checkpoint: String
  @Option(
    help:
      """
      write the weights with the adapter merged into them to this folder, at the end of the run or, \
      where CHECKPOINT has an adapter already, at once
      """)
  var mergeInto: String?
  @Option(
    help: """
      train by each of these methods, with full for comparison, and print what they come to: \
      parameters, memory, seconds, held-out loss; all, or their names with commas between
      """)
  var compare: String?
  @Option(help: "with --compare: seeds of each method (default: 0,1,2)") var seeds: CountList?
  @OptionGroup var training: TrainingOptions

  mutating func validate() throws {
    if let base = training.options.given["base"] {
      throw ValidationError("--base \(base): the checkpoint is named without an option here")
    }
    if let resume = training.resume {
      throw ValidationError("--resume \(resume): 'seismo train --resume' goes on with a run")
    }
    guard compare != nil else {
      if seeds != nil { throw ValidationError("--seeds: give --compare with it") }
      return
    }
    for (name, isGiven) in [
      ("method", training.options.given["method"] != nil), ("merge-into", mergeInto != nil),
      ("seed", training.options.given["seed"] != nil), ("branch", training.branch != nil),
      ("adapter", training.options.given["adapter"] != nil), ("config", training.config != nil),
    ] where isGiven {
      throw ValidationError("--compare and --\(name): give one of them")
    }
    if let seeds { try CountList.check("seeds", seeds, 0...Int(Int32.max)) }
  }

  mutating func run() throws {
    if let compare { return try MethodTrial(self, methods: methods(compare)).conduct() }
    if let mergeInto {
      try Checkpoint.checkMerging(into: mergeInto)
      if let opened = try? CheckpointFolder.read(checkpoint), opened.configuration.adapter != nil {
        return try merge(opened, into: mergeInto)
      }
    }
    let plan = try training.train(base: checkpoint) { [checkpoint, mergeInto] plan in
      guard mergeInto != nil else { return }
      try Checkpoint.checkMerging(of: plan.configuration.model.adapter, path: checkpoint)
    }
    guard let mergeInto, ProcessRanks.speaks else { return }
    try merge(plan.lastCheckpoint(), into: mergeInto)
  }

  /// Full first, which the others are held against.
  private func methods(_ words: String) throws -> [String] {
    let (full, all) = (RunOptionCatalog.fullMethod, MethodComparison.methods)
    let named =
      try words == "all"
      ? MethodComparison.methods(for: BaseModel(path: checkpoint).configuration)
      : words.split(separator: ",").map(String.init)
    for name in named where !all.contains(name) {
      throw Failure.usage(
        "'\(name)' is no method for --compare: give all, or of \(all.joined(separator: ", "))")
    }
    return [full] + all.filter { named.contains($0) && $0 != full }
  }

  private func merge(_ checkpoint: Checkpoint, into folder: String) throws {
    try checkpoint.writeMerged(to: folder)
    guard !training.json else { return }
    try StandardOutput.print("merged \(checkpoint.path) into \(folder)")
  }
}
