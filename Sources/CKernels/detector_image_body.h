// The kernel of detector_image.c, written on vectors of eight doubles and included once per instruction set with
// NAME(x) giving each copy its own function names. Lanes are modes while intensities are computed, and neighbouring
// pixels while they are deposited.

typedef double NAME(v8) __attribute__((vector_size(64), aligned(8)));
typedef int64_t NAME(i8) __attribute__((vector_size(64), aligned(8)));
#define v8 NAME(v8)
#define i8 NAME(i8)
#define INLINE static inline __attribute__((always_inline))

INLINE v8 NAME(splat)(double x) { return (v8){x, x, x, x, x, x, x, x}; }
INLINE v8 NAME(load)(const double *p) { return *(const v8 *)p; }
INLINE void NAME(store)(double *p, v8 x) { *(v8 *)p = x; }
INLINE v8 NAME(vmin)(v8 a, v8 b) { return __builtin_elementwise_min(a, b); }
INLINE v8 NAME(vmax)(v8 a, v8 b) { return __builtin_elementwise_max(a, b); }
INLINE v8 NAME(vsqrt)(v8 a) { return __builtin_elementwise_sqrt(a); }
// x where the mask is all ones, else 0.
INLINE v8 NAME(where)(i8 mask, v8 x) { return (v8)((i8)x & mask); }

#define splat NAME(splat)
#define load NAME(load)
#define store NAME(store)
#define vmin NAME(vmin)
#define vmax NAME(vmax)
#define vsqrt NAME(vsqrt)
#define where NAME(where)

// e^x, relative error below 1e-13: x = n ln 2 + r, |r| <= 0.35, Taylor to r^12. Clamped to |x| <= 700.
INLINE v8 NAME(vexp)(v8 x) {
    x = vmin(vmax(x, splat(-700)), splat(700));
    const v8 magic = splat(0x1.8p52);
    v8 shifted = x * splat(1.4426950408889634) + magic;
    v8 n = shifted - magic;
    v8 r = x - n * splat(0.6931471805599453);
    v8 p = splat(1.0 / 479001600);
    p = p * r + splat(1.0 / 39916800);
    p = p * r + splat(1.0 / 3628800);
    p = p * r + splat(1.0 / 362880);
    p = p * r + splat(1.0 / 40320);
    p = p * r + splat(1.0 / 5040);
    p = p * r + splat(1.0 / 720);
    p = p * r + splat(1.0 / 120);
    p = p * r + splat(1.0 / 24);
    p = p * r + splat(1.0 / 6);
    p = p * r + splat(0.5);
    p = p * r + splat(1);
    p = p * r + splat(1);
    // The low bits of `shifted` hold n: move them into the exponent.
    i8 power = ((i8)shifted - (i8)magic) << 52;
    return (v8)((i8)p + power);
}
#define vexp NAME(vexp)

// cos and sin of 2πx, absolute error below 1e-12: the half angle by Taylor, then doubled.
INLINE void NAME(turn)(v8 x, v8 *cosine, v8 *sine) {
    const v8 magic = splat(0x1.8p52);
    v8 n = (x + magic) - magic;
    v8 y = (x - n) * splat(3.141592653589793);
    v8 s = y * y;
    v8 a = splat(1.0 / 355687428096000);
    a = a * s - splat(1.0 / 1307674368000);
    a = a * s + splat(1.0 / 6227020800);
    a = a * s - splat(1.0 / 39916800);
    a = a * s + splat(1.0 / 362880);
    a = a * s - splat(1.0 / 5040);
    a = a * s + splat(1.0 / 120);
    a = a * s - splat(1.0 / 6);
    a = a * s * y + y;
    v8 b = splat(1.0 / 20922789888000);
    b = b * s - splat(1.0 / 87178291200);
    b = b * s + splat(1.0 / 479001600);
    b = b * s - splat(1.0 / 3628800);
    b = b * s + splat(1.0 / 40320);
    b = b * s - splat(1.0 / 720);
    b = b * s + splat(1.0 / 24);
    b = b * s - splat(0.5);
    b = b * s + splat(1);
    *sine = splat(2) * a * b;
    *cosine = splat(1) - splat(2) * a * a;
}
#define turn NAME(turn)

// Normal distribution function: 1/2 + u P(u²), u = x/5.6 clamped to ±1; P fitted by Chebyshev interpolation and scaled
// so that the ends are 0 and 1. Absolute error 1.2e-8.
INLINE v8 NAME(cdf)(v8 x) {
    v8 u = vmin(vmax(x * splat(1.0 / 5.6), splat(-1)), splat(1));
    v8 s = u * u;
    // Estrin's scheme: the additions wait for each other less than in Horner's.
    const v8 s2 = s * s, s4 = s2 * s2, s8 = s4 * s4;
    v8 p0 = (splat(-205.0220955846573) * s + splat(54.926187503751066)) * s2 + (splat(-11.676753416395352) * s + splat(2.234076710042206));
    v8 p1 = (splat(-6566.070668699562) * s + splat(3488.697713771728)) * s2 + (splat(-1596.4574546568579) * s + splat(624.51317635973));
    v8 p2 = (splat(-14946.993456311044) * s + splat(16394.8214317088)) * s2 + (splat(-14488.47441902137) * s + splat(10603.09219033168));
    v8 p3 = (splat(-473.35688198873925) * s + splat(2070.865107358839)) * s2 + (splat(-5614.518218524541) * s + splat(10613.578220043155));
    v8 p = ((p3 * s4 + p2) * s8 + (p1 * s4 + p0)) + s8 * s8 * splat(50.34184441544103);
    return p * u + splat(0.5);
}
#define cdf NAME(cdf)

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
    const double reach = 5.6;
    // bins
    const double low = (g->energy - reach * sigma_energy - s->first_bin_edge) / s->bin_width;
    const double high = (g->energy + reach * sigma_energy - s->first_bin_edge) / s->bin_width;
    if (!(high > 0) || !(low < (double)p->bin_count)) return;
    const int64_t first_bin = low <= 0 ? 0 : (int64_t)low;
    const int64_t last_bin = high >= (double)p->bin_count ? p->bin_count - 1 : (int64_t)high;
    // pixels
    const double h_low = (g->h - reach * sigma_h - p->h_edge) / p->h_step;
    const double h_high = (g->h + reach * sigma_h - p->h_edge) / p->h_step;
    const double k_low = (g->k - reach * sigma_k - p->k_edge) / p->k_step;
    const double k_high = (g->k + reach * sigma_k - p->k_edge) / p->k_step;
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
        for (int64_t row = row0; row <= last_h && row < row0 + 7; row++) {
            const double row_probability = rows.probability[row - row0];
            if (row_probability < 1e-10) continue;
            const double row_shift = rows.mean[row - row0] - g->h;
            const double row_variance = rows.variance[row - row0];
            const double k_mean = g->k + slope * row_shift;
            const double k_variance = k_given_h + slope * slope * row_variance;
            const double k_sigma = sqrt(k_variance);
            // h within this row still leans on k: its regression and what is left of its variance.
            const double lean = slope * row_variance / k_variance;
            const double rest = row_variance - lean * slope * row_variance;
            const double tilt = energy_h * lean + energy_k;
            const double energy_mean = g->energy + energy_h * row_shift + energy_k * (k_mean - g->k);
            const double energy_rest = energy_given + energy_h * energy_h * rest;
            const v8 row_weight = splat(row_probability * g->intensity);
            for (int64_t column = first_k; column <= last_k; column += 7) {
                const pieces cells = cut(
                    splat(p->k_edge + (double)column * p->k_step) + ramp * splat(p->k_step), splat(k_mean),
                    splat(k_sigma), splat(1 / k_sigma));
                v8 weight = row_weight * cells.probability;
                weight[7] = 0;
                const v8 mean = splat(energy_mean) + splat(tilt) * (cells.mean - splat(k_mean));
                const v8 inverse = splat(1) / vsqrt(splat(energy_rest) + splat(tilt * tilt) * cells.variance);
                double *target = image + ((first_bin * p->h_count + row) * pitch + column);
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

// Trilinear interpolation of the six covariances.
INLINE v8 NAME(covariance)(const sw_image_setting *s, double h, double k, double energy) {
    double x = fmin(fmax((h - s->h_origin) * s->h_per_step, 0), (double)(s->table_h - 1));
    double y = fmin(fmax((k - s->k_origin) * s->k_per_step, 0), (double)(s->table_k - 1));
    double z = fmin(fmax((energy - s->energy_origin) * s->energy_per_step, 0), (double)(s->table_energy - 1));
    int64_t i = (int64_t)fmin(x, (double)(s->table_h - 2)), j = (int64_t)fmin(y, (double)(s->table_k - 2));
    int64_t l = (int64_t)fmin(z, (double)(s->table_energy - 2));
    x -= (double)i;
    y -= (double)j;
    z -= (double)l;
    const int64_t dk = s->table_h * 8, de = s->table_h * s->table_k * 8;
    const double *t = s->table + l * de + j * dk + i * 8;
    v8 a = load(t) * splat(1 - x) + load(t + 8) * splat(x);
    v8 b = load(t + dk) * splat(1 - x) + load(t + dk + 8) * splat(x);
    v8 c = load(t + de) * splat(1 - x) + load(t + de + 8) * splat(x);
    v8 d = load(t + de + dk) * splat(1 - x) + load(t + de + dk + 8) * splat(x);
    return (a * splat(1 - y) + b * splat(y)) * splat(1 - z) + (c * splat(1 - y) + d * splat(y)) * splat(z);
}

// Modes of one point that are closer than the resolution can tell, as one packet with their mean and spread.
typedef struct {
    double intensity, energy, energy2, velocity_h, velocity_k;
} NAME(bundle);
#define bundle NAME(bundle)

static void NAME(flush)(
    const sw_image_problem *restrict p, const sw_image_setting *restrict s, int64_t setting, const bundle *restrict b,
    double h, double k, double *restrict image, int64_t pitch)
{
    const double energy = b->energy / b->intensity;
    const double velocity[2] = {b->velocity_h / b->intensity, b->velocity_k / b->intensity};
    const double spread = fmax(b->energy2 / b->intensity - energy * energy, 0);
    const double cell_h = 1 / ((double)p->n1 * p->scale[0]), cell_k = 1 / ((double)p->n2 * p->scale[1]);
    const double cell[2] = {cell_h * cell_h / 12, cell_k * cell_k / 12};
    const int64_t plane = p->bin_count * p->h_count * pitch;
    for (int64_t twin = 0; twin < p->twin_count; twin++) {
        const double *m = p->twins[twin].map;
        packet g;
        g.h = m[0] * h + m[1] * k;
        g.k = m[2] * h + m[3] * k;
        g.energy = energy;
        g.intensity = b->intensity * p->weight;
        double six[8];
        store(six, NAME(covariance)(s, g.h, g.k, energy));
        const double steep_h = cell[0] * velocity[0], steep_k = cell[1] * velocity[1];
        g.covariance[0] = six[0] + m[0] * m[0] * cell[0] + m[1] * m[1] * cell[1];
        g.covariance[1] = six[1] + m[0] * m[2] * cell[0] + m[1] * m[3] * cell[1];
        g.covariance[2] = six[2] + m[2] * m[2] * cell[0] + m[3] * m[3] * cell[1];
        g.covariance[3] = six[3] + m[0] * steep_h + m[1] * steep_k;
        g.covariance[4] = six[4] + m[2] * steep_h + m[3] * steep_k;
        g.covariance[5] = six[5] + velocity[0] * steep_h + velocity[1] * steep_k + spread;
        NAME(deposit)(p, s, &g, image + (twin * p->setting_count + setting) * plane, pitch);
    }
}

// One (h, k) of a domain's own plane, magnetic r.l.u.: every setting, every mode.
static void NAME(visit)(
    const sw_image_problem *restrict p, double h, double k, double l_of_grid, const double *restrict energies,
    const double *restrict velocities, const double *restrict sums, double *restrict work, double *restrict image,
    int64_t pitch)
{
    const int64_t padded = (p->mode_count + 7) / 8 * 8;
    const double qx = h * p->reciprocal[0], qy = k * p->reciprocal[1], in_plane = qx * qx + qy * qy;
    const double image_h = h / p->scale[0], image_k = k / p->scale[1];
    const double cell_h = 1 / ((double)p->n1 * p->scale[0]), cell_k = 1 / ((double)p->n2 * p->scale[1]);
    const double root = 0.28867513459481287;  // 1/√12
    const double neutron = SW_NEUTRON_ENERGY;
    const int disperses = p->n3 > 1;
    const double l_step = 1 / (double)p->n3;
    double *intensity = work, *energy = work + padded, *velocity_h = work + 2 * padded;
    double *velocity_k = work + 3 * padded;
    for (int64_t setting = 0; setting < p->setting_count; setting++) {
        const sw_image_setting *s = p->settings + setting;
        const double ki = s->incident_wavevector;
        const double top = s->first_bin_edge + (double)p->bin_count * s->bin_width;
        int64_t zone = 0, last_zone = 0;
        if (disperses) {
            // l along this setting's path from the elastic line to where it ends, and the grid points about it.
            const double longest = ki / p->reciprocal[2];
            zone = (int64_t)floor(-2 - l_of_grid);
            last_zone = (int64_t)ceil(longest + 2 - l_of_grid);
        }
        for (; zone <= last_zone; zone++) {
            int any = 0;
            for (int64_t mode = 0; mode < padded; mode += 8) {
                v8 e = load(energies + mode);
                v8 vh = load(velocities + mode), vk = load(velocities + padded + mode);
                const v8 slack = splat(5.6) * vsqrt(
                    splat(s->largest_sigma_energy * s->largest_sigma_energy)
                    + vh * vh * splat(cell_h * cell_h / 12) + vk * vk * splat(cell_k * cell_k / 12));
                i8 inside = (e + slack > splat(s->first_bin_edge)) & (e - slack < splat(top)) & (e > splat(0));
                v8 z2 = (splat(s->incident_energy) - e) * splat(1 / neutron) - splat(in_plane);
                inside &= z2 > splat(1e-9);
                v8 weight = splat(1);
                v8 kz = vsqrt(vmax(z2, splat(1e-9)));
                v8 l = (splat(ki) - kz) * splat(1 / p->reciprocal[2]);
                if (disperses) {
                    // Where the path l(E) crosses the mode, linearised about the grid point: E = e + v δ,
                    // l(e) + l' v δ = l_grid + δ. Grid points share a crossing by linear interpolation.
                    v8 vl = load(velocities + 2 * padded + mode);
                    v8 path = splat(1 / (2 * neutron * p->reciprocal[2])) / kz;
                    v8 d = splat(1) - path * vl;
                    v8 size = vmax(__builtin_elementwise_abs(d), splat(0.05));
                    v8 sign = (v8)(((i8)d & (i8)splat(-0.0)) | (i8)splat(1));
                    v8 offset = (l - splat(l_of_grid + (double)zone)) / (size * sign);
                    weight = vmax(splat(1) - __builtin_elementwise_abs(offset) * splat((double)p->n3), splat(0)) / size;
                    inside &= weight > splat(0);
                    v8 inverse = splat(1) / (size * sign);
                    v8 pull = vl / (kz * splat(p->reciprocal[2]));
                    vh = (vh + pull * splat(qx * p->reciprocal[0] * p->scale[0])) * inverse;
                    vk = (vk + pull * splat(qy * p->reciprocal[1] * p->scale[1])) * inverse;
                    offset = vmin(vmax(offset, splat(-l_step)), splat(l_step));
                    l += path * vl * offset;
                    e += vl * offset;
                }
                if (__builtin_reduce_or(inside) == 0) {
                    store(intensity + mode, splat(0));
                    continue;
                }
                any = 1;
                const v8 qz = l * splat(p->reciprocal[2]);
                const v8 q2 = splat(in_plane) + qz * qz;
                const v8 s2 = q2 * splat(0.006332573977646111);  // 1/(16 π²)
                v8 f[6] = {splat(0), splat(0), splat(0), splat(0), splat(0), splat(0)};
                for (int64_t group = 0; group < p->group_count; group++) {
                    const double *c = p->form_factors + 7 * p->groups[group].ion;
                    const v8 form = splat(c[0]) * vexp(splat(-c[1]) * s2) + splat(c[2]) * vexp(splat(-c[3]) * s2)
                        + splat(c[4]) * vexp(splat(-c[5]) * s2) + splat(c[6]);
                    v8 cosine, sine;
                    turn(l * splat(-p->groups[group].z), &cosine, &sine);
                    cosine *= form;
                    sine *= form;
                    const double *sum = sums + group * 6 * padded + mode;
                    for (int a = 0; a < 3; a++) {
                        const v8 re = load(sum + (2 * a) * padded), im = load(sum + (2 * a + 1) * padded);
                        f[2 * a] += cosine * re - sine * im;
                        f[2 * a + 1] += cosine * im + sine * re;
                    }
                }
                const v8 re = splat(qx) * f[0] + splat(qy) * f[2] + qz * f[4];
                const v8 im = splat(qx) * f[1] + splat(qy) * f[3] + qz * f[5];
                v8 sperp = f[0] * f[0] + f[1] * f[1] + f[2] * f[2] + f[3] * f[3] + f[4] * f[4] + f[5] * f[5]
                    - (re * re + im * im) / vmax(q2, splat(1e-12));
                sperp = vmax(sperp, splat(0)) * weight;
                if (p->use_flux_ratio)
                    sperp *= vsqrt(vmax((splat(s->incident_energy) - e) * splat(1 / s->incident_energy), splat(0)));
                if (p->thermal_energy > 0)
                    sperp /= vmax(splat(1) - vexp(e * splat(-1 / p->thermal_energy)), splat(1e-12));
                store(intensity + mode, where(inside, sperp));
                store(energy + mode, e);
                store(velocity_h + mode, vh);
                store(velocity_k + mode, vk);
            }
            if (!any) continue;
            double total = 0;
            for (int64_t mode = 0; mode < p->mode_count; mode++) total += intensity[mode];
            bundle b = {0, 0, 0, 0, 0};
            for (int64_t mode = 0; mode < p->mode_count; mode++) {
                const double x = intensity[mode];
                if (!(x > 1e-9 * total)) continue;
                if (b.intensity > 0) {
                    const double apart = fabs(energy[mode] - b.energy / b.intensity);
                    const double turn_h = fabs(velocity_h[mode] - b.velocity_h / b.intensity) * cell_h * root;
                    const double turn_k = fabs(velocity_k[mode] - b.velocity_k / b.intensity) * cell_k * root;
                    if (apart > s->merge_width || turn_h > s->merge_width || turn_k > s->merge_width) {
                        NAME(flush)(p, s, setting, &b, image_h, image_k, image, pitch);
                        b = (bundle){0, 0, 0, 0, 0};
                    }
                }
                b.intensity += x;
                b.energy += x * energy[mode];
                b.energy2 += x * energy[mode] * energy[mode];
                b.velocity_h += x * velocity_h[mode];
                b.velocity_k += x * velocity_k[mode];
            }
            if (b.intensity > 0) NAME(flush)(p, s, setting, &b, image_h, image_k, image, pitch);
        }
    }
}

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
    const double cell = (cell_h * cell_h + cell_k * cell_k) / 12;
    margin_h = 5.6 * sqrt(margin_h * margin_h + cell);
    margin_k = 5.6 * sqrt(margin_k * margin_k + cell);

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
