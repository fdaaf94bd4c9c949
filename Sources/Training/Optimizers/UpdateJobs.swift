import Kernels
import Models

/// What an update does to the parameters.
struct Update: Sendable {
  /// By tensor.
  let steps: [TensorStep]
  let parameters: FloatBuffer

  init(_ steps: [TensorStep], _ parameters: FloatBuffer) {
    self.steps = steps
    self.parameters = parameters
  }
}

/// The pieces of an update that workers take. A job is a group of neighbouring chunks; Muon's
/// matrices are jobs of their own and come first, since they cost most.
struct UpdateJobs: Sendable {
  let chunks: [Chunk]
  let groups: [Range<Int>]
  let sums: Buffer<ChunkSums>
  let gradient: FloatBuffer
  let first: FloatBuffer
  let second: FloatBuffer
  let muonParts: [MuonPart]
  let muonSums: Buffer<UpdateSquares>
  let muonScratch: [MuonScratch]

  func sum(_ sliceGradients: [FloatBuffer], group: Int, worker: Int) {
    for index in groups[group] {
      sums[index].sum(sliceGradients, into: gradient, chunks[index])
    }
  }

  /// Σ g²/v̂ of Adam's tensors.
  func measureRatio(_ steps: [TensorStep], group: Int, worker: Int) {
    for index in groups[group] where steps[chunks[index].tensor].rule == .adam {
      let chunk = chunks[index]
      sums[index].ratio = squareRatio(
        gradient: gradient, second: second, from: chunk.start, count: chunk.count,
        steps[chunk.tensor].adam)
    }
  }

  func apply(_ update: Update, job: Int, worker: Int) {
    guard job < muonParts.count else {
      for index in groups[job - muonParts.count] {
        sums[index].squares = update.steps[chunks[index].tensor].apply(
          chunks[index], parameters: update.parameters, gradient: gradient, first: first,
          second: second)
      }
      return
    }
    let part = muonParts[job]
    let step = update.steps[part.tensor]
    muonSums[job] = UpdateSquares()
    guard step.rule == .muon else { return }
    muonSums[job] = muonStep(
      parameters: update.parameters, gradient: gradient, velocity: first, at: part.place,
      scratch: muonScratch[worker], step.momentum(MomentumConstants.muon))
  }
}
