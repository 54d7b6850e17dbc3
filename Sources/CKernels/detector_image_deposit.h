// One Gaussian onto the pixels and bins; part of detector_image_body.h.

INLINE v8 NAME(next)(v8 x) { return __builtin_shufflevector(x, x, 1, 2, 3, 4, 5, 6, 7, 7); }
#define next NAME(next)

// A normal distribution cut by seven pixels: probability, mean and variance within each. Lane 7 is not a pixel.
typedef struct {
    v8 probability, mean, variance;
} NAME(pieces);

INLINE NAME(pieces) NAME(cut)(v8 edges, v8 mean, v8 sigma, v8 inverse_sigma) {
    v8 z = (edges - mean) * inverse_sigma;
    v8 distribution = cdf(z);
    v8 density = vexp(splat(-0.5) * z * z) * splat(0.3989422804014327);
    v8 moment = density * vmin(vmax(z, splat(-37)), splat(37));
    v8 upper = next(edges);
    NAME(pieces) out;
    out.probability = vmax(next(distribution) - distribution, splat(0));
    v8 inverse = splat(1) / vmax(out.probability, splat(1e-12));
    v8 shift = (density - next(density)) * inverse;
    v8 spread = splat(1) + (moment - next(moment)) * inverse - shift * shift;
    // Far in the tails the quotients lose their digits: keep them within what a pixel allows.
    out.mean = vmin(vmax(mean + sigma * shift, edges), upper);
    v8 width = upper - edges;
    out.variance = vmin(vmax(sigma * sigma * spread, splat(0)), width * width * splat(1.0 / 12));
    return out;
}
#define cut NAME(cut)
#define pieces NAME(pieces)

typedef struct {
    double h, k, energy, intensity;
    double covariance[6];  // hh, hk, kk, hE, kE, EE
} NAME(packet);
#define packet NAME(packet)

// Adds one Gaussian to the padded image [bins][h_count][pitch] of a setting: P(h pixel), then k given the h pixel, then
// the energy bins given both.
static void NAME(deposit)(
    const sw_image_problem *restrict p, const sw_image_setting *restrict s, const packet *restrict g,
    double *restrict image, int64_t pitch)
{
    const double hh = g->covariance[0], hk = g->covariance[1], kk = g->covariance[2];
    const double sigma_h = sqrt(hh), sigma_k = sqrt(kk), sigma_energy = sqrt(g->covariance[5]);
    // bins
    const double low = (g->energy - SW_REACH * sigma_energy - s->first_bin_edge) / s->bin_width;
    const double high = (g->energy + SW_REACH * sigma_energy - s->first_bin_edge) / s->bin_width;
    if (!(high > 0) || !(low < (double)p->bin_count)) return;
    const int64_t first_bin = low <= 0 ? 0 : (int64_t)low;
    const int64_t last_bin = high >= (double)p->bin_count ? p->bin_count - 1 : (int64_t)high;
    // pixels
    const double h_low = (g->h - SW_REACH * sigma_h - p->h_edge) / p->h_step;
    const double h_high = (g->h + SW_REACH * sigma_h - p->h_edge) / p->h_step;
    const double k_low = (g->k - SW_REACH * sigma_k - p->k_edge) / p->k_step;
    const double k_high = (g->k + SW_REACH * sigma_k - p->k_edge) / p->k_step;
    if (!(h_high > 0) || !(h_low < (double)p->h_count) || !(k_high > 0) || !(k_low < (double)p->k_count)) return;
    const int64_t first_h = h_low <= 0 ? 0 : (int64_t)h_low;
    const int64_t last_h = h_high >= (double)p->h_count ? p->h_count - 1 : (int64_t)h_high;
    const int64_t first_k = k_low <= 0 ? 0 : (int64_t)k_low;
    const int64_t last_k = k_high >= (double)p->k_count ? p->k_count - 1 : (int64_t)k_high;

    // k given h, and energy given (h, k)
    const double slope = hk / hh;
    const double k_given_h = fmax(kk - slope * hk, 1e-14 * kk);
    const double energy_k = (g->covariance[4] - slope * g->covariance[3]) / k_given_h;
    const double energy_h = (g->covariance[3] - energy_k * hk) / hh;
    const double energy_given = fmax(
        g->covariance[5] - energy_h * g->covariance[3] - energy_k * g->covariance[4], 1e-10 * g->covariance[5]);

    const v8 ramp = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int64_t row0 = first_h; row0 <= last_h; row0 += 7) {
        const pieces rows = cut(
            splat(p->h_edge + (double)row0 * p->h_step) + ramp * splat(p->h_step), splat(g->h), splat(sigma_h),
            splat(1 / sigma_h));
        // Of each row: where k and the energy lie and how wide, given that h is in it.
        const v8 row_shift = rows.mean - splat(g->h);
        const v8 k_means = splat(g->k) + splat(slope) * row_shift;
        const v8 k_variance = splat(k_given_h) + splat(slope * slope) * rows.variance;
        const v8 k_sigmas = vsqrt(k_variance), k_inverses = splat(1) / k_sigmas;
        // h within a row still leans on k: its regression and what is left of its variance.
        const v8 lean = splat(slope) * rows.variance / k_variance;
        const v8 rest = rows.variance - lean * splat(slope) * rows.variance;
        const v8 tilts = splat(energy_h) * lean + splat(energy_k);
        const v8 energy_means =
            splat(g->energy) + splat(energy_h) * row_shift + splat(energy_k) * (k_means - splat(g->k));
        const v8 energy_rests = splat(energy_given) + splat(energy_h * energy_h) * rest;
        const v8 row_weights = rows.probability * splat(g->intensity);
        const int64_t row_count = last_h - row0 < 6 ? last_h - row0 + 1 : 7;
        for (int64_t column = first_k; column <= last_k; column += 7) {
            // Rows wait for each other nowhere: two short loops keep more of them in flight than a long one.
            v8 weights[7], means[7], inverses[7];
            const v8 edges = splat(p->k_edge + (double)column * p->k_step) + ramp * splat(p->k_step);
            for (int64_t i = 0; i < row_count; i++) {
                const v8 k_mean = splat(k_means[i]), tilt = splat(tilts[i]);
                const pieces cells = cut(edges, k_mean, splat(k_sigmas[i]), splat(k_inverses[i]));
                weights[i] = splat(row_weights[i]) * cells.probability;
                weights[i][7] = 0;
                means[i] = splat(energy_means[i]) + tilt * (cells.mean - k_mean);
                inverses[i] = splat(1) / vsqrt(splat(energy_rests[i]) + tilt * tilt * cells.variance);
            }
            for (int64_t i = 0; i < row_count; i++) {
                if (rows.probability[i] < 1e-10) continue;
                double *target = image + ((first_bin * p->h_count + row0 + i) * pitch + column);
                const v8 weight = weights[i], mean = means[i], inverse = inverses[i];
                v8 below = cdf((splat(s->first_bin_edge + (double)first_bin * s->bin_width) - mean) * inverse);
                for (int64_t bin = first_bin; bin <= last_bin; bin++) {
                    const v8 above =
                        cdf((splat(s->first_bin_edge + (double)(bin + 1) * s->bin_width) - mean) * inverse);
                    store(target, load(target) + weight * (above - below));
                    below = above;
                    target += p->h_count * pitch;
                }
            }
        }
    }
}
