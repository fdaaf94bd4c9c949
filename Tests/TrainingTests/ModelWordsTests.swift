import Models
import Testing

@testable import Training

/// A model's shape in a few words.
@Suite(.timeLimit(.minutes(15)))
struct ModelWordsTests {
  /// What differs must be told where a checkpoint is refused for it.
  @Test func `two shapes have two sets of words`() {
    func mixture(_ change: (inout ExpertConfiguration) -> Void) -> ModelConfiguration {
      var experts = ExpertConfiguration(count: 4, width: 8, active: 2, router: .rmoe)
      change(&experts)
      return ModelConfiguration(width: 16, layers: 2, heads: 2, context: 8, experts: experts)
    }
    func dense(_ change: (inout ModelConfiguration) -> Void) -> ModelConfiguration {
      var model = ModelConfiguration(width: 16, layers: 2, heads: 2, context: 8)
      change(&model)
      return model
    }
    func lora(_ change: (inout AdapterConfiguration) -> Void) -> ModelConfiguration {
      dense {
        var adapter = AdapterConfiguration(method: .lora)
        change(&adapter)
        $0.adapter = adapter
      }
    }
    let models = [
      dense { _ in }, dense { $0.width = 18 }, dense { $0.layers = 3 }, dense { $0.heads = 4 },
      dense { $0.context = 9 }, dense { $0.vocabulary = 700 }, dense { $0.vocabulary = 255 },
      dense { $0.setArchitecture(.gpt2) }, dense { $0.setArchitecture(.llama) },
      dense { $0.feedForwardWidth = 20 }, dense { $0.feedForward = .swiglu },
      dense { $0.rotaryBase = 500 }, dense { $0.normEpsilon = 1e-3 }, dense { $0.isTied = true },
      dense { $0.sigmaReparam = true }, dense { $0.sharing = 0.1 }, dense { $0.mixers = [.ssm] },
      mixture { _ in }, mixture { $0.count = 5 }, mixture { $0.width = 9 },
      mixture { $0.active = 1 }, mixture { $0.router = .topk }, mixture { $0.every = 2 },
      mixture { $0.sharedWidth = 4 }, mixture { $0.routerWidth = 4 },
      lora { _ in }, lora { $0.rank = 4 }, lora { $0.alpha = 4 }, lora { $0.method = .svfit },
    ]
    let words = models.map(\.words)
    #expect(Set(words).count == models.count, "\(words)")
    #expect(words[0] == "width 16, 2 layers, 2 heads, context 8")
    #expect(words[5] == "width 16, 2 layers, 2 heads, context 8, 700 tokens")
  }
}
