import Foundation

/// The best peak rate and batch by the size of a model and of its data.
///
/// η = 1.79·N^−0.713·D^0.307, B = 0.58·D^0.571 tokens; fitted over N from 0.21 to 1.07 thousand
/// million and D from 4 to 100 thousand million, with AdamW and a schedule that ends at 1e-5.
/// - Source: Step Law (2503.04715).
package struct StepLaw: Sendable, Equatable {
  /// Below so many parameters its rates are absurd.
  package static let leastParameters = 3e6

  package let learningRate: Double
  package let batchTokens: Double
  /// Whether N and D lie within what it was fitted over.
  package let isInRange: Bool

  /// - Parameters:
  ///   - parameters: N, without embedding and unembedding.
  ///   - tokens: D, trained on.
  package init(parameters: Double, tokens: Double) {
    learningRate = 1.79 * pow(parameters, -0.713) * pow(tokens, 0.307)
    batchTokens = 0.58 * pow(tokens, 0.571)
    isInRange = (0.21e9...1.07e9).contains(parameters) && (4e9...100e9).contains(tokens)
  }
}
