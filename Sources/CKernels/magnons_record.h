// From a block's eigenvectors to what is wanted of its modes, still eight wavevectors in lanes.

// What is kept of all blocks of eight wavevectors until their modes are sorted.
typedef struct {
    v8 *energy;      // [mode]
    c8 *amplitudes;  // [mode][orbit][2]
    v8 *velocities;  // [mode][3]
    v8 *particles;   // [mode]
    v8 *intensities; // [mode]
    int32_t *block;  // [mode]
    c8 *phases;      // [winding]
    c8 *weights;     // [site]
    v8 *directions;  // [3]
    c8 *effective;   // [orbit][2][3]
} NAME(lanes);
#define lanes NAME(lanes)

// Eight rows of complex numbers as one row of lanes; missing points repeat the last.
INLINE void NAME(gather)(const double *source, int64_t count, int64_t point, int64_t available, c8 *out) {
    const double *rows[8];
    for (int lane = 0; lane < 8; lane++)
        rows[lane] = source + 2 * count * (point + (lane < available ? lane : available - 1));
    for (int64_t k = 0; k < count; k++)
        for (int lane = 0; lane < 8; lane++) out[k].re[lane] = rows[lane][2 * k], out[k].im[lane] = rows[lane][2 * k + 1];
}

// W_1 and W_2 of each orbit, without √(S/2), and Σ|V|² over particles.
INLINE void NAME(orbit_amplitudes)(
    const sw_magnon_problem *p, const sw_magnon_block *block, const workspace *r, int64_t modes, int64_t m,
    c8 *restrict out, v8 *restrict particles) {
    const int64_t n = block->size;
    const c8 nought = {splat(0), splat(0)};
    for (int64_t o = 0; o < 2 * p->orbit_count; o++) out[o] = nought;
    v8 sum = splat(0);
    for (int64_t row = 0; row < n; row++) {
        c8 *w = out + 2 * block->orbit[row];
        const c8 v = r->first[row * modes + m];
        if (block->in_quadratures) {
            const c8 q = r->second[row * modes + m];
            w[0] = v;
            w[1] = (c8){q.im, -q.re};
            const v8 re = v.re + q.re, im = v.im + q.im;
            sum += splat(0.25) * (re * re + im * im);
        } else if (block->is_hole[row]) {
            w[0].re += v.re, w[0].im += v.im;
            w[1].re -= v.im, w[1].im += v.re;
        } else {
            w[0].re += v.re, w[0].im += v.im;
            w[1].re += v.im, w[1].im -= v.re;
            sum += v.re * v.re + v.im * v.im;
        }
    }
    *particles = sum;
}

// Adds the share of one matrix to dω/dq = v†(∂H/∂q)v (Hellmann and Feynman).
INLINE void NAME(add_velocity)(
    const sw_magnon_problem *p, const sw_magnon_block *block, int which, const c8 *restrict v, int64_t modes, int64_t m,
    double factor, const c8 *restrict phases, v8 *restrict velocity) {
    const sw_magnon_entry *entries = block->entries[which];
    for (int64_t k = 0; k < block->entry_count[which]; k++) {
        const sw_magnon_entry entry = entries[k];
        const c8 a = v[entry.row * modes + m], b = v[entry.column * modes + m], phase = phases[entry.winding];
        c8 hop = {splat(entry.re) * phase.re - splat(entry.im) * phase.im,
            splat(entry.re) * phase.im + splat(entry.im) * phase.re};
        c8 pair = {splat(0), splat(0)};
        ADD_CONJUGATE_PRODUCT(pair, a, b);
        // Re(2πi hop pair), twice for an element that has a mirror image.
        const double weight = -6.283185307179586 * factor * (entry.row == entry.column ? 1 : 2);
        const v8 slope = splat(weight) * (hop.re * pair.im + hop.im * pair.re);
        const double *w = p->windings + 3 * entry.winding;
        for (int axis = 0; axis < 3; axis++) velocity[axis] += splat(w[axis]) * slope;
    }
}

// Σ over each orbit's sites of weight, phase, axis: what the orbit's amplitudes multiply in F(Q).
INLINE void NAME(effective_axes)(const sw_magnon_problem *p, const sw_magnon_block *block, lanes *s) {
    for (int64_t k = 0; k < 6 * p->orbit_count; k++) s->effective[k] = (c8){splat(0), splat(0)};
    for (int64_t i = 0; i < p->site_count; i++) {
        const sw_magnon_site site = p->sites[i];
        const c8 a = s->weights[i], b = s->phases[site.winding];
        const v8 re = a.re * b.re - a.im * b.im, im = a.re * b.im + a.im * b.re;
        const v8 rootre = splat(site.scale * block->roots[2 * i]), rootim = splat(site.scale * block->roots[2 * i + 1]);
        const c8 factor = {re * rootre - im * rootim, re * rootim + im * rootre};
        c8 *out = s->effective + 6 * site.orbit;
        for (int k = 0; k < 6; k++) {
            const v8 axis = splat(p->axes[6 * i + k]);
            out[k].re += axis * factor.re;
            out[k].im += axis * factor.im;
        }
    }
}

// S⊥ = |F|² − |Q̂·F|²
INLINE v8 NAME(intensity)(const sw_magnon_problem *p, const lanes *s, const c8 *restrict amplitudes) {
    c8 f[3] = {{splat(0), splat(0)}, {splat(0), splat(0)}, {splat(0), splat(0)}};
    for (int64_t k = 0; k < 2 * p->orbit_count; k++) {
        const c8 w = amplitudes[k];
        for (int axis = 0; axis < 3; axis++) {
            const c8 e = s->effective[3 * k + axis];
            f[axis].re += e.re * w.re - e.im * w.im;
            f[axis].im += e.re * w.im + e.im * w.re;
        }
    }
    v8 total = splat(0);
    c8 along = {splat(0), splat(0)};
    for (int axis = 0; axis < 3; axis++) {
        total += f[axis].re * f[axis].re + f[axis].im * f[axis].im;
        along.re += s->directions[axis] * f[axis].re;
        along.im += s->directions[axis] * f[axis].im;
    }
    return vmax(splat(0), total - along.re * along.re - along.im * along.im);
}

// Everything wanted of a block's modes, which are numbered from `from`.
INLINE void NAME(record)(const sw_magnon_problem *p, int64_t number, const workspace *r, lanes *s, int64_t modes, int64_t from) {
    const sw_magnon_block *block = p->blocks + number;
    if (p->intensities && modes > 0) NAME(effective_axes)(p, block, s);
    const int vectors = p->amplitudes || p->velocities || p->intensities || p->particles;
    for (int64_t m = 0; m < modes; m++) {
        const int64_t mode = from + m;
        s->energy[mode] = r->energy[m];
        s->block[mode] = (int32_t)number;
        if (!vectors) continue;
        c8 *amplitudes = s->amplitudes + 2 * p->orbit_count * mode;
        NAME(orbit_amplitudes)(p, block, r, modes, m, amplitudes, s->particles + mode);
        if (p->velocities) {
            v8 *velocity = s->velocities + 3 * mode;
            velocity[0] = velocity[1] = velocity[2] = splat(0);
            if (block->in_quadratures) {
                NAME(add_velocity)(p, block, 0, r->second, modes, m, 0.5, s->phases, velocity);
                NAME(add_velocity)(p, block, 1, r->first, modes, m, 0.5, s->phases, velocity);
            } else {
                NAME(add_velocity)(p, block, 0, r->first, modes, m, 1, s->phases, velocity);
            }
        }
        if (p->intensities) s->intensities[mode] = NAME(intensity)(p, s, amplitudes);
    }
}
