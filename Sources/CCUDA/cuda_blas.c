#include "cuda_blas.h"
#include "cuda_library.h"

#define ENTRY(field, symbol) {symbol, offsetof(sw_cuda_blas, field), 0}

static const sw_library_entry entries[] = {
    ENTRY(create, "cublasCreate_v2"),
    ENTRY(destroy, "cublasDestroy_v2"),
    ENTRY(set_stream, "cublasSetStream_v2"),
    ENTRY(set_workspace, "cublasSetWorkspace_v2"),
    ENTRY(set_math, "cublasSetMathMode"),
    ENTRY(set_atomics, "cublasSetAtomicsMode"),
    ENTRY(multiply, "cublasSgemm_v2"),
    ENTRY(multiply_mixed, "cublasGemmEx"),
    ENTRY(error_string, "cublasGetStatusString"),
};

const char *sw_cuda_blas_fill(void *library, sw_cuda_blas *blas) {
    return sw_library_fill(library, blas, entries, sizeof entries / sizeof entries[0]);
}
