// A device in software: the kernels of Sources/CKernels/cuda, compiled for the host and run one thread at a time.
#ifndef SPINWEAVE_HOST_DEVICE_H
#define SPINWEAVE_HOST_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t x, y, z;
} sw_host_extent;

// Order in which blocks, and the threads of a block between two barriers, take their turns. Any other number seeds a
// shuffle. An answer that depends on it is a race.
enum { SW_HOST_ASCENDING = 0, SW_HOST_DESCENDING = 1 };

// Runs a kernel to its end.
//
// `parameters` points to each argument in turn, as for cuLaunchKernel. Shared memory holds NaN, not what was left there, when
// a block starts. Launches wait for each other.
//
// Returns 0; or 1 with what went wrong in `problem`: no such kernel, a block that is too large, a barrier that not
// all threads reach, a shuffle whose lanes do not all take part, a value read from a lane that does not take part.
int sw_host_launch(
    const char *kernel, sw_host_extent grid, sw_host_extent block, size_t shared_bytes, void *const *parameters,
    uint64_t order, char *problem, size_t problem_capacity);

// How many parameters a kernel has, -1 for an unknown kernel, and their sizes in bytes.
int sw_host_parameter_count(const char *kernel);
size_t sw_host_parameter_size(const char *kernel, int index);

// Names of the kernels, in alphabetical order; null past the end.
const char *sw_host_kernel_name(int index);

#ifdef __cplusplus
}
#endif
#endif
