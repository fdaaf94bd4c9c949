import Kernels
import Ranks

/// What an update's ranks tell each other.
extension Optimizer {
  /// The sum of all slices in this rank's section, and its squares in all of them.
  func sumOverRanks() {
    ranks.sum(gradient, sections.numbers, scratch: received)
    totalling.run(jobs: ownGroups.count, gradient)
    ranks.gather(sums, sections.chunks)
    if !isSharded { ranks.gather(gradient, sections.numbers) }
  }

  func gatherUpdate(_ parameters: FloatBuffer) {
    ranks.gather(parameters, sections.numbers)
    ranks.gather(sums, sections.chunks)
    ranks.gather(muonSums, sections.parts)
    isCollected = false
  }

  /// Has every rank know Σ g² of all slices.
  func shareSliceSquares(_ slices: Int) {
    guard ranks.count > 1 else { return }
    let bytes = slices * MemoryLayout<Double>.stride
    statistics.sliceGradientSquares.withUnsafeMutableBytes { memory in
      ranks.share(memory, bounds: (0...ranks.count).map { $0 * bytes })
    }
  }

  /// Has every rank know the second moments of all sections, until ``releaseMoments()``. All ranks
  /// call it.
  package func gatherSecondMoments() {
    if isSharded { ranks.gather(secondMoments, sections.numbers) }
  }

  /// Has rank 0 know all moments, until ``releaseMoments()``. All ranks call it.
  package func collectMoments() {
    guard isSharded, !isCollected else { return }
    isCollected = true
    ranks.collect(firstMoments, sections.numbers)
    ranks.collect(secondMoments, sections.numbers)
  }

  /// Gives the memory of other sections' moments back.
  package func releaseMoments() {
    guard isSharded else { return }
    isCollected = false
    let own = sections.numbers.ownRange
    for moments in [firstMoments, secondMoments] {
      moments.forget(0..<own.lowerBound)
      moments.forget(own.upperBound..<moments.count)
    }
  }
}
