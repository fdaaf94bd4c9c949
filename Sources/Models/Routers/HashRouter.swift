internal import Kernels

/// Who has a token, whatever is learned: the experts that the hash of the token and of the one before
/// it picks in each layer, in even parts. The baseline for any router that learns.
///
/// A token alone would load the experts as unevenly as the tokens themselves come.
/// - Source: Roller et al. 2021 (2106.04426)
struct HashRouter: DealingRouter {
  static let name = "hash"
  let layer: Int

  func deal(_ pass: PassInputs) -> ExpertDeal {
    ExpertDeal(unit: pass.pairs, seed: UInt64(layer) &* 0xd1b5_4a32_d192_ed03)
  }
}

extension ExpertRouter {
  /// A hash of the last two tokens, gates even.
  public static let hash = ExpertRouter(HashRouter.self)
}
