// All that one grid point in one zone gives to the image; part of detector_image_body.h.

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

// Into how many parts a cell is cut along one side, (x, y, E) = side: |L⁻¹ side| is its length in standard deviations.
INLINE int64_t NAME(parts)(const double *six, double x, double y, double e, double finest) {
    const double l11 = sqrt(six[0]), l21 = six[1] / l11, l22 = sqrt(fmax(six[2] - l21 * l21, 1e-14 * six[2]));
    const double l31 = six[3] / l11, l32 = (six[4] - l31 * l21) / l22;
    const double l33 = sqrt(fmax(six[5] - l31 * l31 - l32 * l32, 1e-10 * six[5]));
    const double z1 = x / l11, z2 = (y - l21 * z1) / l22, z3 = (e - l31 * z1 - l32 * z2) / l33;
    return (int64_t)fmin(fmax(ceil(sqrt(z1 * z1 + z2 * z2 + z3 * z3) / finest), 1), 64);
}

static void NAME(flush)(
    const sw_image_problem *restrict p, const sw_image_setting *restrict s, int64_t setting, const bundle *restrict b,
    double h, double k, double *restrict image, int64_t pitch)
{
    const double energy = b->energy / b->intensity;
    const double velocity[2] = {b->velocity_h / b->intensity, b->velocity_k / b->intensity};
    const double spread = fmax(b->energy2 / b->intensity - energy * energy, 0);
    const double cell_h = 1 / ((double)p->n1 * p->scale[0]), cell_k = 1 / ((double)p->n2 * p->scale[1]);
    const double cell[2] = {cell_h * cell_h / 12 * p->cell_variance, cell_k * cell_k / 12 * p->cell_variance};
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
        double *target = image + (twin * p->setting_count + setting) * plane;
        if (p->finest > 0) {
            const double wide_h = sqrt(12 * cell[0]), wide_k = sqrt(12 * cell[1]);
            six[5] += spread;
            const int64_t parts_h =
                NAME(parts)(six, m[0] * wide_h, m[2] * wide_h, velocity[0] * wide_h, p->finest);
            const int64_t parts_k =
                NAME(parts)(six, m[1] * wide_k, m[3] * wide_k, velocity[1] * wide_k, p->finest);
            if (parts_h * parts_k > 1) {
                const double small[2] = {
                    cell[0] / (double)(parts_h * parts_h), cell[1] / (double)(parts_k * parts_k)};
                const double lean_h = small[0] * velocity[0], lean_k = small[1] * velocity[1];
                g.covariance[0] = six[0] + m[0] * m[0] * small[0] + m[1] * m[1] * small[1];
                g.covariance[1] = six[1] + m[0] * m[2] * small[0] + m[1] * m[3] * small[1];
                g.covariance[2] = six[2] + m[2] * m[2] * small[0] + m[3] * m[3] * small[1];
                g.covariance[3] = six[3] + m[0] * lean_h + m[1] * lean_k;
                g.covariance[4] = six[4] + m[2] * lean_h + m[3] * lean_k;
                g.covariance[5] = six[5] + velocity[0] * lean_h + velocity[1] * lean_k;
                g.intensity /= (double)(parts_h * parts_k);
                for (int64_t i = 0; i < parts_h; i++)
                    for (int64_t j = 0; j < parts_k; j++) {
                        const double dh = (((double)i + 0.5) / (double)parts_h - 0.5) * wide_h;
                        const double dk = (((double)j + 0.5) / (double)parts_k - 0.5) * wide_k;
                        g.h = m[0] * (h + dh) + m[1] * (k + dk);
                        g.k = m[2] * (h + dh) + m[3] * (k + dk);
                        g.energy = energy + velocity[0] * dh + velocity[1] * dk;
                        NAME(deposit)(p, s, &g, target, pitch);
                    }
                continue;
            }
        }
        NAME(deposit)(p, s, &g, target, pitch);
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
    const double root = 0.28867513459481287 * sqrt(p->cell_variance);  // 1/√12
    const double neutron = SW_NEUTRON_ENERGY;
    const int disperses = p->n3 > 1;
    const double l_step = 1 / (double)p->n3;
    double *intensity = work, *energy = work + padded, *velocity_h = work + 2 * padded;
    double *velocity_k = work + 3 * padded, *layer_spread = work + 4 * padded;
    const int turns = p->layer_count > 0;
    for (int64_t setting = 0; setting < p->setting_count; setting++) {
        const sw_image_setting *s = p->settings + setting;
        const double ki = s->incident_wavevector;
        const double top = s->first_bin_edge + (double)p->bin_count * s->bin_width;
        int64_t zone = 0, last_zone = 0;
        if (turns) {
            zone = disperses ? (int64_t)floor(p->layer_low - l_of_grid - l_step) : 0;
            last_zone = disperses ? (int64_t)ceil(p->layer_high - l_of_grid + l_step) : p->layer_count - 1;
        } else if (disperses) {
            // l along this setting's path from the elastic line to where it ends, and the grid points about it.
            const double longest = ki / p->reciprocal[2];
            zone = (int64_t)floor(-2 - l_of_grid);
            last_zone = (int64_t)ceil(longest + 2 - l_of_grid);
        }
        for (; zone <= last_zone; zone++) {
            int any = 0;
            // Of a crystal that turns: the part of the grid cell along l, or the layer, that counts.
            double layer = 0, layer_offset = 0, layer_share = 1, layer_width = 0;
            if (turns && disperses) {
                const double centre = l_of_grid + (double)zone;
                const double low = fmax(p->layer_low, centre - l_step / 2), high = fmin(p->layer_high, centre + l_step / 2);
                if (!(high > low)) continue;
                layer = (low + high) / 2;
                layer_offset = layer - centre;
                layer_width = high - low;
                layer_share = layer_width / (p->layer_high - p->layer_low);
            } else if (turns) {
                layer = p->layer_low
                    + ((double)zone + 0.5) * (p->layer_high - p->layer_low) / (double)p->layer_count;
                layer_share = 1 / (double)p->layer_count;
            }
            for (int64_t mode = 0; mode < padded; mode += 8) {
                v8 e = load(energies + mode);
                v8 vh = load(velocities + mode), vk = load(velocities + padded + mode);
                v8 slack = splat(SW_REACH) * vsqrt(
                    splat(s->largest_sigma_energy * s->largest_sigma_energy)
                    + vh * vh * splat(cell_h * cell_h / 12 * p->cell_variance)
                    + vk * vk * splat(cell_k * cell_k / 12 * p->cell_variance));
                // The crossing of path and mode may lie up to a step along l from the grid point.
                if (disperses)
                    slack += __builtin_elementwise_abs(load(velocities + 2 * padded + mode)) * splat(l_step);
                i8 inside = (e + slack > splat(s->first_bin_edge)) & (e - slack < splat(top)) & (e > splat(0));
                v8 weight = splat(layer_share), extra = splat(0), kz = splat(1), l = splat(layer);
                if (turns) {
                    if (disperses) {
                        const v8 vl = load(velocities + 2 * padded + mode);
                        e += vl * splat(layer_offset);
                        extra = vl * vl * splat(layer_width * layer_width / 12);
                        inside &= e > splat(0);
                    }
                    // |ki − kf| <= |Q| <= ki + kf
                    const double qz = layer * p->reciprocal[2], square = ki * ki - in_plane - qz * qz;
                    const v8 kf2 = (splat(s->incident_energy) - e) * splat(1 / neutron);
                    inside &= kf2 > splat(1e-9);
                    inside &= __builtin_elementwise_abs(splat(square) + kf2)
                        <= splat(2 * ki) * vsqrt(vmax(kf2, splat(1e-9)));
                } else {
                    const v8 z2 = (splat(s->incident_energy) - e) * splat(1 / neutron) - splat(in_plane);
                    inside &= z2 > splat(1e-9);
                    kz = vsqrt(vmax(z2, splat(1e-9)));
                    l = (splat(ki) - kz) * splat(1 / p->reciprocal[2]);
                }
                if (disperses && !turns) {
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
                    inside &= e > splat(0);
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
                store(layer_spread + mode, extra);
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
                b.energy2 += x * (energy[mode] * energy[mode] + layer_spread[mode]);
                b.velocity_h += x * velocity_h[mode];
                b.velocity_k += x * velocity_k[mode];
            }
            if (b.intensity > 0) NAME(flush)(p, s, setting, &b, image_h, image_k, image, pitch);
        }
    }
}
