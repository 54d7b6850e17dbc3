#include "cuda_solver.h"

#define SOLVER(field, symbol) {symbol, offsetof(sw_cuda_solver, field), 0}
#define BLAS(field, symbol) {symbol, offsetof(sw_cuda_batched_blas, field), 0}

static const sw_library_entry solver_entries[] = {
    SOLVER(create, "cusolverDnCreate"),
    SOLVER(destroy, "cusolverDnDestroy"),
    SOLVER(set_stream, "cusolverDnSetStream"),
    SOLVER(settings_create, "cusolverDnCreateParams"),
    SOLVER(settings_destroy, "cusolverDnDestroyParams"),
    SOLVER(cholesky, "cusolverDnZpotrfBatched"),
    {"cusolverDnXsyevBatched_bufferSize", offsetof(sw_cuda_solver, eigen_room), 1},
    {"cusolverDnXsyevBatched", offsetof(sw_cuda_solver, eigen), 1},
    SOLVER(jacobi_create, "cusolverDnCreateSyevjInfo"),
    SOLVER(jacobi_destroy, "cusolverDnDestroySyevjInfo"),
    SOLVER(jacobi_room, "cusolverDnZheevjBatched_bufferSize"),
    SOLVER(jacobi, "cusolverDnZheevjBatched"),
};

static const sw_library_entry blas_entries[] = {
    BLAS(create, "cublasCreate_v2"),
    BLAS(destroy, "cublasDestroy_v2"),
    BLAS(set_stream, "cublasSetStream_v2"),
    BLAS(multiply, "cublasZgemmStridedBatched"),
    BLAS(solve, "cublasZtrsmBatched"),
};

const char *sw_cuda_solver_fill(void *library, sw_cuda_solver *solver) {
    return sw_library_fill(library, solver, solver_entries, sizeof solver_entries / sizeof solver_entries[0]);
}

const char *sw_cuda_batched_blas_fill(void *library, sw_cuda_batched_blas *blas) {
    return sw_library_fill(library, blas, blas_entries, sizeof blas_entries / sizeof blas_entries[0]);
}
