// Kernels with the mistakes that the host's device must notice.
#include "kernel.cuh"

// Half of the threads miss a barrier that the other half waits at, and go on to another.
SW_KERNEL sw_faulty_barrier(int32_t *out) {
    if (threadIdx.x < 16) __syncthreads();
    out[threadIdx.x] = 1;
    __syncthreads();
}

// Lane 0 does not take part in what its warp waits for.
SW_KERNEL sw_faulty_shuffle(int32_t *out) {
    int value = (int)threadIdx.x;
    if (threadIdx.x != 0) value = __shfl_sync(0xffffffffu, value, 1);
    __syncthreads();
    out[threadIdx.x] = value;
}

// Reads from a lane that the mask leaves out.
SW_KERNEL sw_faulty_source(int32_t *out) {
    if (threadIdx.x < 16) out[threadIdx.x] = __shfl_sync(0x0000ffffu, (int)threadIdx.x, 20);
}

// Neighbours read what another thread writes, with no barrier between: the answer depends on the order.
SW_KERNEL sw_faulty_race(int32_t *out) {
    __shared__ int32_t values[64];
    values[threadIdx.x] = (int32_t)threadIdx.x;
    out[threadIdx.x] = values[(threadIdx.x + 1) % blockDim.x];
}

// Lanes of a warp do the same; a shuffle between orders no memory.
SW_KERNEL sw_faulty_lanes(int32_t *out) {
    out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, (int)threadIdx.x, 1);
    int sum = __shfl_xor_sync(0xffffffffu, out[threadIdx.x], 2);
    out[threadIdx.x ^ 1] = sum;
}

// Every block adds to what another may have written.
SW_KERNEL sw_faulty_blocks(int32_t *out) { out[threadIdx.x] += (int32_t)blockIdx.x; }

// Counts on what an earlier block left in shared memory.
SW_KERNEL sw_faulty_leftover(double *out) {
    __shared__ double value;
    if (blockIdx.x == 0) value = 1;
    out[blockIdx.x] = value;
}

SW_HOST_KERNEL(sw_faulty_barrier);
SW_HOST_KERNEL(sw_faulty_shuffle);
SW_HOST_KERNEL(sw_faulty_source);
SW_HOST_KERNEL(sw_faulty_race);
SW_HOST_KERNEL(sw_faulty_lanes);
SW_HOST_KERNEL(sw_faulty_blocks);
SW_HOST_KERNEL(sw_faulty_leftover);

// What a kernel may use, in one: votes, parts of a warp, two-dimensional blocks, atomics.
SW_KERNEL sw_words(int32_t *out, double *angles) {
    int i = (int)(threadIdx.y * blockDim.x + threadIdx.x);
    int lane = i % 32;
    unsigned half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
    int sum = i;
    for (int offset = 8; offset > 0; offset /= 2) sum += __shfl_xor_sync(half, sum, offset, 16);
    out[i] = sum;
    int odd = __syncthreads_count(i & 1);
    if (i == 0) out[64] = odd;
    if (__ballot_sync(0xffffffffu, lane % 4 == 0) != 0x11111111u) atomicAdd(&out[65], 1);
    atomicMax(&out[66], i);
    __syncwarp();
    if (i == 0) {
        sincospi(0.25, &angles[0], &angles[1]);
        angles[2] = sinpi(1e15 + 1);
        angles[3] = cospi(-2.5);
        angles[4] = rsqrt(4.0);
    }
}
SW_HOST_KERNEL(sw_words);
