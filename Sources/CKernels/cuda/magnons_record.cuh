// From a block's eigenvectors to what is wanted of its modes, a thread a mode; the loops are those of ../magnons_record.h.
#ifndef SPINWEAVE_MAGNONS_RECORD_CUH
#define SPINWEAVE_MAGNONS_RECORD_CUH

#include "complex.cuh"
#include "magnons_device.h"
#include "team.cuh"

__device__ __forceinline__ const Complex *phases_of(const sw_magnon_device_problem &p, int64_t point) {
    return reinterpret_cast<const Complex *>(p.phases) + point % p.sample_points * p.winding_count;
}

// W_1 and W_2 of each orbit, without √(S/2), where `out` is not null; returns Σ|V|² over particles. `first` is V, or X with
// `second` P.
__device__ inline double orbit_amplitudes(
    const sw_magnon_device_problem &p, const sw_magnon_device_block &block, const Complex *first, const Complex *second,
    int ld, int m, Complex *__restrict__ out) {
    const int32_t *orbit = p.integers + block.orbit, *is_hole = p.integers + block.is_hole;
    double sum = 0;
    for (int row = 0; row < block.size; row++) {
        const Complex v = first[row * ld + m];
        if (block.in_quadratures) {
            const Complex q = second[row * ld + m];
            const double re = v.re + q.re, im = v.im + q.im;
            sum += 0.25 * (re * re + im * im);
        } else if (!is_hole[row]) {
            sum += v.re * v.re + v.im * v.im;
        }
    }
    if (!out) return sum;
    for (int o = 0; o < 2 * p.orbit_count; o++) out[o] = {0, 0};
    for (int row = 0; row < block.size; row++) {
        Complex *w = out + 2 * orbit[row];
        const Complex v = first[row * ld + m];
        // Of a quadrature the row's momentum, of a hole or a particle the row itself turns into W_2.
        const Complex q = block.in_quadratures ? second[row * ld + m] : v;
        const double sign = !block.in_quadratures && is_hole[row] ? -1 : 1;
        w[0] = {w[0].re + v.re, w[0].im + v.im};
        w[1] = {w[1].re + sign * q.im, w[1].im - sign * q.re};
    }
    return sum;
}

// Adds the share of one matrix to dω/dq = v†(∂H/∂q)v (Hellmann and Feynman).
__device__ inline void add_velocity(
    const sw_magnon_device_problem &p, const sw_magnon_device_block &block, int which, const Complex *v, int ld, int m,
    double factor, const Complex *__restrict__ phases, double velocity[3]) {
    const sw_magnon_cell *cells = p.cells + block.cells[which];
    for (int k = 0; k < block.cell_count[which]; k++) {
        const sw_magnon_cell cell = cells[k];
        Complex pair = {0, 0};
        add_conjugate_product(pair, v[cell.row * ld + m], v[cell.column * ld + m]);
        // Re(2πi hop pair), twice for an element that has a mirror image.
        const double weight = -6.283185307179586 * factor * (cell.row == cell.column ? 1 : 2);
        for (int n = cell.first; n < cell.first + cell.count; n++) {
            const sw_magnon_entry entry = p.entries[n];
            const Complex hop = product({entry.re, entry.im}, phases[entry.winding]);
            const double slope = weight * (hop.re * pair.im + hop.im * pair.re);
            const double *w = p.windings + 3 * entry.winding;
            for (int axis = 0; axis < 3; axis++) velocity[axis] += w[axis] * slope;
        }
    }
}

// Σ over each orbit's sites of weight, phase, axis: what the orbit's amplitudes multiply in F(Q), [orbit][2][3].
template <class Team>
__device__ void effective_axes(
    const Team &team, const sw_magnon_device_problem &p, const sw_magnon_device_block &block, int64_t point,
    const Complex *__restrict__ phases, Complex *out) {
    const Complex *weights = reinterpret_cast<const Complex *>(p.weights) + point * p.site_count;
    const double *roots = p.doubles + block.roots;
    for (int e = team.rank; e < 6 * p.orbit_count; e += Team::size) {
        const int orbit = e / 6, k = e % 6;
        Complex sum = {0, 0};
        for (int i = 0; i < p.site_count; i++) {
            const sw_magnon_site site = p.sites[i];
            if (site.orbit != orbit) continue;
            const Complex root = {site.scale * roots[2 * i], site.scale * roots[2 * i + 1]};
            const Complex factor = product(product(weights[i], phases[site.winding]), root);
            const double axis = p.axes[6 * i + k];
            sum.re += axis * factor.re;
            sum.im += axis * factor.im;
        }
        out[e] = sum;
    }
    team.sync();
}

// S⊥ = |F|² − |Q̂·F|²
__device__ __forceinline__ double perpendicular(const Complex (&f)[3], const double *direction) {
    double total = 0;
    Complex along = {0, 0};
    for (int axis = 0; axis < 3; axis++) {
        total += f[axis].re * f[axis].re + f[axis].im * f[axis].im;
        along.re += direction[axis] * f[axis].re;
        along.im += direction[axis] * f[axis].im;
    }
    return fmax(0.0, total - along.re * along.re - along.im * along.im);
}

__device__ inline double intensity(
    const sw_magnon_device_problem &p, const Complex *effective, const double *direction,
    const Complex *__restrict__ amplitudes) {
    Complex f[3] = {{0, 0}, {0, 0}, {0, 0}};
    for (int k = 0; k < 2 * p.orbit_count; k++) {
        const Complex w = amplitudes[k];
        for (int axis = 0; axis < 3; axis++) add_product(f[axis], effective[3 * k + axis], w);
    }
    return perpendicular(f, direction);
}

// What is wanted of mode m, but for its intensity; amplitudes only if they `are_kept`.
__device__ inline void record_mode(
    const sw_magnon_device_problem &p, const sw_magnon_device_block &block, int64_t point, int64_t line, const Complex *first,
    const Complex *second, int ld, int m, bool are_kept) {
    Complex *amplitudes = reinterpret_cast<Complex *>(p.mode_amplitudes) + 2 * p.orbit_count * line;
    p.mode_particles[line] = orbit_amplitudes(p, block, first, second, ld, m, are_kept ? amplitudes : nullptr);
    if (!p.velocities) return;
    const Complex *phases = phases_of(p, point);
    double velocity[3] = {0, 0, 0};
    if (block.in_quadratures) {
        add_velocity(p, block, 0, second, ld, m, 0.5, phases, velocity);
        add_velocity(p, block, 1, first, ld, m, 0.5, phases, velocity);
    } else {
        add_velocity(p, block, 0, first, ld, m, 1, phases, velocity);
    }
    for (int axis = 0; axis < 3; axis++) p.mode_velocities[3 * line + axis] = velocity[axis];
}

// Everything wanted of a block's modes at a slot.
template <class Team>
__device__ void record(
    const Team &team, const sw_magnon_device_problem &p, const sw_magnon_device_block &block, int64_t slot, int64_t point,
    const Complex *first, const Complex *second, int ld, Complex *effective) {
    const Complex *phases = phases_of(p, point);
    if (p.intensities) effective_axes(team, p, block, point, phases, effective);
    for (int m = team.rank; m < block.modes; m += Team::size) {
        const int64_t line = slot * p.mode_count + block.first_mode + m;
        record_mode(p, block, point, line, first, second, ld, m, true);
        const Complex *amplitudes = reinterpret_cast<const Complex *>(p.mode_amplitudes) + 2 * p.orbit_count * line;
        if (p.intensities)
            p.mode_intensities[line] = intensity(p, effective, p.directions + 3 * point, amplitudes);
    }
}

#endif
