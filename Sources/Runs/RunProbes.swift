internal import Inspection
internal import Training

/// The probes of a run: training's own, then those of the rooms above it.
enum RunProbes {
  static let makers: [ProbeCatalog.Maker] = ProbeCatalog.makers + [{ InspectionProbe($0) }]
}
