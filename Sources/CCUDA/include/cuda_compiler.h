// NVRTC (docs.nvidia.com/cuda/nvrtc), which compiles the text of kernels.
#ifndef SPINWEAVE_CUDA_COMPILER_H
#define SPINWEAVE_CUDA_COMPILER_H

#include <stddef.h>

typedef struct sw_nvrtc_program *sw_nvrtc_program;

// Each returns an nvrtcResult, 0 for success.
typedef struct {
    int (*version)(int *major, int *minor);
    const char *(*error_string)(int status);
    int (*architecture_count)(int *count);
    int (*architectures)(int *architectures);  // 80 for sm_80
    int (*create)(
        sw_nvrtc_program *program, const char *text, const char *name, int header_count, const char *const *headers,
        const char *const *include_names);
    int (*compile)(sw_nvrtc_program program, int option_count, const char *const *options);
    int (*destroy)(sw_nvrtc_program *program);
    int (*log_size)(sw_nvrtc_program program, size_t *bytes);
    int (*log)(sw_nvrtc_program program, char *log);
    int (*cubin_size)(sw_nvrtc_program program, size_t *bytes);
    int (*cubin)(sw_nvrtc_program program, char *code);
    int (*ptx_size)(sw_nvrtc_program program, size_t *bytes);
    int (*ptx)(sw_nvrtc_program program, char *code);
} sw_cuda_compiler;

// Fills `compiler` from an opened libnvrtc; null where all was found, else the name of the first function that is missing.
const char *sw_cuda_compiler_fill(void *library, sw_cuda_compiler *compiler);

#endif
