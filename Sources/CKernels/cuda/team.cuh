// Threads that work on one problem: lanes of a warp, or a whole thread block.
//
// Both have `rank`, `sync()` and `sum(x)`: the sum over the team in a fixed order, the same bits in every thread. What a thread
// read before a sum, another may overwrite after it.
#ifndef SPINWEAVE_TEAM_CUH
#define SPINWEAVE_TEAM_CUH

#include "kernel.cuh"

// `size` neighbouring lanes of a warp; a power of two up to 32.
template <int width>
struct Lanes {
    static constexpr int size = width;
    int rank;
    unsigned mask;

    __device__ __forceinline__ explicit Lanes(double *) {
        const unsigned lane = threadIdx.x % 32;
        rank = (int)(lane % width);
        mask = (0xffffffffu >> (32 - width)) << (lane / width * width);
    }
    // Scratch that a team needs for itself, in doubles.
    static constexpr int scratch = 0;

    __device__ __forceinline__ void sync() const { __syncwarp(mask); }

    __device__ __forceinline__ double sum(double x) const {
        sync();
        for (int offset = width / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(mask, x, offset, width);
        return x;
    }
};

// All `width` threads of a block, a multiple of 32.
template <int width>
struct Block {
    static constexpr int size = width;
    static constexpr int scratch = 2 * (width / 32);
    int rank;
    unsigned mask = 0xffffffffu;
    double *partial;
    mutable int turn = 0;

    __device__ __forceinline__ explicit Block(double *room) : rank((int)threadIdx.x), partial(room) {}

    __device__ __forceinline__ void sync() const { __syncthreads(); }

    __device__ __forceinline__ double sum(double x) const {
        for (int offset = 16; offset > 0; offset /= 2) x += __shfl_xor_sync(mask, x, offset, 32);
        // Two rooms in turn: a thread may still read one sum's while another writes the next one's.
        double *room = partial + turn * (width / 32);
        turn ^= 1;
        if (rank % 32 == 0) room[rank / 32] = x;
        __syncthreads();
        double total = 0;
        for (int warp = 0; warp < width / 32; warp++) total += room[warp];
        return total;
    }
};

// How the columns of a matrix are divided over a team: each goes to `parts` neighbouring lanes of one warp, which share its
// rows, so that few columns keep many threads busy.
struct ColumnShare {
    int part, parts, first, step;
    unsigned mask;

    template <class Team>
    __device__ __forceinline__ ColumnShare(const Team &team, int columns) {
        const int widest = Team::size < 32 ? Team::size : 32;
        parts = 1;
        while (2 * parts <= widest && 2 * parts * columns <= Team::size) parts *= 2;
        part = team.rank % parts;
        first = team.rank / parts;
        step = Team::size / parts;
        const unsigned lane = threadIdx.x % 32;
        mask = (0xffffffffu >> (32 - parts)) << (lane / parts * parts);
    }

    __device__ __forceinline__ double sum(double x) const {
        for (int offset = parts / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(mask, x, offset, parts);
        return x;
    }
    __device__ __forceinline__ void sync() const {
        if (parts > 1) __syncwarp(mask);
    }
};

#endif
