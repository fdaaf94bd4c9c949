/// How positions turn, by the rules of transformers 5.24 (`RotaryEmbeddingConfigMixin`), which knows the
/// words of earlier versions too.
///
/// A `rope_scaling` that says anything stands in the place of all of `rope_parameters`. What these leave
/// out is read beside them, and is usual where that says nothing either.
struct HuggingFaceRotation: Decodable {
  private let kind: String
  private let share: Double?
  private let headWidth: Int?
  /// θ
  let base: Double

  private struct Parameters: Decodable {
    var kind: String?
    var olderKind: String?
    var share: Double?
    var base: Double?

    enum CodingKeys: String, CodingKey {
      case kind = "rope_type"
      case olderKind = "type"
      case share = "partial_rotary_factor"
      case base = "rope_theta"
    }
  }

  private enum CodingKeys: String, CodingKey {
    case scaling = "rope_scaling"
    case parameters = "rope_parameters"
    case share = "partial_rotary_factor"
    case base = "rope_theta"
    case headWidth = "head_dim"
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let scaling = try values.decodeIfPresent([String: HuggingFaceMember].self, forKey: .scaling)
    let place = scaling?.isEmpty == false ? CodingKeys.scaling : .parameters
    let own = try values.decodeIfPresent(Parameters.self, forKey: place)
    kind = own?.kind ?? own?.olderKind ?? "default"
    share = try own?.share ?? values.decodeIfPresent(Double.self, forKey: .share)
    base = try own?.base ?? values.decodeIfPresent(Double.self, forKey: .base) ?? 10_000
    headWidth = try values.decodeIfPresent(Int.self, forKey: .headWidth)
  }

  /// - Parameters: `usualShare` of a head turns where nothing is said of it
  func flaw(_ sizes: HuggingFaceSizes, usualShare: Double = 1) -> String? {
    if let headWidth, headWidth != sizes.headWidth {
      return "heads of width \(headWidth), not \(sizes.headWidth)"
    }
    guard sizes.headWidth % 2 == 0 else {
      return "positions turn pairs of channels, and its heads have \(sizes.headWidth) of them"
    }
    if kind != "default" {
      return "positions turn in the way \(kind), not as they are counted"
    }
    let share = share ?? usualShare
    if share != 1 { return "positions rotate a share of \(share) of a head, not all of it" }
    return (1...1e9).contains(base) ? nil : "positions rotate by base \(base)"
  }
}
