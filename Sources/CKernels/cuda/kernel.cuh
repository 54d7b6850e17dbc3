// What every kernel includes first: the same text is compiled by NVRTC for a device, and as C++ for the host under test.
#ifndef SPINWEAVE_KERNEL_CUH
#define SPINWEAVE_KERNEL_CUH

#ifndef __CUDACC__
#include "host_shim.h"
#endif

#include <stdint.h>

// A kernel is found by its plain name.
#define SW_KERNEL extern "C" __global__ void

#ifdef __CUDACC__
// Shared memory whose size is given at the launch, as an array of `type`; one array a kernel.
#define SW_DYNAMIC_SHARED(type, name)                             \
    extern __shared__ __align__(16) unsigned char sw_dynamic_shared[]; \
    type *name = reinterpret_cast<type *>(sw_dynamic_shared)
#endif

#endif
