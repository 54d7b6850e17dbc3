#ifndef SPINWEAVE_TF32_H
#define SPINWEAVE_TF32_H

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

#endif
