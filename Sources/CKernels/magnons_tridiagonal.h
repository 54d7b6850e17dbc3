// Householder reduction of eight Hermitian matrices to real tridiagonal form, and the way back for their eigenvectors.

// Reduces the Hermitian matrix in the lower triangle of `a`. Row i of `a` then holds the reflector u_i, P = 1 − τ u uᴴ, of
// its first i entries.
//
// d: diagonal, e[i] ≥ 0 between i − 1 and i (e[0] unused), tau: factors of the reflectors, phase: the diagonal unitary
// matrix that makes the off-diagonal real, p: n complex numbers of room.
INLINE void NAME(tridiagonalise)(
    c8 *restrict a, int64_t n, v8 *restrict d, v8 *restrict e, v8 *restrict tau, c8 *restrict phase, c8 *restrict p) {
    phase[n - 1] = (c8){splat(1), splat(0)};
    for (int64_t i = n - 1; i > 0; i--) {
        c8 *u = a + i * n;
        d[i] = u[i].re;
        // The row holds the conjugate of the column that is reflected.
        v8 norm2 = splat(0), rest = splat(0);
        for (int64_t c = 0; c < i; c++) {
            u[c].im = -u[c].im;
            const v8 square = u[c].re * u[c].re + u[c].im * u[c].im;
            norm2 += square;
            if (c < i - 1) rest += square;
        }
        const v8 norm = vsqrt(norm2);
        const c8 last = u[i - 1];
        const v8 size = vsqrt(last.re * last.re + last.im * last.im);
        const i8 nought = (i8)(size == splat(0));
        const v8 inverse = splat(1) / (v8)(((i8)size & ~nought) | ((i8)splat(1) & nought));
        const c8 turn = {
            (v8)(((i8)(last.re * inverse) & ~nought) | ((i8)splat(1) & nought)), where(~nought, last.im * inverse)};
        // Nothing to reflect where the column is along the last axis already.
        const i8 idle = (i8)(rest == splat(0));
        const v8 denominator = norm * (norm + size);
        const i8 flat = (i8)(denominator == splat(0));
        const v8 factor = splat(1) / (v8)(((i8)denominator & ~flat) | ((i8)splat(1) & flat));
        tau[i] = where(~(idle | flat), factor);
        e[i] = norm;
        // −turn · norm lies between i − 1 and i, or turn · norm where nothing was reflected.
        const v8 sign = (v8)(((i8)splat(1) & (idle | flat)) | ((i8)splat(-1) & ~(idle | flat)));
        const c8 next = phase[i];
        phase[i - 1] = (c8){
            sign * (turn.re * next.re - turn.im * next.im), sign * (turn.re * next.im + turn.im * next.re)};
        if (i == 1) {
            u[0] = (c8){splat(0), splat(0)};
            break;
        }
        u[i - 1] = (c8){last.re + turn.re * norm, last.im + turn.im * norm};
        // p = τ A u over the leading i × i part, from its lower triangle.
        for (int64_t r = 0; r < i; r++) p[r] = (c8){splat(0), splat(0)};
        for (int64_t r = 0; r < i; r++) {
            const c8 *row = a + r * n;
            const c8 ur = u[r];
            c8 s = p[r];
            s.re += row[r].re * ur.re;
            s.im += row[r].re * ur.im;
            c8 s1 = {splat(0), splat(0)};
            for (int64_t c = 0; c < r; c++) {
                const c8 x = row[c], y = u[c];
                s.re += x.re * y.re;
                s1.re -= x.im * y.im;
                s.im += x.re * y.im;
                s1.im += x.im * y.re;
                ADD_CONJUGATE_PRODUCT(p[c], x, ur);
            }
            p[r] = (c8){s.re + s1.re, s.im + s1.im};
        }
        v8 overlap = splat(0);
        for (int64_t r = 0; r < i; r++) {
            p[r].re *= tau[i], p[r].im *= tau[i];
            overlap += u[r].re * p[r].re + u[r].im * p[r].im;
        }
        const v8 half = splat(0.5) * tau[i] * overlap;
        for (int64_t r = 0; r < i; r++) p[r].re -= half * u[r].re, p[r].im -= half * u[r].im;
        // A −= u wᴴ + w uᴴ
        for (int64_t r = 0; r < i; r++) {
            c8 *row = a + r * n;
            const c8 ur = u[r], wr = p[r];
            for (int64_t c = 0; c <= r; c++) {
                const c8 uc = u[c], wc = p[c];
                c8 x = row[c];
                x.re -= ur.re * wc.re;
                x.re -= ur.im * wc.im;
                x.im -= ur.im * wc.re;
                x.im += ur.re * wc.im;
                x.re -= wr.re * uc.re;
                x.re -= wr.im * uc.im;
                x.im -= wr.im * uc.re;
                x.im += wr.re * uc.im;
                row[c] = x;
            }
        }
    }
    d[0] = a[0].re;
    e[0] = splat(0);
}

// Eigenvectors of the tridiagonal matrix, already times `phase`, into those of the matrix: Y ← P_{n−1} … P_2 Y.
INLINE void NAME(reflect_back)(
    const c8 *restrict a, const v8 *restrict tau, c8 *restrict y, int64_t n, int64_t columns) {
    TILES(0, columns, j, width) {
        for (int64_t i = 2; i < n; i++) {
            const c8 *u = a + i * n;
            if (width == 4) {
                c8 s0 = {splat(0), splat(0)}, s1 = s0, s2 = s0, s3 = s0;
                for (int64_t c = 0; c < i; c++) {
                    const c8 x = u[c];
                    const c8 *v = y + c * columns + j;
                    ADD_CONJUGATE_PRODUCT(s0, x, v[0]);
                    ADD_CONJUGATE_PRODUCT(s1, x, v[1]);
                    ADD_CONJUGATE_PRODUCT(s2, x, v[2]);
                    ADD_CONJUGATE_PRODUCT(s3, x, v[3]);
                }
                const v8 t = tau[i];
                s0.re *= t, s0.im *= t, s1.re *= t, s1.im *= t, s2.re *= t, s2.im *= t, s3.re *= t, s3.im *= t;
                for (int64_t c = 0; c < i; c++) {
                    const c8 x = u[c];
                    c8 *v = y + c * columns + j;
                    SUBTRACT_PRODUCT(v[0], x, s0);
                    SUBTRACT_PRODUCT(v[1], x, s1);
                    SUBTRACT_PRODUCT(v[2], x, s2);
                    SUBTRACT_PRODUCT(v[3], x, s3);
                }
            } else {
                for (int64_t w = j; w < j + width; w++) {
                    c8 s = {splat(0), splat(0)};
                    for (int64_t c = 0; c < i; c++) ADD_CONJUGATE_PRODUCT(s, u[c], y[c * columns + w]);
                    s.re *= tau[i], s.im *= tau[i];
                    for (int64_t c = 0; c < i; c++) SUBTRACT_PRODUCT(y[c * columns + w], u[c], s);
                }
            }
        }
    }
}
