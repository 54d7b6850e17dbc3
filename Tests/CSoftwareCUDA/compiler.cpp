// NVRTC.
#include <cstring>
#include <string>

#include "software.h"

namespace {

struct Program {
    std::string text, name, log, architecture;
};

int answer(const std::string &text, size_t *size) {
    *size = text.size() + 1;
    return 0;
}

int answer(const std::string &text, char *bytes) {
    std::memcpy(bytes, text.c_str(), text.size() + 1);
    return 0;
}

std::string code(const Program *program) {
    return "SOFTWARE CODE " + program->architecture + " " + program->name + "\n";
}

}  // namespace

SW_EXPORT int nvrtcVersion(int *major, int *minor) {
    std::string version = software_setting("compiler", "12.9");
    *major = std::stoi(version);
    *minor = std::stoi(version.substr(version.find('.') + 1));
    return 0;
}

SW_EXPORT const char *nvrtcGetErrorString(int status) {
    return status == 6 ? "NVRTC_ERROR_COMPILATION" : status == 0 ? "NVRTC_SUCCESS" : "NVRTC_ERROR_UNKNOWN";
}

SW_EXPORT int nvrtcGetNumSupportedArchs(int *count) {
    *count = 3;
    return 0;
}

SW_EXPORT int nvrtcGetSupportedArchs(int *architectures) {
    architectures[0] = 75;
    architectures[1] = 80;
    architectures[2] = 90;
    return 0;
}

SW_EXPORT int nvrtcCreateProgram(
    Program **program, const char *text, const char *name, int count, const char *const *headers,
    const char *const *names) {
    *program = new Program{text, name, "", ""};
    // A header that is included and not given is what the real compiler would stop at.
    bool has_shim = (*program)->text.find("#include \"kernel.cuh\"") == std::string::npos;
    for (int i = 0; i < count; i++) has_shim = has_shim || (!strcmp(names[i], "kernel.cuh") && headers[i][0] != 0);
    if (!has_shim) (*program)->log = "cannot open source file \"kernel.cuh\"";
    return 0;
}

SW_EXPORT int nvrtcCompileProgram(Program *program, int count, const char *const *options) {
    const std::string prefix = "--gpu-architecture=";
    for (int i = 0; i < count; i++) {
        if (std::string(options[i]).compare(0, prefix.size(), prefix) == 0) {
            program->architecture = options[i] + prefix.size();
        }
    }
    if (software_fails("nvrtcCompileProgram") && program->log.empty()) program->log = "axpy.cu(1): error: told to fail";
    return program->log.empty() ? 0 : 6;
}

SW_EXPORT int nvrtcDestroyProgram(Program **program) {
    delete *program;
    *program = nullptr;
    return 0;
}

SW_EXPORT int nvrtcGetProgramLogSize(Program *program, size_t *size) { return answer(program->log, size); }
SW_EXPORT int nvrtcGetProgramLog(Program *program, char *log) { return answer(program->log, log); }
SW_EXPORT int nvrtcGetCUBINSize(Program *program, size_t *size) { return answer(code(program), size); }
SW_EXPORT int nvrtcGetCUBIN(Program *program, char *bytes) { return answer(code(program), bytes); }
SW_EXPORT int nvrtcGetPTXSize(Program *program, size_t *size) { return answer(code(program), size); }
SW_EXPORT int nvrtcGetPTX(Program *program, char *bytes) { return answer(code(program), bytes); }
