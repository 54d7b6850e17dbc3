// The words of CUDA C++ for the host, so that a kernel's text compiles as C++: what they mean is in fibers.cpp.
//
// Standard headers come first: the words below are not theirs.
#ifndef SPINWEAVE_HOST_SHIM_H
#define SPINWEAVE_HOST_SHIM_H

#include <algorithm>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "host_threads.h"
#include "host_math.h"

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
// One block runs at a time, and what lies here is spoilt before each.
#define __shared__ static __attribute__((section("sw_shared")))

#define SW_DYNAMIC_SHARED(type, name) type *name = reinterpret_cast<type *>(sw_host::dynamic_shared())

#define threadIdx (sw_host::current->index)
#define blockIdx (sw_host::block_index)
#define blockDim (sw_host::block_size)
#define gridDim (sw_host::grid_size)
#define warpSize 32

#define SW_HERE \
    sw_host::Site { __FILE__, __LINE__ }
#define __syncthreads() ((void)sw_host::barrier(SW_HERE, sw_host::Vote::none, 0))
#define __syncthreads_count(x) ((int)sw_host::barrier(SW_HERE, sw_host::Vote::count, (x) != 0))
#define __syncthreads_and(x) ((int)sw_host::barrier(SW_HERE, sw_host::Vote::all, (x) != 0))
#define __syncthreads_or(x) ((int)sw_host::barrier(SW_HERE, sw_host::Vote::any, (x) != 0))
#define SW_FULL_WARP 0xffffffffu
#define SW_FIRST(a, ...) a
#define __syncwarp(...) sw_host::sync_warp(SW_HERE, SW_FIRST(__VA_ARGS__ __VA_OPT__(, ) SW_FULL_WARP))
#define __activemask() (sw_host::active_lanes())
#define __shfl_sync(mask, ...) sw_host::shuffle(SW_HERE, sw_host::Shuffle::lane, mask, __VA_ARGS__)
#define __shfl_up_sync(mask, ...) sw_host::shuffle(SW_HERE, sw_host::Shuffle::up, mask, __VA_ARGS__)
#define __shfl_down_sync(mask, ...) sw_host::shuffle(SW_HERE, sw_host::Shuffle::down, mask, __VA_ARGS__)
#define __shfl_xor_sync(mask, ...) sw_host::shuffle(SW_HERE, sw_host::Shuffle::exclusive_or, mask, __VA_ARGS__)
#define __ballot_sync(mask, x) sw_host::ballot(SW_HERE, mask, (x) != 0)
#define __any_sync(mask, x) ((int)(sw_host::ballot(SW_HERE, mask, (x) != 0) != 0))
#define __all_sync(mask, x) ((int)(sw_host::ballot(SW_HERE, mask, (x) == 0) == 0))
#define __threadfence() ((void)0)
#define __threadfence_block() ((void)0)
#define __trap() sw_host::stop(SW_HERE, "__trap()")

// Makes a kernel known by its name, at file scope.
#define SW_HOST_KERNEL(name) static const sw_host::Registration sw_host_knows_##name(#name, &name)

#pragma clang diagnostic ignored "-Wpass-failed"
#pragma clang diagnostic ignored "-Wunused-function"
#pragma clang diagnostic ignored "-Wunknown-pragmas"

#endif
