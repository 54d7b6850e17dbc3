#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <mutex>

#include "software.h"
#include "software_cuda.h"

static std::map<std::string, std::string> read_settings() {
    std::map<std::string, std::string> settings;
    Dl_info info;
    if (dladdr(reinterpret_cast<void *>(&read_settings), &info) == 0) return settings;
    std::string path = info.dli_fname;
    std::ifstream file(path.substr(0, path.rfind('/') + 1) + "software-cuda.conf");
    for (std::string line; std::getline(file, line);) {
        size_t at = line.find('=');
        if (at != std::string::npos) settings[line.substr(0, at)] = line.substr(at + 1);
    }
    return settings;
}

std::string software_setting(const char *key, const char *otherwise) {
    // Never destroyed: a program that ends may still call on another thread.
    static const auto &settings = *new std::map<std::string, std::string>(read_settings());
    auto found = settings.find(key);
    return found == settings.end() ? otherwise : found->second;
}

long software_number(const char *key, long otherwise) {
    std::string text = software_setting(key, "");
    return text.empty() ? otherwise : std::strtol(text.c_str(), nullptr, 10);
}

bool software_fails(const char *function) {
    static auto &mutex = *new std::mutex;
    static auto &calls = *new std::map<std::string, long>;
    std::string rule = software_setting("fail", "");
    size_t at = rule.find(':');
    if (at == std::string::npos || rule.compare(0, at, function) != 0) return false;
    std::lock_guard<std::mutex> lock(mutex);
    return ++calls[function] >= std::strtol(rule.c_str() + at + 1, nullptr, 10);
}
