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
  let ownGroups: [Range<Int>]
  let updatedGroups: [Range<Int>]
  let updatedParts: Range<Int>
  let sums: Buffer<ChunkSums>
  /// Σ g² of each slice of this rank, chunk by chunk.
  let sliceSquares: Buffer<Double>
  let gradient: FloatBuffer
  let first: FloatBuffer
  let second: FloatBuffer
  let muonParts: [MuonPart]
  let muonSums: Buffer<MatrixUpdate>
  let muonScratch: [MuonScratch]

  func sum(_ sliceGradients: [FloatBuffer], group: Int, worker: Int) {
    for index in groups[group] {
      sums[index].total = sumSlices(
        sliceGradients, into: gradient, from: chunks[index].start, count: chunks[index].count,
        squares: sliceSquares.base + index * sliceGradients.count)
    }
  }

  /// Σ g² of the ranks' sum, where the sum of this rank's slices was known.
  func measureTotal(_ gradient: FloatBuffer, group: Int, worker: Int) {
    for index in ownGroups[group] {
      sums[index].total = squareSum(
        gradient, from: chunks[index].start, count: chunks[index].count)
    }
  }

  /// Σ g²/v̂ of Adam's tensors.
  func measureRatio(_ steps: [TensorStep], group: Int, worker: Int) {
    for index in updatedGroups[group] where steps[chunks[index].tensor].rule == .adam {
      let chunk = chunks[index]
      sums[index].ratio = squareRatio(
        gradient: gradient, second: second, from: chunk.start, count: chunk.count,
        steps[chunk.tensor].adam)
    }
  }

  /// What the update would change of tensors that are updated chunk by chunk, and their own squares.
  func measureChange(_ update: Update, group: Int, worker: Int) {
    for index in updatedGroups[group] {
      sums[index].squares = update.steps[chunks[index].tensor].change(
        of: chunks[index], parameters: update.parameters, gradient: gradient, first: first,
        second: second)
    }
  }

  func apply(_ update: Update, job: Int, worker: Int) {
    guard job < updatedParts.count else {
      for index in updatedGroups[job - updatedParts.count] {
        sums[index].squares = update.steps[chunks[index].tensor].apply(
          chunks[index], parameters: update.parameters, gradient: gradient, first: first,
          second: second)
      }
      return
    }
    let index = updatedParts.lowerBound + job
    let part = muonParts[index]
    let step = update.steps[part.tensor]
    muonSums[index] = MatrixUpdate()
    guard step.rule == .muon else { return }
    muonSums[index] = muonStep(
      parameters: update.parameters, gradient: gradient, velocity: first, at: part.place,
      scratch: muonScratch[worker], step.momentum(MomentumConstants.muon))
  }
}
