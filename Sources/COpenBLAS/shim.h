/* OpenBLAS's own header: Debian installs it under an architecture folder that pkg-config names. */
#include <cblas.h>

/* LAPACK's eigenvalues and eigenvectors of a symmetric matrix, which OpenBLAS holds too. */
void dsyev_(
    const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
    double *work, const int *lwork, int *info);
