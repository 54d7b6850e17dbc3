// Nothing here is watched itself, nor what it includes.
#pragma clang attribute push(__attribute__((no_sanitize("thread"))), apply_to = function)

#include "races.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

namespace sw_host::races {

namespace {

struct Access {
    unsigned block, thread, epoch;
    uint8_t bytes;
    Site since;
};

// Eight bytes.
struct Cell {
    std::vector<Access> writes, reads;
};

// Of each thread, which epoch of each other thread it has waited for; its own epoch at its own place.
std::vector<std::vector<unsigned>> clocks;
std::unordered_map<uintptr_t, Cell> cells;
std::string kernel;
unsigned block = 0, self = 0;
Site since{"", 0};
bool is_checked = false, is_watching = false;
Memory dynamic{0, 0}, fixed{0, 0}, stack{0, 0};
// By kernel and what it was launched with.
std::map<std::tuple<std::string, size_t, size_t>, long> launches;
// Enough for all loops of a block to go round; what comes then is more of the same.
constexpr long most_accesses = 100'000;
long accesses = 0;

bool holds(Memory memory, uintptr_t address) { return address >= memory.begin && address < memory.end; }
bool is_shared(uintptr_t cell) { return holds(dynamic, cell) || holds(fixed, cell | 7); }

bool is_before(const Access &a) { return a.block == block && clocks[self][a.thread] >= a.epoch; }

std::string place(Site site) {
    return site.line == 0 ? "the beginning" : std::string(site.file) + ":" + std::to_string(site.line);
}

std::string name(unsigned block, unsigned thread) {
    return "thread " + std::to_string(thread) + " of block " + std::to_string(block);
}

void fail(const Access &other, bool wrote, bool writes, uintptr_t address) {
    is_watching = false;
    std::string where = holds(dynamic, address) ? "byte " + std::to_string(address - dynamic.begin) + " of shared memory"
        : holds(fixed, address)                 ? "shared memory"
                                                : "memory";
    stop_for_race(
        "a race in " + kernel + ": " + name(block, self) + ", after " + place(since) + ", " + (writes ? "writes" : "reads")
        + " " + where + ", which " + name(other.block, other.thread) + " " + (wrote ? "wrote" : "read") + " after "
        + place(other.since) + ", with nothing that orders them");
}

void visit_cell(uintptr_t address, uint8_t bytes, bool writes) {
    Cell &cell = cells[address >> 3];
    for (const Access &a : cell.writes) {
        if (a.thread == self && a.block == block) continue;
        if ((a.bytes & bytes) != 0 && !is_before(a)) fail(a, true, writes, address);
    }
    const Access mine = {block, self, clocks[self][self], bytes, since};
    if (!writes) {
        if (cell.reads.empty() || cell.reads.back().thread != self || cell.reads.back().block != block
            || cell.reads.back().epoch != mine.epoch || (bytes & ~cell.reads.back().bytes) != 0) {
            cell.reads.push_back(mine);
        }
        return;
    }
    for (const Access &a : cell.reads) {
        if (a.thread == self && a.block == block) continue;
        if ((a.bytes & bytes) != 0 && !is_before(a)) fail(a, false, writes, address);
    }
    // Whoever conflicts with what is forgotten here conflicts with this write, too.
    auto is_covered = [&](const Access &a) { return (a.bytes & ~bytes) == 0; };
    for (auto *list : {&cell.writes, &cell.reads}) list->erase(std::remove_if(list->begin(), list->end(), is_covered), list->end());
    cell.writes.push_back(mine);
}

void visit(const void *pointer, size_t size, bool writes) {
    auto address = reinterpret_cast<uintptr_t>(pointer);
    if (!is_watching || holds(stack, address)) return;
    if (++accesses > most_accesses) {
        is_watching = false;
        is_checked = false;
        return;
    }
    // A race ends the fibre's turn, and what is called from here may be watched no more.
    is_watching = false;
    while (size > 0) {
        size_t offset = address & 7, count = std::min(size, 8 - offset);
        visit_cell(address, (uint8_t)(((1u << count) - 1) << offset), writes);
        address += count;
        size -= count;
    }
    is_watching = true;
}

}  // namespace

bool begin_launch(const std::string &name, size_t threads, size_t shared_bytes) {
    kernel = name;
    cells.clear();
    block = 0;
    long earlier = launches[{name, threads, shared_bytes}]++;
    return earlier < 8 || earlier % 64 == 0;
}

void begin_block(unsigned threads, bool checked, Memory dynamic_memory, Memory fixed_memory) {
    is_checked = checked;
    if (!checked) return;
    block++;
    accesses = 0;
    // What an earlier block left in shared memory is not this one's.
    dynamic = dynamic_memory;
    fixed = fixed_memory;
    for (auto cell = cells.begin(); cell != cells.end();) cell = is_shared(cell->first << 3) ? cells.erase(cell) : std::next(cell);
    clocks.assign(threads, std::vector<unsigned>(threads, 0));
    for (unsigned i = 0; i < threads; i++) clocks[i][i] = 1;
}

void meet(const std::vector<unsigned> &threads) {
    if (!is_checked || threads.empty()) return;
    std::vector<unsigned> all = clocks[threads[0]];
    for (unsigned thread : threads) {
        for (size_t i = 0; i < all.size(); i++) all[i] = std::max(all[i], clocks[thread][i]);
    }
    for (unsigned thread : threads) {
        clocks[thread] = all;
        clocks[thread][thread]++;
    }
}

void watch(unsigned thread, Site site, const void *lowest, size_t stack_bytes) {
    self = thread;
    since = site;
    stack = {reinterpret_cast<uintptr_t>(lowest), reinterpret_cast<uintptr_t>(lowest) + stack_bytes};
    is_watching = is_checked;
}

void look_away() { is_watching = false; }

}  // namespace sw_host::races

// What the compiler calls. (LLVM, compiler-rt/lib/tsan/rtl/tsan_interface.h.)
#define SW_TOLD(size)                                                                                                \
    void __tsan_read##size(void *p) { sw_host::races::visit(p, size, false); }                                       \
    void __tsan_write##size(void *p) { sw_host::races::visit(p, size, true); }                                       \
    void __tsan_unaligned_read##size(void *p) { sw_host::races::visit(p, size, false); }                             \
    void __tsan_unaligned_write##size(void *p) { sw_host::races::visit(p, size, true); }

extern "C" {
void __tsan_init() {}
void __tsan_vptr_update(void **, void *) {}
void __tsan_vptr_read(void **) {}
SW_TOLD(1)
SW_TOLD(2)
SW_TOLD(4)
SW_TOLD(8)
SW_TOLD(16)
void *__tsan_memcpy(void *to, const void *from, size_t size) {
    sw_host::races::visit(from, size, false);
    sw_host::races::visit(to, size, true);
    return memcpy(to, from, size);
}
void *__tsan_memmove(void *to, const void *from, size_t size) {
    sw_host::races::visit(from, size, false);
    sw_host::races::visit(to, size, true);
    return memmove(to, from, size);
}
void *__tsan_memset(void *to, int value, size_t size) {
    sw_host::races::visit(to, size, true);
    return memset(to, value, size);
}
}

#pragma clang attribute pop
