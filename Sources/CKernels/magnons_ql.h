// Implicit QL of eight real symmetric tridiagonal matrices at once. Each lane has its own place in the iteration; a lane
// that has nothing to do turns by the identity.

// Turns neighbouring columns of z (rows of `n`) by the angles of one sweep, from `high` − 1 down to `low`.
//
// A row's running element stays in registers from one pair of columns to the next; four rows go side by side.
INLINE void NAME(turn_columns)(
    v8 *restrict z, int64_t n, int64_t rows, const v8 *restrict cosines, const v8 *restrict sines, int64_t low,
    int64_t high) {
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        v8 *z0 = z + r * n, *z1 = z0 + n, *z2 = z1 + n, *z3 = z2 + n;
        v8 f0 = z0[high], f1 = z1[high], f2 = z2[high], f3 = z3[high];
        for (int64_t i = high - 1; i >= low; i--) {
            const v8 c = cosines[i], s = sines[i];
            const v8 g0 = z0[i], g1 = z1[i], g2 = z2[i], g3 = z3[i];
            z0[i + 1] = s * g0 + c * f0;
            z1[i + 1] = s * g1 + c * f1;
            z2[i + 1] = s * g2 + c * f2;
            z3[i + 1] = s * g3 + c * f3;
            f0 = c * g0 - s * f0;
            f1 = c * g1 - s * f1;
            f2 = c * g2 - s * f2;
            f3 = c * g3 - s * f3;
        }
        z0[low] = f0, z1[low] = f1, z2[low] = f2, z3[low] = f3;
    }
    for (; r < rows; r++) {
        v8 *z0 = z + r * n;
        v8 f = z0[high];
        for (int64_t i = high - 1; i >= low; i--) {
            const v8 g = z0[i];
            z0[i + 1] = sines[i] * g + cosines[i] * f;
            f = cosines[i] * g - sines[i] * f;
        }
        z0[low] = f;
    }
}

INLINE int NAME(any)(i8 mask) {
    return (mask[0] | mask[1] | mask[2] | mask[3] | mask[4] | mask[5] | mask[6] | mask[7]) != 0;
}

INLINE v8 NAME(pick)(i8 mask, v8 yes, v8 no) { return (v8)(((i8)yes & mask) | ((i8)no & ~mask)); }
#define pick NAME(pick)

// Eigenvalues into d, in no order; z (n × n, rows contiguous), unless null, becomes the eigenvectors as columns.
//
// e[i] lies between i − 1 and i, as `tridiagonalise` leaves it; it is destroyed. cosines, sines: room for n each.
// Returns the lanes that did not converge in 60 sweeps for one eigenvalue (NaN counts as converged).
INLINE i8 NAME(implicit_ql)(
    v8 *restrict d, v8 *restrict e, v8 *restrict z, int64_t n, v8 *restrict cosines, v8 *restrict sines) {
    i8 failed = {0};
    if (z) {
        for (int64_t k = 0; k < n * n; k++) z[k] = splat(0);
        for (int64_t k = 0; k < n; k++) z[k * n + k] = splat(1);
    }
    // From here e[i] lies between i and i + 1.
    for (int64_t i = 1; i < n; i++) e[i - 1] = e[i];
    e[n - 1] = splat(0);
    const v8 epsilon = splat(0x1p-53);
    const i8 all = ~(i8){0};
    for (int64_t l = 0; l < n; l++) {
        for (int sweep = 0;; sweep++) {
            // Each lane's first negligible element at or after l ends its block.
            i8 open = all, block = {0};
            block += l;
            int64_t high = l;
            for (int64_t m = l; m < n - 1; m++) {
                const v8 scale = __builtin_elementwise_abs(d[m]) + __builtin_elementwise_abs(d[m + 1]);
                open &= (i8)(__builtin_elementwise_abs(e[m]) > epsilon * scale);
                if (!NAME(any)(open)) break;
                block -= open;
                high = m + 1;
            }
            if (high == l) break;
            const i8 active = (i8)(block > l);
            if (sweep == 60) {
                failed |= active;
                break;
            }
            v8 g = (d[l + 1] - d[l]) / (splat(2) * pick(active, e[l], splat(1)));
            v8 r = vsqrt(g * g + splat(1));
            v8 end = d[l];
            for (int64_t m = l + 1; m <= high; m++) end = pick((i8)(block == m), d[m], end);
            const v8 signed_r = (v8)(((i8)r & 0x7fffffffffffffffLL) | ((i8)g & (int64_t)0x8000000000000000ULL));
            g = end - d[l] + e[l] / (g + signed_r);
            v8 s = splat(1), c = splat(1), p = splat(0);
            for (int64_t i = high - 1; i >= l; i--) {
                const i8 in = (i8)(block > i);
                const v8 f = s * e[i], b = c * e[i];
                const v8 r2 = f * f + g * g;
                const i8 nought = (i8)(r2 == splat(0));
                r = vsqrt(r2);
                const v8 inverse = splat(1) / pick(nought, splat(1), r);
                const v8 s1 = pick(nought, splat(0), f * inverse), c1 = pick(nought, splat(1), g * inverse);
                s = pick(in, s1, s), c = pick(in, c1, c);
                // The first element of a lane's block has no e above it that would be kept.
                e[i + 1] = pick(in, pick((i8)(block == i + 1), splat(0), r), e[i + 1]);
                const v8 g1 = d[i + 1] - p;
                const v8 t = (d[i] - g1) * s + splat(2) * c * b;
                const v8 p1 = s * t;
                d[i + 1] = pick(in, g1 + p1, d[i + 1]);
                g = pick(in, c * t - b, g);
                p = pick(in, p1, p);
                cosines[i] = pick(in, c, splat(1));
                sines[i] = where(in, s);
            }
            d[l] = pick(active, d[l] - p, d[l]);
            e[l] = pick(active, g, e[l]);
            if (z) NAME(turn_columns)(z, n, n, cosines, sines, l, high);
        }
    }
    return failed;
}
