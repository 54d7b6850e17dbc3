// Complex numbers of two doubles, moved sixteen bytes at a time.
#ifndef SPINWEAVE_COMPLEX_CUH
#define SPINWEAVE_COMPLEX_CUH

#include "kernel.cuh"

struct __align__(16) Complex {
    double re, im;
};

// a += x̄ y
__device__ __forceinline__ void add_conjugate_product(Complex &a, Complex x, Complex y) {
    a.re += x.re * y.re;
    a.re += x.im * y.im;
    a.im += x.re * y.im;
    a.im -= x.im * y.re;
}
// a −= x y
__device__ __forceinline__ void subtract_product(Complex &a, Complex x, Complex y) {
    a.re -= x.re * y.re;
    a.re += x.im * y.im;
    a.im -= x.re * y.im;
    a.im -= x.im * y.re;
}
// a −= x̄ y
__device__ __forceinline__ void subtract_conjugate_product(Complex &a, Complex x, Complex y) {
    a.re -= x.re * y.re;
    a.re -= x.im * y.im;
    a.im -= x.re * y.im;
    a.im += x.im * y.re;
}
// a += x y
__device__ __forceinline__ void add_product(Complex &a, Complex x, Complex y) {
    a.re += x.re * y.re;
    a.re -= x.im * y.im;
    a.im += x.re * y.im;
    a.im += x.im * y.re;
}
__device__ __forceinline__ Complex product(Complex x, Complex y) {
    return {x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
}
__device__ __forceinline__ Complex scaled(Complex x, double s) { return {x.re * s, x.im * s}; }
__device__ __forceinline__ Complex conjugate(Complex x) { return {x.re, -x.im}; }

#endif
