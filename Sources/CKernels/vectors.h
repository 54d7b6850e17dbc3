// Functions of eight doubles at once, for the detector image: lanes are modes while intensities are computed, and
// neighbouring pixels while they are deposited.

#include "lanes.h"

// e^x, relative error below 1e-13: x = n ln 2 + r, |r| <= 0.35, Taylor to r^12. Clamped to |x| <= 700.
INLINE v8 NAME(vexp)(v8 x) {
    x = vmin(vmax(x, splat(-700)), splat(700));
    const v8 magic = splat(0x1.8p52);
    v8 shifted = x * splat(1.4426950408889634) + magic;
    v8 n = shifted - magic;
    v8 r = x - n * splat(0.6931471805599453);
    v8 p = splat(1.0 / 479001600);
    p = p * r + splat(1.0 / 39916800);
    p = p * r + splat(1.0 / 3628800);
    p = p * r + splat(1.0 / 362880);
    p = p * r + splat(1.0 / 40320);
    p = p * r + splat(1.0 / 5040);
    p = p * r + splat(1.0 / 720);
    p = p * r + splat(1.0 / 120);
    p = p * r + splat(1.0 / 24);
    p = p * r + splat(1.0 / 6);
    p = p * r + splat(0.5);
    p = p * r + splat(1);
    p = p * r + splat(1);
    // The low bits of `shifted` hold n: move them into the exponent.
    i8 power = ((i8)shifted - (i8)magic) << 52;
    return (v8)((i8)p + power);
}
#define vexp NAME(vexp)

// cos and sin of 2πx, absolute error below 1e-12: the half angle by Taylor, then doubled.
INLINE void NAME(turn)(v8 x, v8 *cosine, v8 *sine) {
    const v8 magic = splat(0x1.8p52);
    v8 n = (x + magic) - magic;
    v8 y = (x - n) * splat(3.141592653589793);
    v8 s = y * y;
    v8 a = splat(1.0 / 355687428096000);
    a = a * s - splat(1.0 / 1307674368000);
    a = a * s + splat(1.0 / 6227020800);
    a = a * s - splat(1.0 / 39916800);
    a = a * s + splat(1.0 / 362880);
    a = a * s - splat(1.0 / 5040);
    a = a * s + splat(1.0 / 120);
    a = a * s - splat(1.0 / 6);
    a = a * s * y + y;
    v8 b = splat(1.0 / 20922789888000);
    b = b * s - splat(1.0 / 87178291200);
    b = b * s + splat(1.0 / 479001600);
    b = b * s - splat(1.0 / 3628800);
    b = b * s + splat(1.0 / 40320);
    b = b * s - splat(1.0 / 720);
    b = b * s + splat(1.0 / 24);
    b = b * s - splat(0.5);
    b = b * s + splat(1);
    *sine = splat(2) * a * b;
    *cosine = splat(1) - splat(2) * a * a;
}
#define turn NAME(turn)

// Normal distribution function: 1/2 + u P(u²), u = x/5.3 clamped to ±1; P fitted by Chebyshev interpolation and scaled
// so that the ends are 0 and 1. Absolute error 8e-8, most of it the tails that are cut.
INLINE v8 NAME(cdf)(v8 x) {
    v8 u = vmin(vmax(x * splat(1.0 / SW_REACH), splat(-1)), splat(1));
    v8 s = u * u;
    // Estrin's scheme: the additions wait for each other less than in Horner's.
    const v8 s2 = s * s, s4 = s2 * s2, s8 = s4 * s4;
    const v8 p0 = (splat(-139.34306789997117) * s + splat(41.70328232272384)) * s2
        + (splat(-9.89877561295285) * s + splat(2.114393596680968));
    const v8 p1 = (splat(-2632.184939669053) * s + splat(1643.018623410049)) * s2
        + (splat(-859.9581852910572) * s + splat(379.1075075010899));
    const v8 p2 = (splat(-1835.0022178201978) * s + splat(3021.6793608577864)) * s2
        + (splat(-3681.83000707383) * s + splat(3475.489571088022));
    const v8 p3 = splat(23.732360870496976) * s2 + (splat(-199.11873801734023) * s + splat(770.9908317375535));
    const v8 p = (p3 * s4 + p2) * s8 + (p1 * s4 + p0);
    return p * u + splat(0.5);
}
#define cdf NAME(cdf)
