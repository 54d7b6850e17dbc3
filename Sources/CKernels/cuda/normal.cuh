// Functions of ../vectors.h, of one number: the same polynomials, so that images agree to rounding.
#ifndef SPINWEAVE_NORMAL_CUH
#define SPINWEAVE_NORMAL_CUH

#include "kernel.cuh"

// Where the normal distribution ends, in standard deviations; its polynomial is fitted for this.
#define SW_REACH 5.3

// E = SW_NEUTRON_ENERGY k², meV Å².
#define SW_NEUTRON_ENERGY 2.0721416

// cos and sin of 2πx, absolute error below 1e-12: the half angle by Taylor, then doubled.
__device__ __forceinline__ void turn(double x, double *cosine, double *sine) {
    const double y = (x - rint(x)) * 3.141592653589793;
    const double s = y * y;
    double a = 1.0 / 355687428096000;
    a = a * s - 1.0 / 1307674368000;
    a = a * s + 1.0 / 6227020800;
    a = a * s - 1.0 / 39916800;
    a = a * s + 1.0 / 362880;
    a = a * s - 1.0 / 5040;
    a = a * s + 1.0 / 120;
    a = a * s - 1.0 / 6;
    a = a * s * y + y;
    double b = 1.0 / 20922789888000;
    b = b * s - 1.0 / 87178291200;
    b = b * s + 1.0 / 479001600;
    b = b * s - 1.0 / 3628800;
    b = b * s + 1.0 / 40320;
    b = b * s - 1.0 / 720;
    b = b * s + 1.0 / 24;
    b = b * s - 0.5;
    b = b * s + 1;
    *sine = 2 * a * b;
    *cosine = 1 - 2 * a * a;
}

// Normal distribution function: 1/2 + u P(u²), u = x/5.3 clamped to ±1. Absolute error 8e-8, most of it the tails that are cut.
__device__ __forceinline__ double cdf(double x) {
    const double u = fmin(fmax(x * (1.0 / SW_REACH), -1.0), 1.0);
    const double s = u * u, s2 = s * s, s4 = s2 * s2, s8 = s4 * s4;
    const double p0 = (-139.34306789997117 * s + 41.70328232272384) * s2 + (-9.89877561295285 * s + 2.114393596680968);
    const double p1 = (-2632.184939669053 * s + 1643.018623410049) * s2 + (-859.9581852910572 * s + 379.1075075010899);
    const double p2 = (-1835.0022178201978 * s + 3021.6793608577864) * s2 + (-3681.83000707383 * s + 3475.489571088022);
    const double p3 = 23.732360870496976 * s2 + (-199.11873801734023 * s + 770.9908317375535);
    return ((p3 * s4 + p2) * s8 + (p1 * s4 + p0)) * u + 0.5;
}

// What a normal distribution has at an edge between two pixels.
struct Edge {
    double distribution, density, moment;
};

__device__ __forceinline__ Edge edge(double place, double mean, double inverse_sigma) {
    const double z = (place - mean) * inverse_sigma;
    const double density = exp(fmax(-0.5 * z * z, -700.0)) * 0.3989422804014327;
    return {cdf(z), density, density * fmin(fmax(z, -37.0), 37.0)};
}

// The part of it in one pixel: probability, mean and variance.
struct Piece {
    double probability, mean, variance;
};

__device__ __forceinline__ Piece cut(Edge below, Edge above, double low, double high, double mean, double sigma) {
    Piece out;
    out.probability = fmax(above.distribution - below.distribution, 0.0);
    const double inverse = 1 / fmax(out.probability, 1e-12);
    const double shift = (below.density - above.density) * inverse;
    const double spread = 1 + (below.moment - above.moment) * inverse - shift * shift;
    // Far in the tails the quotients lose their digits: keep them within what a pixel allows.
    out.mean = fmin(fmax(mean + sigma * shift, low), high);
    const double width = high - low;
    out.variance = fmin(fmax(sigma * sigma * spread, 0.0), width * width * (1.0 / 12));
    return out;
}

#endif
