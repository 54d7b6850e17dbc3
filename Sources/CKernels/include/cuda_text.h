// The text of the CUDA kernels, carried in the program: it is compiled for the device that is found.
#ifndef SPINWEAVE_CUDA_TEXT_H
#define SPINWEAVE_CUDA_TEXT_H

#include <stdint.h>

typedef struct {
    const char *name;  // `axpy.cu`; for a header the name under which it is included
    const char *text;  // ends with a zero, which `length` does not count
    int64_t length;
} sw_cuda_text;

// All texts; `count` receives how many.
const sw_cuda_text *sw_cuda_texts(int64_t *count);

#endif
