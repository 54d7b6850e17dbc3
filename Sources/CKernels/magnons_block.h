// The modes of one block of the Hamiltonian at eight wavevectors.

// Room for one block, and what it leaves for `record`.
typedef struct {
    c8 *a, *k, *y, *t;  // size × size
    v8 *z;              // size × size, real
    c8 *phase, *p;      // size
    v8 *d, *e, *tau, *cosines, *sines;
    int32_t *order;     // [lane][size]
    // Amplitudes of the modes: [row][mode] of V, or of X and P.
    c8 *first, *second;
    v8 *energy;         // [mode]
} NAME(workspace);
#define workspace NAME(workspace)

// Writes the upper triangle of one of the block's matrices, with `shift` on its diagonal.
INLINE void NAME(assemble)(
    const sw_magnon_block *block, int which, const c8 *restrict phases, v8 shift, c8 *restrict out) {
    const int64_t n = block->size;
    const double *constant = block->constant[which];
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i; j < n; j++) {
            const int64_t k = i * n + j;
            out[k] = (c8){splat(constant[2 * k]), splat(constant[2 * k + 1])};
        }
    const sw_magnon_entry *entries = block->entries[which];
    for (int64_t m = 0; m < block->entry_count[which]; m++) {
        const sw_magnon_entry entry = entries[m];
        const c8 phase = phases[entry.winding];
        const v8 re = splat(entry.re), im = splat(entry.im);
        c8 *target = out + entry.row * n + entry.column;
        target->re += re * phase.re;
        target->re -= im * phase.im;
        target->im += re * phase.im;
        target->im += im * phase.re;
    }
    for (int64_t i = 0; i < n; i++) out[i * n + i] = (c8){out[i * n + i].re + shift, splat(0)};
}

// For each lane the columns of its `wanted` largest eigenvalues, ascending.
INLINE void NAME(sort)(const v8 *d, int64_t n, int32_t *order) {
    for (int lane = 0; lane < 8; lane++) {
        int32_t *o = order + lane * n;
        for (int64_t k = 0; k < n; k++) {
            const double value = d[k][lane];
            int64_t at = k;
            while (at > 0 && d[o[at - 1]][lane] > value) {
                o[at] = o[at - 1];
                at--;
            }
            o[at] = (int32_t)k;
        }
    }
}

// y[row][mode] ← phase[row] z[row][order of that mode], the last `modes` of the order.
INLINE void NAME(select_columns)(
    const v8 *restrict z, const int32_t *restrict order, const c8 *restrict phase, c8 *restrict y, int64_t n,
    int64_t modes) {
    for (int64_t row = 0; row < n; row++) {
        const double *source = (const double *)(z + row * n);
        const c8 turn = phase[row];
        for (int64_t m = 0; m < modes; m++) {
            v8 x;
            for (int lane = 0; lane < 8; lane++)
                x[lane] = source[8 * (int64_t)order[lane * n + n - modes + m] + lane];
            y[row * modes + m] = (c8){x * turn.re, x * turn.im};
        }
    }
}

INLINE void NAME(eigenvectors)(const sw_magnon_block *block, workspace *r, int64_t modes, int vectors, i8 *unconverged) {
    const int64_t n = block->size;
    NAME(tridiagonalise)(r->a, n, r->d, r->e, r->tau, r->phase, r->p);
    *unconverged |= NAME(implicit_ql)(r->d, r->e, vectors ? r->z : 0, n, r->cosines, r->sines);
    NAME(sort)(r->d, n, r->order);
    for (int64_t m = 0; m < modes; m++)
        for (int lane = 0; lane < 8; lane++)
            r->energy[m][lane] = r->d[r->order[lane * n + n - modes + m]][lane];
    if (!vectors) return;
    NAME(select_columns)(r->z, r->order, r->phase, r->y, n, modes);
    NAME(reflect_back)(r->a, r->tau, r->y, n, modes);
}

// Colpa's method: H = KᴴK, K g Kᴴ = U L Uᴴ, V = K⁻¹ U L^½ for the positive half.
INLINE i8 NAME(solve_metric)(
    const sw_magnon_block *block, workspace *r, const c8 *phases, v8 shift, int wanted, i8 *unconverged) {
    const int64_t n = block->size, modes = block->particles;
    NAME(assemble)(block, 0, phases, shift, r->k);
    const i8 failed = NAME(cholesky)(r->k, n);
    if (wanted == 0 || modes == 0) return failed;
    NAME(congruence)(r->k, r->a, n, modes);
    NAME(eigenvectors)(block, r, modes, wanted > 1, unconverged);
    if (wanted == 1) return failed;
    for (int64_t m = 0; m < modes; m++) {
        const v8 scale = vsqrt(vmax(r->energy[m], splat(0)));
        for (int64_t row = 0; row < n; row++) {
            r->y[row * modes + m].re *= scale;
            r->y[row * modes + m].im *= scale;
        }
    }
    NAME(solve_upper)(r->k, r->y, n, modes);
    r->first = r->y;
    return failed;
}

// Quadratures: M_p = KᴴK, K M_x Kᴴ = Y ω² Yᴴ; X = ω^−½ Kᴴ Y, P = ω^½ K⁻¹ Y, so that X†P = 1.
INLINE i8 NAME(solve_quadratures)(
    const sw_magnon_block *block, workspace *r, const c8 *phases, v8 shift, int wanted, i8 *unconverged) {
    const int64_t n = block->size;
    NAME(assemble)(block, 0, phases, shift, r->k);
    i8 failed = NAME(cholesky)(r->k, n);
    NAME(assemble)(block, 1, phases, shift, r->t);
    if (wanted == 0) return failed | NAME(cholesky)(r->t, n);
    NAME(sandwich)(r->k, r->t, r->y, r->a, n);
    NAME(eigenvectors)(block, r, n, wanted > 1, unconverged);
    // By Sylvester's law of inertia M_x is positive definite where all squares are positive.
    failed |= ~(i8)(r->energy[0] > splat(0));
    for (int64_t m = 0; m < n; m++) r->energy[m] = vsqrt(vmax(r->energy[m], splat(0)));
    if (wanted == 1) return failed;
    r->first = r->t;
    r->second = r->y;
    NAME(multiply_adjoint)(r->k, r->y, r->t, n, n);
    NAME(solve_upper)(r->k, r->y, n, n);
    for (int64_t m = 0; m < n; m++) {
        const v8 root = vsqrt(r->energy[m]);
        const v8 inverse = splat(1) / pick((i8)(root > splat(0)), root, splat(1));
        for (int64_t row = 0; row < n; row++) {
            r->t[row * n + m].re *= inverse, r->t[row * n + m].im *= inverse;
            r->y[row * n + m].re *= root, r->y[row * n + m].im *= root;
        }
    }
    return failed;
}
