// Chooses the instruction set of the detector-image kernel at run time. One source, compiled once per set: Swift has
// no per-function targets, and the thread sanitizer cannot run resolvers of target_clones.
#include "CKernels.h"

#include "processor.h"

#include <math.h>
#include <string.h>

// E = SW_NEUTRON_ENERGY k², meV Å².
#define SW_NEUTRON_ENERGY 2.0721416

// Where the kernels' normal distribution ends, in standard deviations; its polynomial is fitted for this.
#define SW_REACH 5.3

// The functions are static and inlined, so that no vector crosses an ABI boundary.
#pragma clang diagnostic ignored "-Wpsabi"

#define NAME(x) sw_##x##_baseline
#include "detector_image_body.h"
#undef NAME

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(x) sw_##x##_avx2
#include "detector_image_body.h"
#undef NAME
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma,avx2"))), apply_to = function)
#define NAME(x) sw_##x##_avx512
#include "detector_image_body.h"
#undef NAME
#pragma clang attribute pop
#endif

int64_t sw_detector_image_scratch(const sw_image_problem *p) {
    const int64_t padded = (p->mode_count + 7) / 8 * 8;
    const int64_t image = p->twin_count * p->setting_count * p->bin_count * p->h_count * (p->k_count + 8);
    return image + padded * (9 + 4 * p->site_count + 6 * p->group_count);
}

int sw_detector_image_at_level(const sw_image_problem *problem, double *scratch, float *image, int level) {
    const int best = sw_best_level();
    if (level > best) return 0;
    if (level == 0) level = best;
#if defined(__x86_64__)
    if (level == 3) return sw_detector_image_avx512(problem, scratch, image) ? 3 : -1;
    if (level == 2) return sw_detector_image_avx2(problem, scratch, image) ? 2 : -1;
#endif
    return sw_detector_image_baseline(problem, scratch, image) ? 1 : -1;
}

int sw_detector_image_deposit(
    const sw_image_problem *problem, const sw_image_packet *packets, int64_t count, double *image, int level)
{
    const int best = sw_best_level();
    if (level > best) return 0;
    if (level == 0) level = best;
#if defined(__x86_64__)
    if (level == 3) return sw_deposit_packets_avx512(problem, packets, count, image), 3;
    if (level == 2) return sw_deposit_packets_avx2(problem, packets, count, image), 2;
#endif
    return sw_deposit_packets_baseline(problem, packets, count, image), 1;
}

double sw_normal_cdf(double x) { return sw_one_cdf_baseline(x); }
