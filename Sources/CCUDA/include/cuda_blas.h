// cuBLAS (docs.nvidia.com/cuda/cublas), as far as it is used.
#ifndef SPINWEAVE_CUDA_BLAS_H
#define SPINWEAVE_CUDA_BLAS_H

#include <stddef.h>

#include "cuda_driver.h"

typedef struct sw_blas_handle *sw_blas_handle;

enum {
    SW_BLAS_ALLOCATION_FAILED = 3,    // cublasStatus_t
    SW_BLAS_NOT_INITIALIZED = 1,
    SW_BLAS_MAPPING_ERROR = 11,
    SW_BLAS_EXECUTION_FAILED = 13,
    SW_BLAS_INTERNAL_ERROR = 14,
    SW_BLAS_PLAIN = 0,                // cublasOperation_t
    SW_BLAS_TRANSPOSED = 1,
    SW_BLAS_DEFAULT_MATH = 0,         // cublasMath_t
    SW_BLAS_PEDANTIC_MATH = 2,
    SW_BLAS_TF32_MATH = 3,
    SW_BLAS_FULL_REDUCTION = 16,      // …DISALLOW_REDUCED_PRECISION_REDUCTION, to be added to one of the above
    SW_BLAS_ATOMICS_NOT_ALLOWED = 0,  // cublasAtomicsMode_t
    SW_BLAS_FLOAT = 0,                // cudaDataType (library_types.h)
    SW_BLAS_BF16 = 14,
    SW_BLAS_COMPUTE_FLOAT = 68,       // cublasComputeType_t
    SW_BLAS_USUAL_ALGORITHM = -1,     // cublasGemmAlgo_t
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
    // cublasGemmEx: factors of type_a and type_b, the product of type_c; alpha and beta in single precision.
    int (*multiply_mixed)(
        sw_blas_handle handle, int operation_a, int operation_b, int m, int n, int k, const void *alpha, const void *a,
        int type_a, int stride_a, const void *b, int type_b, int stride_b, const void *beta, void *c, int type_c,
        int stride_c, int compute, int algorithm);
    const char *(*error_string)(int status);
} sw_cuda_blas;

// Fills `blas` from an opened libcublas; null where all was found, else the name of the first function that is missing.
const char *sw_cuda_blas_fill(void *library, sw_cuda_blas *blas);

#endif
