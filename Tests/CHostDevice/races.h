// Who read and wrote what since whom they last waited for: two accesses that no barrier orders, one of them a write, are a race,
// in whatever order the fibres took their turns.
#ifndef SPINWEAVE_RACES_H
#define SPINWEAVE_RACES_H

#include <string>
#include <vector>

#include "host_shim.h"

namespace sw_host::races {

// What kernels do is told by the compiler's calls (-fsanitize=thread; its runtime is not linked, races.cpp stands in for it).
// Whether this launch is one to check: some of each kind, since many are alike.
bool begin_launch(const std::string &kernel, size_t threads, size_t shared_bytes);
// Where its shared memory is, that of the launch and that of `__shared__`. Blocks that are not checked cost little.
struct Memory {
    uintptr_t begin, end;
};
void begin_block(unsigned threads, bool is_checked, Memory dynamic, Memory fixed);
// A thread that meets others goes on after them. Shuffles and votes order nothing (CUDA C++ Programming Guide, "Warp Shuffle
// Functions"): __syncthreads and __syncwarp do.
void meet(const std::vector<unsigned> &threads);

// Whether a fibre is at its kernel now; its stack is its own.
void watch(unsigned thread, Site since, const void *stack, size_t stack_bytes);
void look_away();
// Has the kernel's thread stop with this text, when it has found a race.
[[noreturn]] void stop_for_race(const std::string &text);

}  // namespace sw_host::races

#endif
