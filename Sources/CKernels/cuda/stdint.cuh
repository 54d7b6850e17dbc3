// NVRTC has no <stdint.h>: this text is handed to it under that name. The sizes are those of 64-bit Linux.
#ifndef SPINWEAVE_CUDA_STDINT
#define SPINWEAVE_CUDA_STDINT

typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;

static_assert(sizeof(int64_t) == 8 && sizeof(void *) == 8, "kernels are compiled for 64-bit devices");

#endif
