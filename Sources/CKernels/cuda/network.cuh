// What the kernels of networks share: sums of a block in an order of their own.
#ifndef SPINWEAVE_NETWORK_CUH
#define SPINWEAVE_NETWORK_CUH

#include "random.cuh"
#include "network_device.h"

#define SW_NET_THREADS 256

// Sums of all threads' numbers, which every thread receives. The order depends on nothing but the size of the block.
__device__ inline double2 block_sum(double2 value) {
    __shared__ double2 sums[SW_NET_THREADS];
    __syncthreads();
    sums[threadIdx.x] = value;
    __syncthreads();
    for (unsigned half = SW_NET_THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            sums[threadIdx.x].x += sums[threadIdx.x + half].x;
            sums[threadIdx.x].y += sums[threadIdx.x + half].y;
        }
        __syncthreads();
    }
    return sums[0];
}

// Each thread's share of a loop over [0, count).
#define SW_NET_EACH(i, count)                                                                                    \
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, i##_end = (count); i < i##_end;                \
         i += (int64_t)gridDim.x * blockDim.x)

// Each block's share of a loop over [0, count).
#define SW_NET_EACH_BLOCK(i, count) for (int64_t i = blockIdx.x, i##_end = (count); i < i##_end; i += gridDim.x)

#endif
