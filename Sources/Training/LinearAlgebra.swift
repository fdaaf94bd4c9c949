import Kernels

/// The library whose matrix products a run uses; its bits differ between core types.
package enum LinearAlgebra {
  package static var version: String { BLAS.version }
  package static var coreName: String { BLAS.coreName }
}
