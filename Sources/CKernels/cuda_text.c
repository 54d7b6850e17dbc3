#include "cuda_text.h"

// Understood by the compiler of this toolchain in every mode, and tracked as a dependency.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define END , 0

// A kernel and each header that a kernel includes: an array here, a line in the table below.
static const char axpy_cu[] = {
#embed "cuda/axpy.cu"
    END};
static const char kernel_cuh[] = {
#embed "cuda/kernel.cuh"
    END};
static const char stdint_cuh[] = {
#embed "cuda/stdint.cuh"
    END};

#define TEXT(name, text) {name, text, sizeof text - 1}

static const sw_cuda_text texts[] = {
    TEXT("axpy.cu", axpy_cu),
    TEXT("kernel.cuh", kernel_cuh),
    TEXT("stdint.h", stdint_cuh),
};

const sw_cuda_text *sw_cuda_texts(int64_t *count) {
    *count = sizeof texts / sizeof texts[0];
    return texts;
}
