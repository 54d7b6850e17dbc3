#ifndef SPINWEAVE_ROUNDING_H
#define SPINWEAVE_ROUNDING_H

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// What tensor cores take of a number: 10 bits of mantissa, rounded to the nearest.
inline float tf32(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x1000) & ~0x1fffu;
    std::memcpy(&x, &bits, sizeof bits);
    return x;
}

/// Eight bits of mantissa, rounded to the nearest, ties to even; by arithmetic, so that the kernels' own way by bits is not its own
/// judge. Of normal numbers.
inline double bf16(double x) {
    if (x == 0 || !std::isfinite(x)) return x;
    int exponent;
    const double mantissa = std::frexp(x, &exponent);
    return std::ldexp(std::nearbyint(mantissa * 256), exponent - 8);
}

/// Numbers as they lie in the devices' memory.
struct Numbers {
    const void *values;
    bool is_bf16;

    float operator[](size_t i) const {
        if (!is_bf16) return ((const float *)values)[i];
        uint32_t bits = (uint32_t)((const uint16_t *)values)[i] << 16;
        float x;
        std::memcpy(&x, &bits, sizeof x);
        return x;
    }
};

inline void put(void *values, bool is_bf16, size_t i, double x) {
    float single = (float)(is_bf16 ? bf16(x) : x);
    if (!is_bf16) {
        ((float *)values)[i] = single;
        return;
    }
    uint32_t bits;
    std::memcpy(&bits, &single, sizeof bits);
    ((uint16_t *)values)[i] = (uint16_t)(bits >> 16);
}

#endif
