// cuSOLVER (docs.nvidia.com/cuda/cusolver) and cuBLAS as far as batches of Hermitian problems go: what the program's own kernels are
// compared with. The program itself needs neither.
#ifndef SPINWEAVE_CUDA_SOLVER_H
#define SPINWEAVE_CUDA_SOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "CCUDA.h"

typedef struct sw_solver_handle *sw_solver_handle;
typedef struct sw_solver_settings *sw_solver_settings;
typedef struct sw_solver_jacobi *sw_solver_jacobi;

typedef struct {
    double re, im;
} sw_solver_complex;

enum {
    SW_SOLVER_VECTORS = 1,         // cusolverEigMode_t: CUSOLVER_EIG_MODE_VECTOR
    SW_SOLVER_UPPER = 1,           // cublasFillMode_t
    SW_SOLVER_LEFT = 0,            // cublasSideMode_t
    SW_SOLVER_NOT_UNIT = 0,        // cublasDiagType_t
    SW_SOLVER_PLAIN = 0,           // cublasOperation_t
    SW_SOLVER_ADJOINT = 2,
    SW_SOLVER_REAL_DOUBLE = 1,     // cudaDataType: CUDA_R_64F
    SW_SOLVER_COMPLEX_DOUBLE = 5,  // CUDA_C_64F
};

// Each returns a cusolverStatus_t, 0 for success. Matrices lie column by column, one after the other; all pointers but handles, `lwork` and
// sizes are the device's.
typedef struct {
    int (*create)(sw_solver_handle *handle);
    int (*destroy)(sw_solver_handle handle);
    int (*set_stream)(sw_solver_handle handle, sw_cu_stream stream);
    int (*settings_create)(sw_solver_settings *settings);
    int (*settings_destroy)(sw_solver_settings settings);

    // `matrices`: the address of each. The other triangle is spoilt.
    int (*cholesky)(
        sw_solver_handle handle, int triangle, int n, sw_solver_complex *const *matrices, int stride, int *info, int count);

    // Of any size, since CUDA 12.6; null before. n · stride · count may be INT32_MAX at most.
    int (*eigen_room)(
        sw_solver_handle handle, sw_solver_settings settings, int mode, int triangle, int64_t n, int matrix_type,
        const void *matrices, int64_t stride, int value_type, const void *values, int compute_type, size_t *device_bytes,
        size_t *host_bytes, int64_t count);
    int (*eigen)(
        sw_solver_handle handle, sw_solver_settings settings, int mode, int triangle, int64_t n, int matrix_type,
        void *matrices, int64_t stride, int value_type, void *values, int compute_type, void *device_room,
        size_t device_bytes, void *host_room, size_t host_bytes, int *info, int64_t count);

    // By Jacobi's rotations.
    int (*jacobi_create)(sw_solver_jacobi *settings);
    int (*jacobi_destroy)(sw_solver_jacobi settings);
    int (*jacobi_room)(
        sw_solver_handle handle, int mode, int triangle, int n, const sw_solver_complex *matrices, int stride,
        const double *values, int *lwork, sw_solver_jacobi settings, int count);
    int (*jacobi)(
        sw_solver_handle handle, int mode, int triangle, int n, sw_solver_complex *matrices, int stride, double *values,
        sw_solver_complex *work, int lwork, int *info, sw_solver_jacobi settings, int count);
} sw_cuda_solver;

// Each returns a cublasStatus_t, 0 for success. Factors are the host's.
typedef struct {
    int (*create)(sw_blas_handle *handle);
    int (*destroy)(sw_blas_handle handle);
    int (*set_stream)(sw_blas_handle handle, sw_cu_stream stream);
    int (*multiply)(
        sw_blas_handle handle, int operation_a, int operation_b, int m, int n, int k, const sw_solver_complex *alpha,
        const sw_solver_complex *a, int stride_a, long long next_a, const sw_solver_complex *b, int stride_b,
        long long next_b, const sw_solver_complex *beta, sw_solver_complex *c, int stride_c, long long next_c, int count);
    // Solves op(a) x = alpha b in place of b.
    int (*solve)(
        sw_blas_handle handle, int side, int triangle, int operation, int diagonal, int m, int n,
        const sw_solver_complex *alpha, const sw_solver_complex *const *a, int stride_a, sw_solver_complex *const *b,
        int stride_b, int count);
} sw_cuda_batched_blas;

// Fill a table from an opened library; null where all was found, else the name of the first function that is missing.
const char *sw_cuda_solver_fill(void *library, sw_cuda_solver *solver);
const char *sw_cuda_batched_blas_fill(void *library, sw_cuda_batched_blas *blas);

#endif
