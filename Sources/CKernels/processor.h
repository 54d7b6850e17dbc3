// Which of the copies of a kernel this processor runs best: 1 baseline, 2 AVX2, 3 AVX-512.
#ifndef SPINWEAVE_PROCESSOR_H
#define SPINWEAVE_PROCESSOR_H

static int sw_best_level(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw"))
        return 3;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 2;
#endif
    return 1;
}

#endif
