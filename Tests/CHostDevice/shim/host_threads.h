// A block's threads as fibres: each runs until it waits for others.
#ifndef SPINWEAVE_HOST_THREADS_H
#define SPINWEAVE_HOST_THREADS_H

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

namespace sw_host {

struct Site {
    const char *file;
    int line;
};

enum class Vote { none, count, all, any };
enum class Shuffle { lane, up, down, exclusive_or };

/// One thread of the block that runs.
struct Thread {
    uint3 index;
    unsigned lane, warp;
};

// Plain globals: launches wait for each other, and a fibre may go on in another thread of the host than it began in.
extern Thread *current;
extern uint3 block_index;
extern dim3 block_size, grid_size;

void *dynamic_shared();

/// All threads of the block that have not returned meet here.
unsigned barrier(Site site, Vote vote, unsigned value);
/// Lanes of `mask` meet; each receives the value of its `source`.
uint64_t exchange(Site site, unsigned mask, uint64_t value, int source);
unsigned ballot(Site site, unsigned mask, bool value);
void sync_warp(Site site, unsigned mask);
unsigned active_lanes();
[[noreturn]] void stop(Site site, const char *reason);

template <class T>
T shuffle(Site site, Shuffle kind, unsigned mask, T value, int operand, int width = 32) {
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>, "a shuffle moves four or eight bytes");
    // CUDA C++ Programming Guide, "Warp Shuffle Functions": segments of `width` lanes; a source outside the segment is
    // the lane itself.
    int lane = (int)current->lane, first = lane / width * width;
    int source = lane;
    switch (kind) {
    case Shuffle::lane: source = first + (operand & (width - 1)); break;
    case Shuffle::up: source = lane - operand < first ? lane : lane - operand; break;
    case Shuffle::down: source = lane + operand >= first + width ? lane : lane + operand; break;
    case Shuffle::exclusive_or: source = (lane ^ operand) >= first + width ? lane : lane ^ operand; break;
    }
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = exchange(site, mask, bits, source);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// A kernel with its parameters still to come.
struct Kernel {
    std::string name;
    std::vector<size_t> parameter_sizes;
    std::function<void(void *const *)> call;
};

void add(Kernel kernel);

struct Registration {
    template <class... Parameters>
    Registration(const char *name, void (*kernel)(Parameters...)) {
        add({name, {sizeof(Parameters)...}, [kernel](void *const *parameters) {
                 call(kernel, parameters, std::index_sequence_for<Parameters...>());
             }});
    }

private:
    template <class... Parameters, size_t... index>
    static void call(void (*kernel)(Parameters...), void *const *parameters, std::index_sequence<index...>) {
        kernel(*static_cast<std::remove_cv_t<Parameters> *>(parameters[index])...);
    }
};

}  // namespace sw_host

#endif
