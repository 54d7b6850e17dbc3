// libcuda for the device in software.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "host_device.h"
#include "software.h"

namespace {

enum { success = 0, invalid_value = 1, out_of_memory = 2, no_device = 100, invalid_image = 200, no_binary = 209,
       invalid_handle = 400, not_found = 500, not_ready = 600, illegal_address = 700, launch_failed = 719 };

constexpr size_t guard = 64;
constexpr unsigned char guard_byte = 0xa5, fresh_byte = 0xff;

struct Allocation {
    size_t bytes;
    unsigned char *start;  // of the guard before it
};

struct Stream {
    std::deque<std::function<int()>> work;
    uint64_t done = 0;  // pieces of work
};

struct Event {
    Stream *stream = nullptr;
    uint64_t position = 0;
    // When the stream came there: kept by the stream's work, too, which an event's end does not end.
    std::shared_ptr<std::chrono::steady_clock::time_point> moment;
};

struct Function {
    std::string name;
    long dynamic_shared = -1;
};

struct Module {
    std::map<std::string, Function> functions;
};

struct Device {
    std::map<uint64_t, Allocation> memory;
    size_t used = 0;
    size_t reserved = 0; // the most that was used: pools keep what they were given back
};

// What follows is never destroyed: a program that ends may still give things back on another thread.
std::recursive_mutex &mutex = *new std::recursive_mutex;
using Lock = std::lock_guard<std::recursive_mutex>;
bool is_started = false;
thread_local int current = -1;
std::vector<Device> &devices = *new std::vector<Device>;
std::map<void *, size_t> &pinned = *new std::map<void *, size_t>;
Stream &default_stream = *new Stream;
std::string &last_problem = *new std::string;
// An error that a kernel ends in stays: the context is lost.
int lost = success;

int failing(const char *function, int otherwise = success) {
    if (lost != success) return lost;
    return software_fails(function) ? (int)software_number("code", launch_failed) : otherwise;
}

#define BEGIN(function)                                     \
    Lock lock(mutex);                                       \
    if (int failure = failing(function)) return failure;

Stream &stream_of(Stream *stream) { return stream == nullptr ? default_stream : *stream; }

/// Does a stream's work as far as `position`.
int drain(Stream &stream, uint64_t position) {
    while (stream.done < position && !stream.work.empty()) {
        auto piece = std::move(stream.work.front());
        stream.work.pop_front();
        stream.done++;
        int status = lost != success ? lost : piece();
        if (status != success) {
            lost = status;
            return status;
        }
    }
    return lost;
}

int drain(Stream &stream) { return drain(stream, UINT64_MAX); }

void give(Stream *stream, std::function<int()> piece) { stream_of(stream).work.push_back(std::move(piece)); }

bool guards_are_whole(const Allocation &allocation) {
    for (size_t i = 0; i < guard; i++) {
        if (allocation.start[i] != guard_byte || allocation.start[guard + allocation.bytes + i] != guard_byte) return false;
    }
    return true;
}

int check_guards() {
    for (auto &device : devices) {
        for (auto &[address, allocation] : device.memory) {
            if (guards_are_whole(allocation)) continue;
            last_problem = "memory beside a buffer of " + std::to_string(allocation.bytes) + " bytes was written";
            return illegal_address;
        }
    }
    return success;
}

int allocate(uint64_t *address, size_t bytes) {
    if (current < 0) return invalid_handle;
    Device &device = devices[(size_t)current];
    if (bytes == 0) return invalid_value;
    if (device.used + bytes > (size_t)software_number("memory", 1 << 30)) return out_of_memory;
    auto *start = static_cast<unsigned char *>(aligned_alloc(256, (bytes + 3 * 256) / 256 * 256));
    // The guards touch the buffer: what comes before begins where a multiple of 256 does, minus the guard.
    unsigned char *buffer = start + 256;
    memset(buffer - guard, guard_byte, guard);
    memset(buffer, fresh_byte, bytes);
    memset(buffer + bytes, guard_byte, guard);
    device.memory[(uint64_t)buffer] = {bytes, buffer - guard};
    device.used += bytes;
    device.reserved = std::max(device.reserved, device.used);
    *address = (uint64_t)buffer;
    return success;
}

int release(uint64_t address) {
    for (auto &device : devices) {
        auto found = device.memory.find(address);
        if (found == device.memory.end()) continue;
        int status = guards_are_whole(found->second) ? success : illegal_address;
        device.used -= found->second.bytes;
        free(found->second.start + guard - 256);
        device.memory.erase(found);
        return status;
    }
    return invalid_value;
}

/// Whether [address, address + bytes) lies in one buffer.
bool is_device_memory(uint64_t address, size_t bytes) {
    for (auto &device : devices) {
        auto after = device.memory.upper_bound(address);
        if (after == device.memory.begin()) continue;
        auto &[start, allocation] = *std::prev(after);
        if (address + bytes <= start + allocation.bytes) return true;
    }
    return false;
}

bool is_pinned(const void *address) {
    auto after = pinned.upper_bound(const_cast<void *>(address));
    if (after == pinned.begin()) return false;
    auto &[start, bytes] = *std::prev(after);
    return static_cast<const char *>(address) < static_cast<const char *>(start) + bytes;
}

}  // namespace

void software_give(void *stream, std::function<int()> piece) {
    Lock lock(mutex);
    give(static_cast<Stream *>(stream), [piece = std::move(piece)] {
        int status = piece();
        return status != success ? status : check_guards();
    });
}

bool software_holds(const void *address, size_t bytes) {
    Lock lock(mutex);
    return is_device_memory((uint64_t)address, bytes);
}

int software_launch_failure(const std::string &problem) {
    last_problem = problem;
    return launch_failed;
}

SW_EXPORT int cuInit(unsigned) {
    BEGIN("cuInit")
    long count = software_number("devices", 1);
    if (count == 0) return no_device;
    if (!is_started) devices.resize((size_t)count);
    is_started = true;
    return success;
}

SW_EXPORT int cuDriverGetVersion(int *version) {
    *version = (int)software_number("driver", 12040);
    return success;
}

SW_EXPORT int cuGetErrorName(int status, const char **name) {
    switch (status) {
    case success: *name = "CUDA_SUCCESS"; break;
    case invalid_value: *name = "CUDA_ERROR_INVALID_VALUE"; break;
    case out_of_memory: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
    case no_device: *name = "CUDA_ERROR_NO_DEVICE"; break;
    case invalid_image: *name = "CUDA_ERROR_INVALID_IMAGE"; break;
    case illegal_address: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
    case launch_failed: *name = "CUDA_ERROR_LAUNCH_FAILED"; break;
    default: return invalid_value;
    }
    return success;
}

SW_EXPORT int cuGetErrorString(int status, const char **text) {
    Lock lock(mutex);
    switch (status) {
    case illegal_address:
    case launch_failed: *text = last_problem.empty() ? "unspecified launch failure" : last_problem.c_str(); break;
    case invalid_value: *text = "invalid argument"; break;
    case out_of_memory: *text = "out of memory"; break;
    default: return invalid_value;
    }
    return success;
}

SW_EXPORT int cuDeviceGetCount(int *count) {
    BEGIN("cuDeviceGetCount")
    *count = (int)devices.size();
    return success;
}

SW_EXPORT int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return success;
}

SW_EXPORT int cuDeviceGetName(char *name, int capacity, int) {
    snprintf(name, (size_t)capacity, "Software device");
    return success;
}

SW_EXPORT int cuDeviceGetAttribute(int *value, int attribute, int) {
    int architecture = (int)software_number("architecture", 90);
    switch (attribute) {
    case 1: *value = 1024; break;
    case 16: *value = 4; break;
    case 38: *value = 1 << 20; break;
    case 75: *value = architecture / 10; break;
    case 76: *value = architecture % 10; break;
    case 97: *value = 227 << 10; break;
    case 115: *value = (int)software_number("pools", 1); break;
    default: return invalid_value;
    }
    return success;
}

SW_EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int) {
    *bytes = (size_t)software_number("memory", 1 << 30);
    return success;
}

SW_EXPORT int cuDevicePrimaryCtxRetain(void **context, int device) {
    BEGIN("cuDevicePrimaryCtxRetain")
    *context = reinterpret_cast<void *>((size_t)device + 1);
    return success;
}

SW_EXPORT int cuDevicePrimaryCtxRelease_v2(int) { return success; }

SW_EXPORT int cuCtxSetCurrent(void *context) {
    current = (int)reinterpret_cast<size_t>(context) - 1;
    return success;
}

SW_EXPORT int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) {
    Lock lock(mutex);
    if (current < 0) return invalid_handle;
    *total = (size_t)software_number("memory", 1 << 30);
    const Device &device = devices[(size_t)current];
    *free_bytes = *total - (software_number("pools", 1) != 0 ? device.reserved : device.used);
    return success;
}

SW_EXPORT int cuDeviceGetDefaultMemPool(void **pool, int) {
    *pool = &devices;
    return success;
}

SW_EXPORT int cuMemPoolSetAttribute(void *pool, int attribute, void *) {
    return pool != nullptr && attribute == 4 ? success : invalid_value;
}

SW_EXPORT int cuMemPoolGetAttribute(void *pool, int attribute, void *value) {
    Lock lock(mutex);
    if (pool == nullptr || current < 0 || (attribute != 5 && attribute != 7)) return invalid_value;
    const Device &device = devices[(size_t)current];
    *static_cast<uint64_t *>(value) = attribute == 5 ? device.reserved : device.used;
    return success;
}

SW_EXPORT int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    BEGIN("cuMemAlloc")
    return allocate(address, bytes);
}

SW_EXPORT int cuMemFree_v2(uint64_t address) {
    Lock lock(mutex);
    return release(address);
}

SW_EXPORT int cuMemAllocAsync(uint64_t *address, size_t bytes, Stream *stream) {
    BEGIN("cuMemAllocAsync")
    int status = allocate(address, bytes);
    if (status != out_of_memory) return status;
    // Memory whose release was given to the stream is there again when the stream has come so far.
    if (int failure = drain(stream_of(stream))) return failure;
    return allocate(address, bytes);
}

SW_EXPORT int cuMemFreeAsync(uint64_t address, Stream *stream) {
    Lock lock(mutex);
    give(stream, [=] { return release(address); });
    return success;
}

SW_EXPORT int cuMemHostAlloc(void **address, size_t bytes, unsigned) {
    BEGIN("cuMemHostAlloc")
    *address = malloc(bytes);
    pinned[*address] = bytes;
    return success;
}

SW_EXPORT int cuMemFreeHost(void *address) {
    Lock lock(mutex);
    if (pinned.erase(address) == 0) return invalid_value;
    free(address);
    return success;
}

SW_EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, Stream *stream) {
    BEGIN("cuMemcpyHtoDAsync")
    if (!is_device_memory(to, bytes)) return invalid_value;
    if (is_pinned(from)) {
        give(stream, [=] { return memcpy((void *)to, from, bytes), success; });
    } else {
        std::vector<char> staged((const char *)from, (const char *)from + bytes);
        give(stream, [=] { return memcpy((void *)to, staged.data(), bytes), success; });
    }
    return success;
}

SW_EXPORT int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, Stream *stream) {
    BEGIN("cuMemcpyDtoHAsync")
    if (!is_device_memory(from, bytes)) return invalid_value;
    give(stream, [=] { return memcpy(to, (const void *)from, bytes), success; });
    return is_pinned(to) ? success : drain(stream_of(stream));
}

SW_EXPORT int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, Stream *stream) {
    BEGIN("cuMemcpyDtoDAsync")
    if (!is_device_memory(from, bytes) || !is_device_memory(to, bytes)) return invalid_value;
    give(stream, [=] { return memmove((void *)to, (const void *)from, bytes), success; });
    return success;
}

SW_EXPORT int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, Stream *stream) {
    BEGIN("cuMemsetD8Async")
    if (!is_device_memory(to, bytes)) return invalid_value;
    give(stream, [=] { return memset((void *)to, value, bytes), success; });
    return success;
}

SW_EXPORT int cuStreamCreate(Stream **stream, unsigned) {
    BEGIN("cuStreamCreate")
    *stream = new Stream;
    return success;
}

SW_EXPORT int cuStreamDestroy_v2(Stream *stream) {
    Lock lock(mutex);
    // Events outlive their stream: the little that is left of it stays.
    return drain(*stream);
}

SW_EXPORT int cuStreamSynchronize(Stream *stream) {
    BEGIN("cuStreamSynchronize")
    return drain(stream_of(stream));
}

SW_EXPORT int cuStreamWaitEvent(Stream *stream, Event *event, unsigned) {
    BEGIN("cuStreamWaitEvent")
    Event moment = *event;
    if (moment.stream != nullptr) give(stream, [=] { return drain(*moment.stream, moment.position); });
    return success;
}

SW_EXPORT int cuEventCreate(Event **event, unsigned) {
    BEGIN("cuEventCreate")
    *event = new Event;
    return success;
}

SW_EXPORT int cuEventDestroy_v2(Event *event) {
    delete event;
    return success;
}

SW_EXPORT int cuEventRecord(Event *event, Stream *stream) {
    BEGIN("cuEventRecord")
    Stream &recorded = stream_of(stream);
    auto moment = std::make_shared<std::chrono::steady_clock::time_point>();
    give(stream, [moment] { return *moment = std::chrono::steady_clock::now(), success; });
    *event = {&recorded, recorded.done + recorded.work.size(), moment};
    return success;
}

SW_EXPORT int cuEventQuery(Event *event) {
    BEGIN("cuEventQuery")
    return event->stream == nullptr || event->stream->done >= event->position ? success : not_ready;
}

SW_EXPORT int cuEventSynchronize(Event *event) {
    BEGIN("cuEventSynchronize")
    return event->stream == nullptr ? success : drain(*event->stream, event->position);
}

SW_EXPORT int cuEventElapsedTime(float *milliseconds, Event *start, Event *end) {
    Lock lock(mutex);
    for (Event *event : {start, end}) {
        if (event->stream == nullptr) return invalid_handle;
        if (event->stream->done < event->position) return not_ready;
    }
    *milliseconds = std::chrono::duration<float, std::milli>(*end->moment - *start->moment).count();
    return success;
}

SW_EXPORT int cuModuleLoadData(Module **module, const void *image) {
    BEGIN("cuModuleLoadData")
    auto *text = static_cast<const char *>(image);
    const std::string mine = "SOFTWARE CODE ";
    if (strncmp(text, mine.c_str(), mine.size()) == 0) {
        int architecture = (int)software_number("architecture", 90), number = 0;
        bool is_machine = sscanf(text + mine.size(), "sm_%d", &number) == 1;
        if (!is_machine && sscanf(text + mine.size(), "compute_%d", &number) != 1) return invalid_image;
        if (is_machine ? number != architecture : number > architecture) return no_binary;
    } else if (memcmp(text, "\x7f" "ELF", 4) != 0 && memcmp(text, "//", 2) != 0) {
        return invalid_image;
    }
    *module = new Module;
    return success;
}

SW_EXPORT int cuModuleUnload(Module *module) {
    Lock lock(mutex);
    delete module;
    return success;
}

SW_EXPORT int cuModuleGetFunction(Function **function, Module *module, const char *name) {
    BEGIN("cuModuleGetFunction")
    if (sw_host_parameter_count(name) < 0) return not_found;
    // Another thread may have it already.
    *function = &module->functions.try_emplace(name, Function{name, -1}).first->second;
    return success;
}

SW_EXPORT int cuFuncGetAttribute(int *value, int attribute, Function *) {
    switch (attribute) {
    case 0: *value = 1024; break;
    case 4: *value = 32; break;
    case 1: *value = (int)software_number("shared", 0); break;
    default: *value = 0; break;
    }
    return success;
}

SW_EXPORT int cuFuncSetAttribute(Function *function, int attribute, int value) {
    Lock lock(mutex);
    if (attribute != 8 || value < 0) return invalid_value;
    function->dynamic_shared = value;
    return success;
}

SW_EXPORT int cuFuncGetParamInfo(Function *function, size_t index, size_t *offset, size_t *size) {
    if (index >= (size_t)sw_host_parameter_count(function->name.c_str())) return invalid_value;
    *offset = 0;
    *size = sw_host_parameter_size(function->name.c_str(), (int)index);
    return success;
}

SW_EXPORT int cuLaunchKernel(
    Function *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
    unsigned block_z, unsigned shared_bytes, Stream *stream, void **parameters, void **) {
    BEGIN("cuLaunchKernel")
    std::string name = function->name;
    // Without cuFuncSetAttribute 48 KB in all.
    long allowed = function->dynamic_shared >= 0 ? function->dynamic_shared : (48 << 10) - software_number("shared", 0);
    if ((long)shared_bytes > allowed) return invalid_value;
    // Arguments are copied at the launch; each at a multiple of sixteen bytes.
    std::vector<std::pair<size_t, size_t>> places;
    std::vector<long double> storage;
    for (int i = 0; i < sw_host_parameter_count(name.c_str()); i++) {
        size_t size = sw_host_parameter_size(name.c_str(), i), at = storage.size();
        storage.resize(at + (size + sizeof(long double) - 1) / sizeof(long double));
        memcpy(&storage[at], parameters[i], size);
        places.push_back({at, size});
    }
    give(stream, [=]() mutable {
        std::vector<void *> arguments;
        for (auto &[at, size] : places) arguments.push_back(&storage[at]);
        char problem[1024];
        int status = sw_host_launch(
            name.c_str(), {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, arguments.data(),
            (uint64_t)software_number("order", 0), problem, sizeof problem);
        if (status != 0) {
            last_problem = problem;
            return (int)launch_failed;
        }
        return check_guards();
    });
    return success;
}
