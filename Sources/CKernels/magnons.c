// Chooses the instruction set of the magnon kernel at run time; see detector_image.c for why it is done so.
#include "CKernels.h"

#include "processor.h"

#include <math.h>
#include <string.h>

// The functions are static and inlined, so that no vector crosses an ABI boundary.
#pragma clang diagnostic ignored "-Wpsabi"

#define NAME(x) sw_##x##_baseline
#include "magnons_body.h"
#undef NAME

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(x) sw_##x##_avx2
#include "magnons_body.h"
#undef NAME
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma,avx2"))), apply_to = function)
#define NAME(x) sw_##x##_avx512
#include "magnons_body.h"
#undef NAME
#pragma clang attribute pop
#endif

int64_t sw_magnons_scratch(const sw_magnon_problem *p) {
    int64_t n = 1, modes = 0;
    for (int64_t b = 0; b < p->block_count; b++) {
        const sw_magnon_block *block = p->blocks + b;
        if (block->size > n) n = block->size;
        modes += block->in_quadratures ? block->size : block->particles;
    }
    // In vectors of eight doubles, as `magnons` takes them; a few more for the rounding up of each.
    const int64_t room = 9 * n * n + 12 * n;
    const int64_t stage = 7 * modes + 4 * modes * p->orbit_count + 2 * p->winding_count + 2 * p->site_count
        + 12 * p->orbit_count + 3;
    return 8 * (room + stage + 32);
}

int sw_magnons(const sw_magnon_problem *problem, double *scratch, int level) {
    const int best = sw_best_level();
    if (level > best) return 0;
    if (level == 0) level = best;
#if defined(__x86_64__)
    if (level == 3) sw_magnons_avx512(problem, scratch);
    if (level == 2) sw_magnons_avx2(problem, scratch);
#endif
    if (level == 1) sw_magnons_baseline(problem, scratch);
    return level;
}
