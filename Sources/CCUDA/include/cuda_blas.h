// cuBLAS (docs.nvidia.com/cuda/cublas), as far as it is used.
#ifndef SPINWEAVE_CUDA_BLAS_H
#define SPINWEAVE_CUDA_BLAS_H

#include <stddef.h>

#include "cuda_driver.h"

typedef struct sw_blas_handle *sw_blas_handle;

enum {
    SW_BLAS_ALLOCATION_FAILED = 3,    // cublasStatus_t
    SW_BLAS_EXECUTION_FAILED = 13,
    SW_BLAS_PLAIN = 0,                // cublasOperation_t
    SW_BLAS_TRANSPOSED = 1,
    SW_BLAS_PEDANTIC_MATH = 2,        // cublasMath_t
    SW_BLAS_TF32_MATH = 3,
    SW_BLAS_ATOMICS_NOT_ALLOWED = 0,  // cublasAtomicsMode_t
};

// Each returns a cublasStatus_t, 0 for success. Matrices lie column by column.
typedef struct {
    int (*create)(sw_blas_handle *handle);
    int (*destroy)(sw_blas_handle handle);
    int (*set_stream)(sw_blas_handle handle, sw_cu_stream stream);
    int (*set_workspace)(sw_blas_handle handle, void *workspace, size_t bytes);
    int (*set_math)(sw_blas_handle handle, int math);
    int (*set_atomics)(sw_blas_handle handle, int mode);
    int (*multiply)(
        sw_blas_handle handle, int operation_a, int operation_b, int m, int n, int k, const float *alpha,
        const float *a, int stride_a, const float *b, int stride_b, const float *beta, float *c, int stride_c);
    const char *(*error_string)(int status);
} sw_cuda_blas;

// Fills `blas` from an opened libcublas; null where all was found, else the name of the first function that is missing.
const char *sw_cuda_blas_fill(void *library, sw_cuda_blas *blas);

#endif
