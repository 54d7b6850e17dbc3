// Chooses the instruction set of the loops over weights at run time, as detector_image.c does.
#include "CKernels.h"

#include "processor.h"

// Fused multiplications would give other bits where the processor has them.
#pragma clang fp contract(off)

#define NAME(x) sw_##x##_baseline
#include "weights_body.h"
#undef NAME

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define NAME(x) sw_##x##_avx2
#include "weights_body.h"
#undef NAME
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx2"))), apply_to = function)
#define NAME(x) sw_##x##_avx512
#include "weights_body.h"
#undef NAME
#pragma clang attribute pop
#endif

void sw_adam(
    float *weights, const float *gradient, float *first, float *second, int64_t count, float scale, float beta1,
    float beta2, float epsilon, float step, float decay) {
#if defined(__x86_64__)
    const int best = sw_best_level();
    if (best == 3)
        return sw_adam_avx512(
            weights, gradient, first, second, count, scale, beta1, beta2, epsilon, step, decay);
    if (best == 2)
        return sw_adam_avx2(weights, gradient, first, second, count, scale, beta1, beta2, epsilon, step, decay);
#endif
    sw_adam_baseline(weights, gradient, first, second, count, scale, beta1, beta2, epsilon, step, decay);
}

void sw_add(float *sum, const float *values, int64_t count) {
#if defined(__x86_64__)
    const int best = sw_best_level();
    if (best == 3) return sw_add_avx512(sum, values, count);
    if (best == 2) return sw_add_avx2(sum, values, count);
#endif
    sw_add_baseline(sum, values, count);
}
