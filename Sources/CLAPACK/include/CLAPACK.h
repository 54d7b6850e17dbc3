#ifndef SPINWEAVE_CLAPACK_H
#define SPINWEAVE_CLAPACK_H

// Declarations of the LAPACK and BLAS routines that Spinweave calls, by their Fortran names: Debian's OpenBLAS has no
// LAPACKE, and `double _Complex *` would reach Swift as an opaque pointer.

typedef struct {
    double re, im;
} spinweave_complex;

void zheevd_(const char *jobz, const char *uplo, const int *n, spinweave_complex *a, const int *lda, double *w,
             spinweave_complex *work, const int *lwork, double *rwork, const int *lrwork, int *iwork,
             const int *liwork, int *info);
void zpotrf_(const char *uplo, const int *n, spinweave_complex *a, const int *lda, int *info);
void ztrmm_(const char *side, const char *uplo, const char *transa, const char *diag, const int *m, const int *n,
            const spinweave_complex *alpha, const spinweave_complex *a, const int *lda, spinweave_complex *b,
            const int *ldb);
void ztrsm_(const char *side, const char *uplo, const char *transa, const char *diag, const int *m, const int *n,
            const spinweave_complex *alpha, const spinweave_complex *a, const int *lda, spinweave_complex *b,
            const int *ldb);
void zgeev_(const char *jobvl, const char *jobvr, const int *n, spinweave_complex *a, const int *lda,
            spinweave_complex *w, spinweave_complex *vl, const int *ldvl, spinweave_complex *vr, const int *ldvr,
            spinweave_complex *work, const int *lwork, double *rwork, int *info);
void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k, const float *alpha,
            const float *a, const int *lda, const float *b, const int *ldb, const float *beta, float *c,
            const int *ldc);
void openblas_set_num_threads(int threads);

#endif
