#include "cuda_compiler.h"
#include "cuda_library.h"

#define ENTRY(field, symbol) {symbol, offsetof(sw_cuda_compiler, field), 0}

static const sw_library_entry entries[] = {
    ENTRY(version, "nvrtcVersion"),
    ENTRY(error_string, "nvrtcGetErrorString"),
    ENTRY(architecture_count, "nvrtcGetNumSupportedArchs"),
    ENTRY(architectures, "nvrtcGetSupportedArchs"),
    ENTRY(create, "nvrtcCreateProgram"),
    ENTRY(compile, "nvrtcCompileProgram"),
    ENTRY(destroy, "nvrtcDestroyProgram"),
    ENTRY(log_size, "nvrtcGetProgramLogSize"),
    ENTRY(log, "nvrtcGetProgramLog"),
    ENTRY(cubin_size, "nvrtcGetCUBINSize"),
    ENTRY(cubin, "nvrtcGetCUBIN"),
    ENTRY(ptx_size, "nvrtcGetPTXSize"),
    ENTRY(ptx, "nvrtcGetPTX"),
};

const char *sw_cuda_compiler_fill(void *library, sw_cuda_compiler *compiler) {
    return sw_library_fill(library, compiler, entries, sizeof entries / sizeof entries[0]);
}
