// All that one grid point in one zone gives to the image, by a warp, a lane a mode; after ../detector_image_visit.h.
#ifndef SPINWEAVE_DETECTOR_IMAGE_VISIT_CUH
#define SPINWEAVE_DETECTOR_IMAGE_VISIT_CUH

#include "complex.cuh"
#include "detector_image_device.h"
#include "normal.cuh"
#include "team.cuh"

// What a setting sees of each mode of a visit; five lines of doubles in shared memory.
struct SeenModes {
    double *intensity, *energy, *velocity_h, *velocity_k, *layer_spread;
};

// The modes of a visit and the phases of its sites.
struct Visit {
    double h, k, l;
    const double *energies;   // [mode]
    const float *velocities;  // [mode][3]
    const float *amplitudes;  // [mode][site][2][2]
    const Complex *phases;    // [site]: exp(−2πi (h x + k y)), in shared memory
    const int32_t *order;     // [site]: those of one group beside each other
};

// |F|² − |Q̂·F|² of a mode, F summed over the sites of each group before form factor and phase along l.
__device__ inline double perpendicular(const sw_image_problem &p, const Visit &v, int mode, double l) {
    const double qx = v.h * p.reciprocal[0], qy = v.k * p.reciprocal[1], qz = l * p.reciprocal[2];
    const double q2 = qx * qx + qy * qy + qz * qz;
    const double s2 = q2 * 0.006332573977646111; // 1/(16 π²)
    Complex f[3] = {{0, 0}, {0, 0}, {0, 0}};
    const float *w = v.amplitudes + 4 * p.site_count * mode;
    for (int64_t n = 0; n < p.site_count;) {
        const int64_t group = p.sites[v.order[n]].group;
        Complex sum[3] = {{0, 0}, {0, 0}, {0, 0}};
        for (; n < p.site_count && p.sites[v.order[n]].group == group; n++) {
            const int32_t site = v.order[n];
            for (int c = 0; c < 2; c++) {
                const double *frame = p.sites[site].frame + 3 * c;
                const Complex x = product(v.phases[site], {(double)w[4 * site + 2 * c], (double)w[4 * site + 2 * c + 1]});
                for (int axis = 0; axis < 3; axis++) {
                    sum[axis].re += frame[axis] * x.re;
                    sum[axis].im += frame[axis] * x.im;
                }
            }
        }
        const double *c = p.form_factors + 7 * p.groups[group].ion;
        const double form = c[0] * exp(-c[1] * s2) + c[2] * exp(-c[3] * s2) + c[4] * exp(-c[5] * s2) + c[6];
        Complex phase;
        turn(-l * p.groups[group].z, &phase.re, &phase.im);
        for (int axis = 0; axis < 3; axis++) add_product(f[axis], scaled(phase, form), sum[axis]);
    }
    const double re = qx * f[0].re + qy * f[1].re + qz * f[2].re, im = qx * f[0].im + qy * f[1].im + qz * f[2].im;
    double total = 0;
    for (int axis = 0; axis < 3; axis++) total += f[axis].re * f[axis].re + f[axis].im * f[axis].im;
    return fmax(0.0, total - (re * re + im * im) / fmax(q2, 1e-12));
}

// Of a crystal that turns: the part of the grid cell along l, or the layer, that counts.
struct Layer {
    double place, offset, share, width;
};

// One mode in one setting and zone along l. Returns whether it is seen.
__device__ inline bool see(
    const sw_image_problem &p, const sw_image_setting &s, const Visit &v, double zone, const Layer &layer, int mode,
    const SeenModes &out) {
    double e = v.energies[mode];
    if (!(e > 0 && e < 1e6)) return false;
    const double qx = v.h * p.reciprocal[0], qy = v.k * p.reciprocal[1], in_plane = qx * qx + qy * qy;
    const double cell_h = 1 / ((double)p.n1 * p.scale[0]), cell_k = 1 / ((double)p.n2 * p.scale[1]);
    const double ki = s.incident_wavevector, top = s.first_bin_edge + (double)p.bin_count * s.bin_width;
    const bool disperses = p.n3 > 1, turns = p.layer_count > 0;
    const double l_step = 1 / (double)p.n3;
    double vh = (double)v.velocities[3 * mode] * p.scale[0], vk = (double)v.velocities[3 * mode + 1] * p.scale[1];
    const double vl = (double)v.velocities[3 * mode + 2];
    double slack = SW_REACH * sqrt(
        s.largest_sigma_energy * s.largest_sigma_energy + vh * vh * (cell_h * cell_h / 12 * p.cell_variance)
        + vk * vk * (cell_k * cell_k / 12 * p.cell_variance));
    // The crossing of path and mode may lie up to a step along l from the grid point.
    if (disperses) slack += fabs(vl) * l_step;
    if (!(e + slack > s.first_bin_edge && e - slack < top)) return false;
    double weight = layer.share, extra = 0, l = layer.place;
    if (turns) {
        if (disperses) {
            e += vl * layer.offset;
            extra = vl * vl * (layer.width * layer.width / 12);
            if (!(e > 0)) return false;
        }
        // |ki − kf| <= |Q| <= ki + kf
        const double qz = layer.place * p.reciprocal[2], square = ki * ki - in_plane - qz * qz;
        const double kf2 = (s.incident_energy - e) * (1 / SW_NEUTRON_ENERGY);
        if (!(kf2 > 1e-9) || !(fabs(square + kf2) <= 2 * ki * sqrt(kf2))) return false;
    } else {
        const double z2 = (s.incident_energy - e) * (1 / SW_NEUTRON_ENERGY) - in_plane;
        if (!(z2 > 1e-9)) return false;
        const double kz = sqrt(z2);
        l = (ki - kz) * (1 / p.reciprocal[2]);
        if (disperses) {
            // Where the path l(E) crosses the mode, linearised about the grid point: E = e + v δ,
            // l(e) + l' v δ = l_grid + δ. Grid points share a crossing by linear interpolation.
            const double path = 1 / (2 * SW_NEUTRON_ENERGY * p.reciprocal[2]) / kz;
            const double d = 1 - path * vl, size = fmax(fabs(d), 0.05), inverse = 1 / copysign(size, d);
            double offset = (l - (v.l + zone)) * inverse;
            weight = fmax(1 - fabs(offset) * (double)p.n3, 0.0) / size;
            if (!(weight > 0)) return false;
            const double pull = vl / (kz * p.reciprocal[2]);
            vh = (vh + pull * (qx * p.reciprocal[0] * p.scale[0])) * inverse;
            vk = (vk + pull * (qy * p.reciprocal[1] * p.scale[1])) * inverse;
            offset = fmin(fmax(offset, -l_step), l_step);
            l += path * vl * offset;
            e += vl * offset;
            if (!(e > 0)) return false;
        }
    }
    double sperp = perpendicular(p, v, mode, l) * weight;
    if (p.use_flux_ratio) sperp *= sqrt(fmax((s.incident_energy - e) * (1 / s.incident_energy), 0.0));
    if (p.thermal_energy > 0) sperp /= fmax(1 - exp(e * (-1 / p.thermal_energy)), 1e-12);
    out.intensity[mode] = sperp;
    out.energy[mode] = e;
    out.velocity_h[mode] = vh;
    out.velocity_k[mode] = vk;
    out.layer_spread[mode] = extra;
    return true;
}

// Modes closer than the resolution can tell, as one bundle with their mean and spread. Every lane counts; where `out` is not
// null, the first writes. Returns how many there are.
__device__ inline int bundle(
    const sw_image_problem &p, const sw_image_setting &s, const SeenModes &seen, int rank, int32_t visit,
    sw_image_bundle *out) {
    const double root = 0.28867513459481287 * sqrt(p.cell_variance); // 1/√12
    const double cell_h = root / ((double)p.n1 * p.scale[0]), cell_k = root / ((double)p.n2 * p.scale[1]);
    double total = 0;
    for (int mode = 0; mode < p.mode_count; mode++) total += seen.intensity[mode];
    int count = 0;
    double intensity = 0, energy = 0, energy2 = 0, velocity_h = 0, velocity_k = 0;
    for (int mode = 0; mode <= p.mode_count; mode++) {
        const bool ends = mode == p.mode_count;
        const double x = ends ? 0 : seen.intensity[mode];
        if (!ends && !(x > 1e-9 * total)) continue;
        if (intensity > 0
            && (ends || fabs(seen.energy[mode] - energy / intensity) > s.merge_width
                || fabs(seen.velocity_h[mode] - velocity_h / intensity) * cell_h > s.merge_width
                || fabs(seen.velocity_k[mode] - velocity_k / intensity) * cell_k > s.merge_width)) {
            if (out && rank == 0) {
                const double mean = energy / intensity;
                out[count] = {intensity, mean, velocity_h / intensity, velocity_k / intensity,
                    fmax(energy2 / intensity - mean * mean, 0.0), visit, 0};
            }
            count++;
            intensity = energy = energy2 = velocity_h = velocity_k = 0;
        }
        if (ends) break;
        intensity += x;
        energy += x * seen.energy[mode];
        energy2 += x * (seen.energy[mode] * seen.energy[mode] + seen.layer_spread[mode]);
        velocity_h += x * seen.velocity_h[mode];
        velocity_k += x * seen.velocity_k[mode];
    }
    return count;
}

#endif
