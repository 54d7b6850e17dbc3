// Nothing here is watched itself (races.h).
#pragma clang attribute push(__attribute__((no_sanitize("thread"))), apply_to = function)

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <map>
#include <mutex>
#include <numeric>
#include <random>

#include "host_device.h"
#include "host_shim.h"
#include "races.h"

// Where `__shared__` variables lie; absent where no kernel has one.
extern "C" {
__attribute__((weak, visibility("hidden"))) extern char __start_sw_shared[];
__attribute__((weak, visibility("hidden"))) extern char __stop_sw_shared[];
}

namespace sw_host {

Thread *current;
uint3 block_index;
dim3 block_size, grid_size;

namespace {

enum class State { ready, at_barrier, in_warp, done };

/// A thread and the stack it runs on; used again by the next block.
struct Fibre : Thread {
    State state = State::done;
    // What it waits for.
    Site site{"", 0};
    bool is_ordering = false;
    // The last barrier that ordered its memory.
    Site since{"", 0};
    unsigned mask = 0;
    uint64_t value = 0;
    int source = 0;
    Vote vote = Vote::none;
    uint64_t answer = 0;

    void *stack = nullptr;
    bool is_started = false;
    jmp_buf context;
    ucontext_t beginning;
};

constexpr size_t stack_bytes = 512 << 10;
constexpr unsigned largest_block = 1024;
// The most shared memory that a block of an H100 may have.
constexpr size_t largest_shared = 227 << 10;
// Doubles behind a block's dynamic shared memory.
constexpr size_t shared_guard = 16;

std::mutex launches;
std::vector<Fibre *> fibres;
unsigned thread_count;
jmp_buf scheduler;
ucontext_t scheduler_context;
const std::function<void()> *body;
std::string failure;
std::vector<double> shared_storage;

std::map<std::string, Kernel> &kernels() {
    // Registered before main, in whatever order.
    static std::map<std::string, Kernel> kernels;
    return kernels;
}

Fibre &self() { return *static_cast<Fibre *>(current); }

/// From here the fibre is at its kernel.
void watch() { races::watch(self().warp * 32 + self().lane, self().since, self().stack, stack_bytes); }

/// Back to the scheduler, until it is this thread's turn again.
void yield() {
    races::look_away();
    if (_setjmp(self().context) == 0) _longjmp(scheduler, 1);
    watch();
}

void live() {
    while (true) {
        watch();
        (*body)();
        races::look_away();
        self().state = State::done;
        yield();
    }
}

void resume(Fibre &fibre) {
    current = &fibre;
    if (_setjmp(scheduler) != 0) return;
    if (fibre.is_started) _longjmp(fibre.context, 1);
    fibre.is_started = true;
    swapcontext(&scheduler_context, &fibre.beginning);
}

Fibre *make_fibre() {
    auto *fibre = new Fibre;
    // Reserved, not used: pages come as the stack grows. The lowest is out of bounds.
    void *stack = mmap(
        nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, 4096, PROT_NONE) != 0) {
        delete fibre;
        return nullptr;
    }
    fibre->stack = stack;
    getcontext(&fibre->beginning);
    fibre->beginning.uc_stack.ss_sp = stack;
    fibre->beginning.uc_stack.ss_size = stack_bytes;
    fibre->beginning.uc_link = nullptr;
    makecontext(&fibre->beginning, live, 0);
    return fibre;
}

/// A fibre that stopped in the middle begins anew.
void renew(Fibre &fibre) {
    fibre.is_started = false;
    makecontext(&fibre.beginning, live, 0);
}

std::string name(const Fibre &fibre) {
    return "thread (" + std::to_string(fibre.index.x) + ", " + std::to_string(fibre.index.y) + ", "
        + std::to_string(fibre.index.z) + ") of block (" + std::to_string(block_index.x) + ", "
        + std::to_string(block_index.y) + ", " + std::to_string(block_index.z) + ")";
}

std::string place(Site site) { return std::string(site.file) + ":" + std::to_string(site.line); }

/// The thread of a warp's lane; null where the block ends before it.
Fibre *lane(unsigned warp, unsigned lane) {
    unsigned index = warp * 32 + lane;
    return index < thread_count ? fibres[index] : nullptr;
}

/// Lets the lanes go with whom `fibre` meets, when all are there.
void try_warp(Fibre &fibre) {
    unsigned mask = fibre.mask;
    for (unsigned i = 0; i < 32; i++) {
        Fibre *other = (mask >> i & 1) != 0 ? lane(fibre.warp, i) : nullptr;
        if (other == nullptr || other->state == State::done) continue;
        if (other->state != State::in_warp || other->mask != mask) return;
    }
    std::vector<unsigned> met;
    for (unsigned i = 0; i < 32; i++) {
        Fibre *other = (mask >> i & 1) != 0 ? lane(fibre.warp, i) : nullptr;
        if (other == nullptr || other->state == State::done) continue;
        other->state = State::ready;
        if (other->is_ordering) {
            other->since = other->site;
            met.push_back(other->warp * 32 + other->lane);
        }
        if (other->source < 0) {
            // A vote: one bit for each lane.
            other->answer = 0;
            for (unsigned j = 0; j < 32; j++) {
                Fibre *voter = (mask >> j & 1) != 0 ? lane(fibre.warp, j) : nullptr;
                if (voter != nullptr && voter->state != State::done && voter->value != 0) other->answer |= 1u << j;
            }
            continue;
        }
        Fibre *source = (mask >> other->source & 1) != 0 ? lane(fibre.warp, other->source) : nullptr;
        if (source == nullptr || source->state == State::done) {
            failure = place(other->site) + ": " + name(*other) + " reads from lane " + std::to_string(other->source)
                + ", which does not take part";
            return;
        }
        other->answer = source->value;
    }
    races::meet(met);
}

/// Lets all threads go that wait at a barrier. Nobody is ready.
void open_barrier() {
    Fibre *first = nullptr;
    unsigned count = 0, waiting = 0;
    for (unsigned i = 0; i < thread_count; i++) {
        Fibre &fibre = *fibres[i];
        if (fibre.state == State::done) continue;
        if (fibre.state == State::in_warp) {
            failure = place(fibre.site) + ": " + name(fibre) + " waits for lanes that do not come";
            return;
        }
        if (first == nullptr) first = &fibre;
        if (fibre.site.line != first->site.line || strcmp(fibre.site.file, first->site.file) != 0) {
            failure = place(fibre.site) + ": " + name(fibre) + " is at this barrier while " + name(*first) + " is at "
                + place(first->site);
            return;
        }
        waiting++;
        count += fibre.value != 0;
    }
    std::vector<unsigned> met;
    for (unsigned i = 0; i < thread_count; i++) {
        Fibre &fibre = *fibres[i];
        if (fibre.state != State::at_barrier) continue;
        fibre.since = fibre.site;
        met.push_back(i);
        fibre.answer = fibre.vote == Vote::all ? count == waiting : fibre.vote == Vote::any ? count > 0 : count;
        fibre.state = State::ready;
    }
    races::meet(met);
}

/// A turn for each thread that is ready, and barriers, until all have returned.
void run_block(const std::vector<unsigned> &order) {
    memset(shared_storage.data(), 0xff, shared_storage.size() * sizeof(double));
    if (__start_sw_shared != nullptr) memset(__start_sw_shared, 0xff, (size_t)(__stop_sw_shared - __start_sw_shared));
    for (unsigned i = 0; i < thread_count; i++) {
        Fibre &fibre = *fibres[i];
        fibre.index = {i % block_size.x, i / block_size.x % block_size.y, i / (block_size.x * block_size.y)};
        fibre.lane = i % 32;
        fibre.warp = i / 32;
        fibre.since = {"", 0};
        fibre.state = State::ready;
    }
    while (true) {
        bool all_done = true, any_ran = false;
        for (unsigned i : order) {
            Fibre &fibre = *fibres[i];
            if (fibre.state == State::ready) {
                any_ran = true;
                resume(fibre);
                if (fibre.state == State::in_warp) try_warp(fibre);
                if (fibre.state == State::done) {
                    // Others may have waited for this lane, and need not any more.
                    for (unsigned j = 0; j < 32; j++) {
                        Fibre *other = lane(fibre.warp, j);
                        if (other != nullptr && other->state == State::in_warp) try_warp(*other);
                    }
                }
                if (!failure.empty()) return;
            }
            all_done = all_done && fibre.state == State::done;
        }
        if (all_done) return;
        if (!any_ran) open_barrier();
        if (!failure.empty()) return;
    }
}

/// What lies behind a block's dynamic shared memory is as it was before the block.
void check_shared(size_t shared_bytes) {
    auto *byte = static_cast<const unsigned char *>(dynamic_shared()) + shared_bytes;
    auto *end = reinterpret_cast<const unsigned char *>(shared_storage.data() + shared_storage.size());
    for (; byte < end && failure.empty(); byte++) {
        if (*byte == 0xff) continue;
        failure = "memory behind the " + std::to_string(shared_bytes) + " bytes of shared memory of block ("
            + std::to_string(block_index.x) + ", " + std::to_string(block_index.y) + ", "
            + std::to_string(block_index.z) + ") was written";
    }
}

std::vector<unsigned> sequence(uint64_t count, uint64_t order) {
    std::vector<unsigned> result(count);
    std::iota(result.begin(), result.end(), 0u);
    if (order == SW_HOST_DESCENDING) std::reverse(result.begin(), result.end());
    if (order > SW_HOST_DESCENDING) std::shuffle(result.begin(), result.end(), std::mt19937_64(order));
    return result;
}

std::string launch(
    const Kernel &kernel, sw_host_extent grid, sw_host_extent block, size_t shared_bytes, void *const *parameters,
    uint64_t order) {
    uint64_t threads = (uint64_t)block.x * block.y * block.z, blocks = (uint64_t)grid.x * grid.y * grid.z;
    if (threads == 0 || threads > largest_block) {
        return "a block of " + std::to_string(threads) + " threads; 1 to 1024 are allowed";
    }
    if (blocks == 0 || grid.y > 65535 || grid.z > 65535) return "a grid that no device takes";
    if (shared_bytes > largest_shared) {
        return std::to_string(shared_bytes) + " bytes of shared memory; a block has at most "
            + std::to_string(largest_shared);
    }
    while (fibres.size() < threads) {
        Fibre *fibre = make_fibre();
        if (fibre == nullptr) return "no memory for the threads' stacks";
        fibres.push_back(fibre);
    }
    thread_count = (unsigned)threads;
    grid_size = dim3(grid.x, grid.y, grid.z);
    block_size = dim3(block.x, block.y, block.z);
    // Sixteen bytes more, for a start at a multiple of sixteen; and a guard.
    shared_storage.assign((shared_bytes + 7) / 8 + 2 + shared_guard, 0);
    std::function<void()> call = [&] { kernel.call(parameters); };
    body = &call;
    failure.clear();
    const bool is_checked = races::begin_launch(kernel.name, threads, shared_bytes);
    unsigned begun = 0;
    for (unsigned index : sequence(blocks, order)) {
        // Every block does the same: the first few and the last find what there is, within and between blocks.
        auto dynamic = reinterpret_cast<uintptr_t>(dynamic_shared());
        races::begin_block(
            thread_count, is_checked && (begun < 2 || begun + 1 == blocks), {dynamic, dynamic + shared_bytes},
            {reinterpret_cast<uintptr_t>(__start_sw_shared), reinterpret_cast<uintptr_t>(__stop_sw_shared)});
        begun++;
        block_index = {index % grid.x, index / grid.x % grid.y, index / (grid.x * grid.y)};
        run_block(sequence(threads, order > SW_HOST_DESCENDING ? order + index + 1 : order));
        check_shared(shared_bytes);
        if (failure.empty()) continue;
        for (unsigned i = 0; i < thread_count; i++) {
            if (fibres[i]->state != State::done) renew(*fibres[i]);
        }
        return failure;
    }
    return "";
}

}  // namespace

void *dynamic_shared() {
    auto address = reinterpret_cast<uintptr_t>(shared_storage.data());
    return reinterpret_cast<void *>((address + 15) & ~uintptr_t(15));
}

namespace races {
void stop_for_race(const std::string &text) {
    failure = text;
    while (true) yield();
}
}  // namespace races

unsigned barrier(Site site, Vote vote, unsigned value) {
    races::look_away();
    Fibre &fibre = self();
    fibre.site = site;
    fibre.vote = vote;
    fibre.value = value;
    fibre.state = State::at_barrier;
    yield();
    return (unsigned)self().answer;
}

static uint64_t meet_warp(Site site, unsigned mask, uint64_t value, int source, bool is_ordering) {
    races::look_away();
    Fibre &fibre = self();
    if ((mask >> fibre.lane & 1) == 0) stop(site, "a lane that its own mask leaves out");
    fibre.site = site;
    fibre.mask = mask;
    fibre.value = value;
    fibre.source = source;
    fibre.is_ordering = is_ordering;
    fibre.state = State::in_warp;
    yield();
    return self().answer;
}

uint64_t exchange(Site site, unsigned mask, uint64_t value, int source) {
    return meet_warp(site, mask, value, source, false);
}

unsigned ballot(Site site, unsigned mask, bool value) { return (unsigned)exchange(site, mask, value, -1); }

void sync_warp(Site site, unsigned mask) { meet_warp(site, mask, 0, -1, true); }

unsigned active_lanes() {
    unsigned lanes = 0;
    for (unsigned i = 0; i < 32; i++) {
        Fibre *other = lane(self().warp, i);
        if (other != nullptr && other->state != State::done) lanes |= 1u << i;
    }
    return lanes;
}

void stop(Site site, const char *reason) {
    failure = place(site) + ": " + name(self()) + ": " + reason;
    while (true) yield();
}

void add(Kernel kernel) { kernels().emplace(kernel.name, std::move(kernel)); }

}  // namespace sw_host

using namespace sw_host;

int sw_host_launch(
    const char *kernel, sw_host_extent grid, sw_host_extent block, size_t shared_bytes, void *const *parameters,
    uint64_t order, char *problem, size_t problem_capacity) {
    std::lock_guard<std::mutex> lock(launches);
    auto found = kernels().find(kernel);
    std::string text = found == kernels().end()
        ? std::string("no kernel is called '") + kernel + "'"
        : launch(found->second, grid, block, shared_bytes, parameters, order);
    if (text.empty()) return 0;
    if (problem != nullptr && problem_capacity > 0) snprintf(problem, problem_capacity, "%s", text.c_str());
    return 1;
}

int sw_host_parameter_count(const char *kernel) {
    auto found = kernels().find(kernel);
    return found == kernels().end() ? -1 : (int)found->second.parameter_sizes.size();
}

size_t sw_host_parameter_size(const char *kernel, int index) {
    return kernels().at(kernel).parameter_sizes.at((size_t)index);
}

const char *sw_host_kernel_name(int index) {
    if (index < 0 || (size_t)index >= kernels().size()) return nullptr;
    return std::next(kernels().begin(), index)->first.c_str();
}

#pragma clang attribute pop
