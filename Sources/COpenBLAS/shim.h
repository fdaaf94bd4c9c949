/* OpenBLAS's own header: Debian installs it under an architecture folder that pkg-config names. */
#include <cblas.h>
