// Dense algebra of eight complex matrices at once, one a lane; rows are contiguous. Included once per instruction set.
//
// Sums run over tiles of four columns, so that eight accumulators hide the latency of a multiply-add and each row that is
// read serves four results.

typedef struct {
    v8 re, im;
} NAME(c8);
#define c8 NAME(c8)

// a += x̄ y
#define ADD_CONJUGATE_PRODUCT(a, x, y) \
    do { \
        (a).re += (x).re * (y).re; \
        (a).re += (x).im * (y).im; \
        (a).im += (x).re * (y).im; \
        (a).im -= (x).im * (y).re; \
    } while (0)
// a −= x y
#define SUBTRACT_PRODUCT(a, x, y) \
    do { \
        (a).re -= (x).re * (y).re; \
        (a).re += (x).im * (y).im; \
        (a).im -= (x).re * (y).im; \
        (a).im -= (x).im * (y).re; \
    } while (0)
// a −= x̄ y
#define SUBTRACT_CONJUGATE_PRODUCT(a, x, y) \
    do { \
        (a).re -= (x).re * (y).re; \
        (a).re -= (x).im * (y).im; \
        (a).im -= (x).re * (y).im; \
        (a).im += (x).im * (y).re; \
    } while (0)

#define TILES(from, to, column, width) \
    for (int64_t column = (from), width; width = (to) - column < 4 ? (to) - column : 4, column < (to); column += width)

// Factorises H = KᴴK in place, K upper triangular with its diagonal inverted; `h` holds the upper triangle. Lanes that
// are not positive definite are set in the result and go on with a pivot of 1.
INLINE i8 NAME(cholesky)(c8 *restrict h, int64_t n) {
    i8 failed = {0};
    for (int64_t i = 0; i < n; i++) {
        c8 *row = h + i * n;
        TILES(i, n, j, width) {
            if (width == 4) {
                c8 s0 = row[j], s1 = row[j + 1], s2 = row[j + 2], s3 = row[j + 3];
                for (int64_t k = 0; k < i; k++) {
                    const c8 x = h[k * n + i];
                    const c8 *y = h + k * n + j;
                    SUBTRACT_CONJUGATE_PRODUCT(s0, x, y[0]);
                    SUBTRACT_CONJUGATE_PRODUCT(s1, x, y[1]);
                    SUBTRACT_CONJUGATE_PRODUCT(s2, x, y[2]);
                    SUBTRACT_CONJUGATE_PRODUCT(s3, x, y[3]);
                }
                row[j] = s0, row[j + 1] = s1, row[j + 2] = s2, row[j + 3] = s3;
            } else {
                for (int64_t c = j; c < j + width; c++) {
                    c8 s = row[c];
                    for (int64_t k = 0; k < i; k++) SUBTRACT_CONJUGATE_PRODUCT(s, h[k * n + i], h[k * n + c]);
                    row[c] = s;
                }
            }
        }
        const v8 pivot = row[i].re;
        const i8 bad = ~(i8)(pivot > splat(0));
        failed |= bad;
        const v8 inverse = splat(1) / vsqrt((v8)(((i8)pivot & ~bad) | ((i8)splat(1) & bad)));
        row[i] = (c8){inverse, splat(0)};
        for (int64_t j = i + 1; j < n; j++) row[j].re *= inverse, row[j].im *= inverse;
    }
    return failed;
}

// Lower triangle of K g Kᴴ, g = +1 for the first `particles` columns and −1 for the rest; K as `cholesky` leaves it.
INLINE void NAME(congruence)(const c8 *restrict k, c8 *restrict out, int64_t n, int64_t particles) {
    for (int64_t i = 0; i < n; i++) {
        const c8 *a = k + i * n;
        // The diagonal of K is stored inverted.
        const v8 aii = splat(1) / a[i].re;
        for (int64_t j = 0; j <= i; j++) {
            const c8 *b = k + j * n;
            const v8 sign = splat(i < particles ? 1 : -1);
            c8 plus = {splat(0), splat(0)}, minus = plus;
            // Term of column i, where row i begins: K_ii g_i conj(K_ji), K_ii real.
            const v8 bji = j == i ? aii : b[i].re;
            c8 s = {sign * aii * bji, j == i ? splat(0) : -(sign * aii * b[i].im)};
            int64_t c = i + 1;
            for (; c < particles; c++) ADD_CONJUGATE_PRODUCT(plus, b[c], a[c]);
            for (; c < n; c++) ADD_CONJUGATE_PRODUCT(minus, b[c], a[c]);
            s.re += plus.re - minus.re;
            s.im += plus.im - minus.im;
            out[i * n + j] = s;
        }
    }
}

// Lower triangle of K M Kᴴ for a Hermitian M whose upper triangle is given; `half` is room for K M.
INLINE void NAME(sandwich)(const c8 *restrict k, const c8 *restrict m, c8 *restrict half, c8 *restrict out, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const v8 kii = splat(1) / k[i * n + i].re;
        for (int64_t j = 0; j < n; j++) {
            // Σ_c K_ic M_cj, M_cj from the upper triangle.
            c8 s;
            if (i <= j) {
                s = (c8){kii * m[i * n + j].re, kii * m[i * n + j].im};
            } else {
                s = (c8){kii * m[j * n + i].re, -(kii * m[j * n + i].im)};
            }
            for (int64_t c = i + 1; c < n; c++) {
                const c8 x = k[i * n + c];
                c8 y = c <= j ? m[c * n + j] : m[j * n + c];
                if (c > j) y.im = -y.im;
                s.re += x.re * y.re;
                s.re -= x.im * y.im;
                s.im += x.re * y.im;
                s.im += x.im * y.re;
            }
            half[i * n + j] = s;
        }
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            const v8 kjj = splat(1) / k[j * n + j].re;
            c8 s = {half[i * n + j].re * kjj, half[i * n + j].im * kjj};
            for (int64_t c = j + 1; c < n; c++) ADD_CONJUGATE_PRODUCT(s, k[j * n + c], half[i * n + c]);
            out[i * n + j] = s;
        }
}

// Y ← K⁻¹ Y for `columns` columns, rows of Y `columns` wide.
INLINE void NAME(solve_upper)(const c8 *restrict k, c8 *restrict y, int64_t n, int64_t columns) {
    TILES(0, columns, j, width) {
        for (int64_t i = n - 1; i >= 0; i--) {
            const v8 inverse = k[i * n + i].re;
            c8 *row = y + i * columns + j;
            if (width == 4) {
                c8 s0 = row[0], s1 = row[1], s2 = row[2], s3 = row[3];
                for (int64_t c = i + 1; c < n; c++) {
                    const c8 x = k[i * n + c];
                    const c8 *v = y + c * columns + j;
                    SUBTRACT_PRODUCT(s0, x, v[0]);
                    SUBTRACT_PRODUCT(s1, x, v[1]);
                    SUBTRACT_PRODUCT(s2, x, v[2]);
                    SUBTRACT_PRODUCT(s3, x, v[3]);
                }
                row[0] = (c8){s0.re * inverse, s0.im * inverse};
                row[1] = (c8){s1.re * inverse, s1.im * inverse};
                row[2] = (c8){s2.re * inverse, s2.im * inverse};
                row[3] = (c8){s3.re * inverse, s3.im * inverse};
            } else {
                for (int64_t w = 0; w < width; w++) {
                    c8 s = row[w];
                    for (int64_t c = i + 1; c < n; c++) SUBTRACT_PRODUCT(s, k[i * n + c], y[c * columns + j + w]);
                    row[w] = (c8){s.re * inverse, s.im * inverse};
                }
            }
        }
    }
}

// out ← Kᴴ Y for `columns` columns.
INLINE void NAME(multiply_adjoint)(
    const c8 *restrict k, const c8 *restrict y, c8 *restrict out, int64_t n, int64_t columns) {
    for (int64_t i = 0; i < n; i++) {
        const v8 kii = splat(1) / k[i * n + i].re;
        for (int64_t j = 0; j < columns; j++) {
            c8 s = {kii * y[i * columns + j].re, kii * y[i * columns + j].im};
            for (int64_t c = 0; c < i; c++) ADD_CONJUGATE_PRODUCT(s, k[c * n + i], y[c * columns + j]);
            out[i * columns + j] = s;
        }
    }
}
