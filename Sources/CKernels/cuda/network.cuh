// What the kernels of networks share: sums of a block in an order of their own, and values that lie in either of two ways.
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

// To the nearest, ties to even; what is no number stays none.
__device__ inline uint16_t as_bf16(float x) {
    const uint32_t bits = __float_as_uint(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

__device__ inline float bf16_at(const void *values, int64_t i) {
    return __uint_as_float((uint32_t)((const uint16_t *)values)[i] << 16);
}

__device__ inline float load(const sw_net_source s, int64_t i) {
    return s.is_bf16 ? bf16_at(s.values, i) : ((const float *)s.values)[i];
}

__device__ inline void store(const sw_net_target t, int64_t i, float x) {
    if (t.is_bf16) ((uint16_t *)t.values)[i] = as_bf16(x);
    else ((float *)t.values)[i] = x;
}

// The values at i, i + step, … before `end`, four at most: a thread asks for all before it waits for one. Half as many bytes
// take half the time only where as many are on their way.
__device__ inline void load_four(const sw_net_source s, int64_t i, int64_t step, int64_t end, float *x) {
    if (s.is_bf16) {
#pragma unroll
        for (int n = 0; n < 4; n++) x[n] = i + n * step < end ? bf16_at(s.values, i + n * step) : 0.0f;
    } else {
#pragma unroll
        for (int n = 0; n < 4; n++) x[n] = i + n * step < end ? ((const float *)s.values)[i + n * step] : 0.0f;
    }
}

__device__ inline void store_four(const sw_net_target t, int64_t i, int64_t step, int64_t end, const float *x) {
#pragma unroll
    for (int n = 0; n < 4; n++)
        if (i + n * step < end) store(t, i + n * step, x[n]);
}

// A loop over [first, end) in steps of `step`, four values a turn.
#define SW_NET_FOURS(i, first, end, step) \
    for (int64_t i = (first), i##_end = (end), i##_step = (step); i < i##_end; i += 4 * i##_step)

// A thread's share of Σ term(x) over [start, end).
template <class Term>
__device__ inline double thread_total(const sw_net_source s, int64_t start, int64_t end, Term term) {
    double sum = 0;
    if (s.is_bf16) {
        for (int64_t i = start + threadIdx.x; i < end; i += blockDim.x) sum += term(bf16_at(s.values, i));
    } else {
        for (int64_t i = start + threadIdx.x; i < end; i += blockDim.x) sum += term(((const float *)s.values)[i]);
    }
    return sum;
}

__device__ inline double thread_sum(const sw_net_source s, int64_t start, int64_t end) {
    return thread_total(s, start, end, [](float x) { return (double)x; });
}

// Σ (x − mean)²
__device__ inline double thread_squares(const sw_net_source s, int64_t start, int64_t end, double mean) {
    return thread_total(s, start, end, [mean](float x) { return (x - mean) * (x - mean); });
}

#endif
