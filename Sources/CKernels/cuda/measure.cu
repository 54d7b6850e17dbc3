// What measurements of a device need beside the program's own kernels: the most arithmetic that it does, and the step between two calls
// of NVIDIA's libraries.
#include "kernel.cuh"

// Eight chains of multiply-adds a thread, `rounds` long, none of which waits for another: 16 · rounds flops a thread.
template <typename T> static __device__ inline T sw_measure_chains(int64_t rounds, T factor) {
    T chains[8];
    for (int i = 0; i < 8; i++) chains[i] = (T)(threadIdx.x + i);
    // Counting takes as many instructions as a chain or two.
#pragma unroll 8
    for (int64_t round = 0; round < rounds; round++) {
        for (int i = 0; i < 8; i++) chains[i] = chains[i] * factor + (T)1;
    }
    T sum = 0;
    for (int i = 0; i < 8; i++) sum += chains[i];
    return sum;
}

SW_KERNEL __launch_bounds__(256) sw_measure_double(int64_t rounds, double factor, double *__restrict__ sums) {
    sums[(int64_t)blockIdx.x * blockDim.x + threadIdx.x] = sw_measure_chains<double>(rounds, factor);
}

SW_KERNEL __launch_bounds__(256) sw_measure_single(int64_t rounds, float factor, float *__restrict__ sums) {
    sums[(int64_t)blockIdx.x * blockDim.x + threadIdx.x] = sw_measure_chains<float>(rounds, factor);
}

// From the upper triangles K of `count` matrices of n columns, below which is whatever Cholesky left there: K with zeros there, and K g with
// g = diag(1, …, −1, …).
SW_KERNEL __launch_bounds__(256) sw_measure_triangles(
    int64_t count, int64_t n, const double *__restrict__ factors, double *__restrict__ upper,
    double *__restrict__ product) {
    const int64_t all = count * n * n, stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < all; i += stride) {
        const int64_t column = i % (n * n) / n, row = i % n;
        const double sign = column < n / 2 ? 1 : -1;
        for (int64_t part = 2 * i; part < 2 * i + 2; part++) {
            const double value = row <= column ? factors[part] : 0;
            upper[part] = value;
            product[part] = sign * value;
        }
    }
}
