/// The version that recordings name, so that a run that cannot be reproduced says why.
package let seismoVersion = "0.2.0"
