// Mathematics and atomics that CUDA C++ has built in and C++ has not, by the CUDA Math API's definitions.
#ifndef SPINWEAVE_HOST_MATH_H
#define SPINWEAVE_HOST_MATH_H

using std::max;
using std::min;

struct alignas(8) float2 {
    float x, y;
};
struct float3 {
    float x, y, z;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) double2 {
    double x, y;
};
struct double3 {
    double x, y, z;
};
struct alignas(8) int2 {
    int x, y;
};
struct alignas(16) int4 {
    int x, y, z, w;
};
struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};

inline float2 make_float2(float x, float y) { return {x, y}; }
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }
inline double3 make_double3(double x, double y, double z) { return {x, y, z}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

namespace sw_host {

// sin(πx), cos(πx): the argument is reduced before it meets π, so that integers and halves are exact.
inline double sin_pi(double x) {
    if (x == std::floor(x)) return std::copysign(0.0, x);
    double r = std::remainder(x, 2);
    if (std::fabs(r) > 0.5) r = std::copysign(1.0, r) - r;
    return std::fabs(r) <= 0.25 ? std::sin(M_PI * r) : std::copysign(std::cos(M_PI * (0.5 - std::fabs(r))), r);
}
inline double cos_pi(double x) {
    double r = std::fabs(std::remainder(x, 2));
    if (r == 0.5) return 0;
    return r <= 0.25 ? std::cos(M_PI * r) : r < 0.75 ? std::sin(M_PI * (0.5 - r)) : -std::cos(M_PI * (1 - r));
}
inline void sin_cos_pi(double x, double *s, double *c) {
    *s = sin_pi(x);
    *c = cos_pi(x);
}
inline double r_sqrt(double x) { return 1 / std::sqrt(x); }
inline float r_sqrt(float x) { return 1 / std::sqrt(x); }
inline double norm_cdf(double x) { return 0.5 * std::erfc(-x * M_SQRT1_2); }

template <class To, class From>
To bits(From value) {
    static_assert(sizeof(To) == sizeof(From));
    To result;
    std::memcpy(&result, &value, sizeof value);
    return result;
}

// One thread runs at a time: reading, changing and writing is not interrupted, and no race (races.h).
template <class T, class Change>
__attribute__((no_sanitize("thread"))) T exchange(T *address, Change change) {
    T old = *address;
    *address = (T)change(old);
    return old;
}

}  // namespace sw_host

// Names that a later C library may have, too.
#define sinpi sw_host::sin_pi
#define cospi sw_host::cos_pi
#define sincospi sw_host::sin_cos_pi
#define rsqrt sw_host::r_sqrt
#define rsqrtf sw_host::r_sqrt
#define normcdf sw_host::norm_cdf
#define __ldg(pointer) (*(pointer))

inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
// Nothing is contracted into fused operations on the host. A device contracts unless its compiler is told not to, save these.
#pragma clang fp contract(off)
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }

inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz((unsigned)x); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll((unsigned long long)x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline long long __double_as_longlong(double x) { return sw_host::bits<long long>(x); }
inline double __longlong_as_double(long long x) { return sw_host::bits<double>(x); }
inline int __float_as_int(float x) { return sw_host::bits<int>(x); }
inline float __int_as_float(int x) { return sw_host::bits<float>(x); }
inline unsigned __float_as_uint(float x) { return sw_host::bits<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return sw_host::bits<float>(x); }
inline long long __double2ll_rn(double x) { return std::llrint(x); }
inline int __double2int_rn(double x) { return (int)std::lrint(x); }

#define SW_ATOMIC(name, expression)                                                 \
    template <class T, class U>                                                      \
    T name(T *address, U operand) {                                                  \
        T value = (T)operand;                                                        \
        return sw_host::exchange(address, [value]([[maybe_unused]] T old) { return expression; }); \
    }
SW_ATOMIC(atomicAdd, old + value)
SW_ATOMIC(atomicSub, old - value)
SW_ATOMIC(atomicExch, value)
SW_ATOMIC(atomicMin, value < old ? value : old)
SW_ATOMIC(atomicMax, value > old ? value : old)
SW_ATOMIC(atomicAnd, old & value)
SW_ATOMIC(atomicOr, old | value)
SW_ATOMIC(atomicXor, old ^ value)
#undef SW_ATOMIC

template <class T, class U, class V>
T atomicCAS(T *address, U compare, V value) {
    return sw_host::exchange(address, [=](T old) { return old == (T)compare ? (T)value : old; });
}

#endif
