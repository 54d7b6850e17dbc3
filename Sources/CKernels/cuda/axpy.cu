// y ← a x + y, [count]: the smallest kernel, by which a device is tried before it is given work.
#include "kernel.cuh"

SW_KERNEL __launch_bounds__(256) sw_axpy(int64_t count, double a, const double *__restrict__ x, double *__restrict__ y) {
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) y[i] = a * x[i] + y[i];
}

// sums[block] = Σ x over the block's share of [count], each sum in a fixed order: the same bits every run.
//
// Tries what a kernel may use: shared memory of both kinds, barriers and shuffles. `blockDim.x` is a multiple of 32, and
// the launch gives blockDim.x / 32 doubles of shared memory.
SW_KERNEL __launch_bounds__(256) sw_block_sums(int64_t count, const double *__restrict__ x, double *__restrict__ sums) {
    SW_DYNAMIC_SHARED(double, partial);
    __shared__ double total;
    double sum = 0;
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) sum += x[i];
    for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_down_sync(0xffffffffu, sum, offset);
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        total = 0;
        for (unsigned warp = 0; warp < blockDim.x / 32; warp++) total += partial[warp];
    }
    __syncthreads();
    if (threadIdx.x == blockDim.x - 1) sums[blockIdx.x] = total;
}
