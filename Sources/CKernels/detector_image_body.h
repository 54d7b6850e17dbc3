// The kernel of detector_image.c, included once per instruction set with NAME(x) giving each copy its own names.

#include "vectors.h"

#include "detector_image_deposit.h"
#include "detector_image_visit.h"
#include "detector_image_packets.h"

// Whether any domain puts the own position (h, k), in image r.l.u., on the image or within its margin.
INLINE int NAME(covered)(const sw_image_problem *p, double h, double k, double margin_h, double margin_k) {
    for (int64_t twin = 0; twin < p->twin_count; twin++) {
        const double *m = p->twins[twin].map;
        const double x = m[0] * h + m[1] * k - p->h_edge, y = m[2] * h + m[3] * k - p->k_edge;
        if (x > -margin_h && x < (double)p->h_count * p->h_step + margin_h && y > -margin_k
            && y < (double)p->k_count * p->k_step + margin_k)
            return 1;
    }
    return 0;
}

// Returns 0 when a mode that is present has a velocity or amplitude that is not finite.
static int NAME(detector_image)(const sw_image_problem *p, double *scratch, float *out) {
    const int64_t modes = p->mode_count, sites = p->site_count, padded = (modes + 7) / 8 * 8;
    const int64_t pitch = p->k_count + 8;
    const int64_t plane = p->bin_count * p->h_count * pitch;
    double *image = scratch;
    double *energies = image + p->twin_count * p->setting_count * plane;
    double *velocities = energies + padded;
    double *amplitudes = velocities + 3 * padded;
    double *sums = amplitudes + 4 * sites * padded;
    double *work = sums + 6 * p->group_count * padded;
    memset(image, 0, sizeof(double) * (size_t)(p->twin_count * p->setting_count * plane));

    double margin_h = 0, margin_k = 0;
    for (int64_t i = 0; i < p->setting_count; i++) {
        margin_h = fmax(margin_h, p->settings[i].largest_sigma_h);
        margin_k = fmax(margin_k, p->settings[i].largest_sigma_k);
    }
    const double cell_h = 1 / ((double)p->n1 * p->scale[0]), cell_k = 1 / ((double)p->n2 * p->scale[1]);
    double spread_h = 0, spread_k = 0;
    for (int64_t i = 0; i < p->twin_count; i++) {
        const double *m = p->twins[i].map;
        spread_h = fmax(spread_h, (m[0] * m[0] * cell_h * cell_h + m[1] * m[1] * cell_k * cell_k) / 12);
        spread_k = fmax(spread_k, (m[2] * m[2] * cell_h * cell_h + m[3] * m[3] * cell_k * cell_k) / 12);
    }
    margin_h = SW_REACH * sqrt(margin_h * margin_h + spread_h * p->cell_variance);
    margin_k = SW_REACH * sqrt(margin_k * margin_k + spread_k * p->cell_variance);

    for (int64_t i1 = 0; i1 < p->n1; i1++)
        for (int64_t i2 = 0; i2 < p->n2; i2++)
            for (int64_t i3 = 0; i3 < p->n3; i3++) {
                const int64_t q = (i1 * p->n2 + i2) * p->n3 + i3;
                // modes into lanes; x · 0 is 0 only for finite x
                double poison = 0;
                for (int64_t mode = 0; mode < padded; mode++) {
                    const double e = mode < modes ? p->energies[q * modes + mode] : -1;
                    const int present = e > 0 && e < 1e6;
                    energies[mode] = present ? e : -1;
                    for (int d = 0; d < 3; d++)
                        velocities[d * padded + mode] = present
                            ? (double)p->velocities[(q * modes + mode) * 3 + d] * (d < 2 ? p->scale[d] : 1) : 0;
                    for (int64_t x = 0; x < 4 * sites; x++)
                        amplitudes[x * padded + mode] =
                            present ? (double)p->amplitudes[(q * modes + mode) * 4 * sites + x] : 0;
                }
                for (int64_t x = 0; x < (3 + 4 * sites) * padded; x++) poison += velocities[x] * 0;
                if (poison != 0) return 0;
                const double f1 = (double)i1 / (double)p->n1, f2 = (double)i2 / (double)p->n2;
                const int64_t first1 = (int64_t)ceil(p->h_range[0] - f1), last1 = (int64_t)floor(p->h_range[1] - f1);
                const int64_t first2 = (int64_t)ceil(p->k_range[0] - f2), last2 = (int64_t)floor(p->k_range[1] - f2);
                for (int64_t z1 = first1; z1 <= last1; z1++)
                    for (int64_t z2 = first2; z2 <= last2; z2++) {
                        const double h = f1 + (double)z1, k = f2 + (double)z2;
                        if (!NAME(covered)(p, h / p->scale[0], k / p->scale[1], margin_h, margin_k)) continue;
                        memset(sums, 0, sizeof(double) * (size_t)(6 * p->group_count * padded));
                        for (int64_t site = 0; site < sites; site++) {
                            const sw_image_site *x = p->sites + site;
                            const double angle = -6.283185307179586 * (h * x->position[0] + k * x->position[1]);
                            const v8 cosine = splat(cos(angle)), sine = splat(sin(angle));
                            for (int c = 0; c < 2; c++) {
                                const double *frame = x->frame + 3 * c;
                                const double *source = amplitudes + (site * 2 + c) * 2 * padded;
                                double *target = sums + x->group * 6 * padded;
                                for (int64_t mode = 0; mode < padded; mode += 8) {
                                    const v8 re = load(source + mode), im = load(source + padded + mode);
                                    const v8 a = cosine * re - sine * im, b = cosine * im + sine * re;
                                    for (int axis = 0; axis < 3; axis++) {
                                        if (frame[axis] == 0) continue;
                                        double *t = target + 2 * axis * padded + mode;
                                        store(t, load(t) + splat(frame[axis]) * a);
                                        store(t + padded, load(t + padded) + splat(frame[axis]) * b);
                                    }
                                }
                            }
                        }
                        NAME(visit)(
                            p, h, k, (double)i3 / (double)p->n3, energies, velocities, sums, work, image, pitch);
                    }
            }

    const int64_t rows = p->setting_count * p->h_count, columns = p->bin_count * p->k_count;
    for (int64_t twin = 0; twin < p->twin_count; twin++)
        for (int64_t setting = 0; setting < p->setting_count; setting++)
            for (int64_t row = 0; row < p->h_count; row++)
                for (int64_t bin = 0; bin < p->bin_count; bin++) {
                    const double *source = image + (twin * p->setting_count + setting) * plane
                        + (bin * p->h_count + (p->h_count - 1 - row)) * pitch;
                    float *target =
                        out + (twin * rows + setting * p->h_count + row) * columns + bin * p->k_count;
                    const double factor = p->settings[setting].output_factor;
                    for (int64_t k = 0; k < p->k_count; k++) target[k] = (float)(source[k] * factor);
                }
    return 1;
}

// For the tests of its accuracy.
static __attribute__((unused)) double NAME(one_cdf)(double x) {
    const v8 y = cdf(splat(x));
    return y[0];
}

#undef v8
#undef i8
#undef splat
#undef load
#undef store
#undef vmin
#undef vmax
#undef vsqrt
#undef where
#undef vexp
#undef turn
#undef cdf
#undef next
#undef cut
#undef pieces
#undef packet
#undef bundle
#undef INLINE
