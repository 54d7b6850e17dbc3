// Random numbers by address, those of Compute/RandomStream: the same bits from Philox, and numbers made of them that agree to the
// last places of the device's logarithm and cosine.
#ifndef SPINWEAVE_RANDOM_CUH
#define SPINWEAVE_RANDOM_CUH

#include "kernel.cuh"
#include "noise_device.h"

// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw (SC11, 2011).
__device__ inline uint4 philox(uint4 c, uint2 key) {
    for (int round = 0; round < 10; round++) {
        if (round > 0) {
            key.x += 0x9E3779B9u;
            key.y += 0xBB67AE85u;
        }
        const uint32_t high = __umulhi(c.x, 0xD2511F53u), low = c.x * 0xD2511F53u;
        const uint32_t other = __umulhi(c.z, 0xCD9E8D57u), rest = c.z * 0xCD9E8D57u;
        c = make_uint4(other ^ c.y ^ key.x, rest, high ^ c.w ^ key.y, low);
    }
    return c;
}

// 128 random bits.
__device__ inline uint4 bits(sw_noise_stream s, int64_t index) {
    const uint64_t i = (uint64_t)index;
    return philox(
        make_uint4((uint32_t)i, (uint32_t)(i >> 32), (uint32_t)s.lane, (uint32_t)(s.lane >> 32)),
        make_uint2((uint32_t)s.key, (uint32_t)(s.key >> 32)));
}

// On the open interval (0, 1): a multiple of 2⁻⁵³, shifted by half a step.
__device__ inline double unit(uint32_t low, uint32_t high) {
    const uint64_t word = ((uint64_t)high << 32 | low) >> 12; // 52 bits, so that adding one half is exact
    return ((double)word + 0.5) * 0x1p-52;
}

__device__ inline double uniform(sw_noise_stream s, int64_t index) {
    const uint4 b = bits(s, index);
    return unit(b.x, b.y);
}

// Standard normal, by Box and Muller from one block.
__device__ inline double normal(sw_noise_stream s, int64_t index) {
    const uint4 b = bits(s, index);
    return sqrt(-2 * log(unit(b.x, b.y))) * cos(6.283185307179586 * unit(b.z, b.w));
}

// Logarithm of the probability of `count` (a whole number, 0 or more) at `mean` > 0, as C. Loader writes it.
__device__ inline double log_poisson(double count, double mean) {
    if (count == 0) return -mean;
    const double turn = 6.283185307179586;
    double stirling;
    if (count < 16) {
        double factorial = 1;
        for (int factor = 1; factor <= (int)count; factor++) factorial *= factor;
        stirling = log(factorial) - (count + 0.5) * log(count) + count - 0.5 * log(turn);
    } else {
        const double square = count * count;
        stirling = (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - 1.0 / 1680 / square) / square) / square) / count;
    }
    double deviance;
    if (fabs(count - mean) < 0.1 * (count + mean)) {
        const double ratio = (count - mean) / (count + mean);
        double term = 2 * count * ratio;
        deviance = (count - mean) * ratio;
        for (int j = 1; j < 100; j++) {
            term *= ratio * ratio;
            const double next = deviance + term / (2 * j + 1);
            if (next == deviance) break;
            deviance = next;
        }
    } else {
        deviance = count * log(count / mean) + mean - count;
    }
    return -stirling - deviance - 0.5 * log(turn * count);
}

// A Poisson count: by inversion below a mean of 10, by Hörmann's PTRS above; see RandomStream+Poisson.swift.
//
// NaN where a decision on the way hangs on the last places of the device's exp, log or square root, and beyond a mean of 10¹⁵: whoever
// draws with the host's finds out there. Margins are a thousand times what rounding makes of each number.
__device__ inline double poisson(sw_noise_stream s, double mean, int64_t index) {
    if (!(mean > 0)) return 0;
    const double undecided = nan("");
    if (mean > 1e15 || fabs(mean - 10) < 1e-11) return undecided;
    if (mean < 10) {
        const double target = uniform(s, index);
        double probability = exp(-mean), sum = probability, count = 0;
        // The sum can end a rounding below 1, so that a vanishing term ends the search too.
        while (count < mean || probability > 0x1p-60) {
            if (fabs(target - sum) < 1e-12) return undecided;
            if (target < sum) break;
            count += 1;
            probability *= mean / count;
            sum += probability;
        }
        return count;
    }
    const double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), acceptance = 0.9277 - 3.6224 / (b - 2);
    for (int64_t attempt = 0;; attempt++) {
        const uint4 block = bits(s, index + (attempt << 40));
        const double u = unit(block.x, block.y) - 0.5, v = unit(block.z, block.w), distance = 0.5 - fabs(u);
        const double reach = (2 * a / distance + b) * u, x = reach + mean + 0.43, count = floor(x);
        if (fabs(x - rint(x)) < 1e-12 * (fabs(reach) + mean)) return undecided;
        if (distance >= 0.07 && fabs(v - acceptance) < 1e-12) return undecided;
        if (distance >= 0.07 && v <= acceptance) return count;
        if (count < 0 || (distance < 0.013 && v > distance)) continue;
        const double excess = log(v * inverse_alpha / (a / (distance * distance) + b)) - log_poisson(count, mean);
        if (fabs(excess) < 1e-11 + 1e-12 * sqrt(mean)) return undecided;
        if (excess <= 0) return count;
    }
}

#endif
