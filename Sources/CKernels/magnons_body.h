// The kernel of magnons.c, included once per instruction set with NAME(x) giving each copy its own names.

#include "lanes.h"

#include "magnons_algebra.h"
#include "magnons_tridiagonal.h"
#include "magnons_ql.h"
#include "magnons_block.h"
#include "magnons_record.h"

INLINE int64_t NAME(mode_count)(const sw_magnon_block *block) {
    return block->in_quadratures ? block->size : block->particles;
}

// One point's modes, sorted, from its lane.
INLINE void NAME(write_point)(
    const sw_magnon_problem *p, const lanes *s, int lane, int64_t point, int64_t modes, int32_t *order) {
    for (int64_t k = 0; k < modes; k++) {
        const double value = s->energy[k][lane];
        int64_t at = k;
        while (at > 0 && s->energy[order[at - 1]][lane] > value) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = (int32_t)k;
    }
    for (int64_t rank = 0; rank < modes; rank++) {
        const int64_t mode = order[rank], line = point * modes + rank;
        if (p->energies) p->energies[line] = s->energy[mode][lane];
        if (p->particles) p->particles[line] = s->particles[mode][lane];
        if (p->intensities) p->intensities[line] = s->intensities[mode][lane];
        if (p->velocities)
            for (int axis = 0; axis < 3; axis++) p->velocities[3 * line + axis] = s->velocities[3 * mode + axis][lane];
        if (p->amplitudes) {
            const double *roots = p->blocks[s->block[mode]].roots;
            const c8 *orbits = s->amplitudes + 2 * p->orbit_count * mode;
            double *out = p->amplitudes + 4 * p->site_count * line;
            for (int64_t i = 0; i < p->site_count; i++) {
                const sw_magnon_site site = p->sites[i];
                const double a = s->phases[site.winding].re[lane], b = s->phases[site.winding].im[lane];
                const double c = site.scale * roots[2 * i], d = site.scale * roots[2 * i + 1];
                const double re = a * c - b * d, im = a * d + b * c;
                for (int component = 0; component < 2; component++) {
                    const c8 *w = orbits + 2 * site.orbit + component;
                    out[4 * i + 2 * component] = re * w->re[lane] - im * w->im[lane];
                    out[4 * i + 2 * component + 1] = re * w->im[lane] + im * w->re[lane];
                }
            }
        }
    }
}

static void NAME(magnons)(const sw_magnon_problem *p, double *scratch) {
    int64_t n = 1, modes = 0;
    for (int64_t b = 0; b < p->block_count; b++) {
        if (p->blocks[b].size > n) n = p->blocks[b].size;
        modes += NAME(mode_count)(p->blocks + b);
    }
    v8 *free = (v8 *)scratch;
#define TAKE(type, count) (type *)free; free += (int64_t)(sizeof(type) * (count) + 63) / 64
    workspace r;
    r.a = TAKE(c8, n * n);
    r.k = TAKE(c8, n * n);
    r.y = TAKE(c8, n * n);
    r.t = TAKE(c8, n * n);
    r.z = TAKE(v8, n * n);
    r.phase = TAKE(c8, n);
    r.p = TAKE(c8, n);
    r.d = TAKE(v8, n);
    r.e = TAKE(v8, n);
    r.tau = TAKE(v8, n);
    r.cosines = TAKE(v8, n);
    r.sines = TAKE(v8, n);
    r.energy = TAKE(v8, n);
    r.order = TAKE(int32_t, 8 * n);
    lanes s;
    s.energy = TAKE(v8, modes);
    s.amplitudes = TAKE(c8, 2 * modes * p->orbit_count);
    s.velocities = TAKE(v8, 3 * modes);
    s.particles = TAKE(v8, modes);
    s.intensities = TAKE(v8, modes);
    s.block = TAKE(int32_t, modes);
    s.phases = TAKE(c8, p->winding_count);
    s.weights = TAKE(c8, p->site_count);
    s.directions = TAKE(v8, 3);
    s.effective = TAKE(c8, 6 * p->orbit_count);
    int32_t *order = TAKE(int32_t, modes);
#undef TAKE
    const int wanted = p->amplitudes || p->velocities || p->intensities || p->particles ? 2 : p->energies ? 1 : 0;
    for (int64_t point = 0; point < p->point_count; point += 8) {
        const int64_t available = p->point_count - point < 8 ? p->point_count - point : 8;
        NAME(gather)(p->phases, p->winding_count, point, available, s.phases);
        if (p->intensities) {
            NAME(gather)(p->weights, p->site_count, point, available, s.weights);
            for (int lane = 0; lane < 8; lane++)
                for (int axis = 0; axis < 3; axis++)
                    s.directions[axis][lane] =
                        p->directions[3 * (point + (lane < available ? lane : available - 1)) + axis];
        }
        i8 regularised = {0}, unstable = {0}, unconverged = {0};
        // Where Cholesky fails, once more with the shift in those lanes alone.
        for (int attempt = 0; attempt < 2; attempt++) {
            const v8 shift = where(regularised, splat(p->shift));
            i8 failed = {0};
            unconverged = (i8){0};
            int64_t from = 0;
            for (int64_t b = 0; b < p->block_count; b++) {
                const sw_magnon_block *block = p->blocks + b;
                failed |= block->in_quadratures
                    ? NAME(solve_quadratures)(block, &r, s.phases, shift, wanted, &unconverged)
                    : NAME(solve_metric)(block, &r, s.phases, shift, wanted, &unconverged);
                if (wanted) NAME(record)(p, b, &r, &s, NAME(mode_count)(block), from);
                from += NAME(mode_count)(block);
            }
            if (attempt == 0) regularised = failed;
            unstable = failed;
            if (!NAME(any)(failed)) break;
        }
        for (int lane = 0; lane < available; lane++) {
            p->status[point + lane] = (uint8_t)((unstable[lane] ? SW_MAGNON_UNSTABLE : 0)
                | (regularised[lane] ? SW_MAGNON_REGULARISED : 0)
                | (unconverged[lane] ? SW_MAGNON_NOT_CONVERGED : 0));
            if (wanted) NAME(write_point)(p, &s, lane, point + lane, modes, order);
        }
    }
}
