// Detector images of many samples: the kernel of ../detector_image.h for a device.
//
//     sw_image_see        a warp a visit and sample: how many bundles of modes each setting sees
//     sw_image_place      a block a sample and setting: where each visit's bundles begin
//     sw_image_see        again, with room for them: writes them
//     sw_image_spread     a thread a bundle and domain: into how many parts its cell is cut, where cells are cut at all
//     sw_image_order      a block a sample, setting and domain: where the parts of each bundle begin
//     sw_image_spread     with room for them: a bundle's Gaussian, or those of its parts
//     sw_image_deposit    a block a row of an image: gathers what reaches it
//
// What is counted and what is written must be the same: one kernel does both, because in two the compiler might contract the same
// arithmetic in two ways.
//
// A pixel belongs to one thread, which adds in the order of visits and modes: no atomics, the same bits every time, and the
// order of the host's kernel.
#include "detector_image_visit.cuh"

// 2 · sites + 5 · modes doubles of shared memory a warp, an even number of them. Counts where `bundles` is null.
SW_KERNEL __launch_bounds__(128, 3) sw_image_see(const sw_image_device_problem d) {
    SW_DYNAMIC_SHARED(double, shared);
    const bool writes = d.bundles != nullptr;
    const sw_image_problem &p = d.image;
    const int64_t warp = threadIdx.x / 32, number = blockIdx.x * (blockDim.x / 32) + warp, sample = blockIdx.y;
    if (number >= d.visit_count) return;
    const Lanes<32> team(nullptr);
    const int modes = (int)p.mode_count;
    double *room = shared + warp * ((5 * modes + 2 * p.site_count + 1) / 2 * 2);
    Complex *phases = reinterpret_cast<Complex *>(room);
    double *lines = room + 2 * p.site_count;
    const SeenModes seen = {lines, lines + modes, lines + 2 * modes, lines + 3 * modes, lines + 4 * modes};
    const sw_image_visit place = d.visits[number];
    const int64_t points = p.n1 * p.n2 * p.n3, first = (sample * points + place.q) * modes;
    const Visit v = {
        place.h, place.k, place.l, p.energies + first, p.velocities + 3 * first, p.amplitudes + 4 * p.site_count * first,
        phases, d.site_order};
    for (int64_t site = team.rank; site < p.site_count; site += 32) {
        const double *x = p.sites[site].position;
        const double angle = -6.283185307179586 * (v.h * x[0] + v.k * x[1]);
        phases[site] = {cos(angle), sin(angle)};
    }
    if (!writes) {
        // x · 0 is 0 only for finite x
        double poison = 0;
        for (int mode = team.rank; mode < modes; mode += 32) {
            if (!(v.energies[mode] > 0 && v.energies[mode] < 1e6)) continue;
            for (int axis = 0; axis < 3; axis++) poison += v.velocities[3 * mode + axis] * 0.0;
            for (int64_t x = 0; x < 4 * p.site_count; x++) poison += v.amplitudes[4 * p.site_count * mode + x] * 0.0;
        }
        if (poison != 0) atomicOr(d.faults + sample, 1u);
    }
    const bool disperses = p.n3 > 1, turns = p.layer_count > 0;
    const double l_step = 1 / (double)p.n3;
    for (int64_t setting = 0; setting < p.setting_count; setting++) {
        const sw_image_setting &s = p.settings[setting];
        const int64_t cell = (sample * p.setting_count + setting) * d.visit_count + number;
        sw_image_bundle *out =
            writes ? d.bundles + d.bases[sample * p.setting_count + setting] + d.counts[cell] : nullptr;
        int64_t zone = 0, last_zone = 0, count = 0;
        if (turns) {
            zone = disperses ? (int64_t)floor(p.layer_low - v.l - l_step) : 0;
            last_zone = disperses ? (int64_t)ceil(p.layer_high - v.l + l_step) : p.layer_count - 1;
        } else if (disperses) {
            // l along this setting's path from the elastic line to where it ends, and the grid points about it.
            zone = (int64_t)floor(-2 - v.l);
            last_zone = (int64_t)ceil(s.incident_wavevector / p.reciprocal[2] + 2 - v.l);
        }
        for (; zone <= last_zone; zone++) {
            Layer layer = {0, 0, 1, 0};
            if (turns && disperses) {
                const double centre = v.l + (double)zone;
                const double low = fmax(p.layer_low, centre - l_step / 2), high = fmin(p.layer_high, centre + l_step / 2);
                if (!(high > low)) continue;
                layer.place = (low + high) / 2;
                layer.offset = layer.place - centre;
                layer.width = high - low;
                layer.share = layer.width / (p.layer_high - p.layer_low);
            } else if (turns) {
                layer.place =
                    p.layer_low + ((double)zone + 0.5) * (p.layer_high - p.layer_low) / (double)p.layer_count;
                layer.share = 1 / (double)p.layer_count;
            }
            team.sync();
            bool sees = false;
            for (int mode = team.rank; mode < modes; mode += 32) {
                if (see(p, s, v, (double)zone, layer, mode, seen)) sees = true;
                else seen.intensity[mode] = 0;
            }
            // Most settings see nothing in most zones.
            if (!__any_sync(0xffffffffu, sees)) continue;
            team.sync();
            count += bundle(p, s, seen, team.rank, (int32_t)number, out ? out + count : nullptr);
        }
        if (!writes && team.rank == 0) d.counts[cell] = count;
    }
}

// Trilinear interpolation of the six covariances.
__device__ inline void covariance(const sw_image_setting &s, double h, double k, double energy, double *six) {
    double x = fmin(fmax((h - s.h_origin) * s.h_per_step, 0.0), (double)(s.table_h - 1));
    double y = fmin(fmax((k - s.k_origin) * s.k_per_step, 0.0), (double)(s.table_k - 1));
    double z = fmin(fmax((energy - s.energy_origin) * s.energy_per_step, 0.0), (double)(s.table_energy - 1));
    const int64_t i = (int64_t)fmin(x, (double)(s.table_h - 2)), j = (int64_t)fmin(y, (double)(s.table_k - 2));
    const int64_t l = (int64_t)fmin(z, (double)(s.table_energy - 2));
    x -= (double)i;
    y -= (double)j;
    z -= (double)l;
    const int64_t dk = s.table_h * 8, de = s.table_h * s.table_k * 8;
    const double *t = s.table + l * de + j * dk + i * 8;
    for (int n = 0; n < 6; n++, t++) {
        const double a = t[0] * (1 - x) + t[8] * x, b = t[dk] * (1 - x) + t[dk + 8] * x;
        const double c = t[de] * (1 - x) + t[de + 8] * x, e = t[de + dk] * (1 - x) + t[de + dk + 8] * x;
        six[n] = (a * (1 - y) + b * y) * (1 - z) + (c * (1 - y) + e * y) * z;
    }
}

// The first and last of `count` cells within reach; none where last < first.
__device__ inline void reach(double centre, double sigma, double edge, double step, int64_t count, int16_t *first, int16_t *last) {
    const double low = (centre - SW_REACH * sigma - edge) / step, high = (centre + SW_REACH * sigma - edge) / step;
    if (!(high > 0) || !(low < (double)count)) {
        *first = 1;
        *last = 0;
        return;
    }
    *first = low <= 0 ? 0 : (int16_t)low;
    *last = high >= (double)count ? (int16_t)(count - 1) : (int16_t)high;
}

// A Gaussian of covariance c about a place: its regressions, and what it reaches.
__device__ inline sw_image_gaussian gaussian_of(
    const sw_image_problem &p, const sw_image_setting &s, double h, double k, double energy, double intensity,
    const double *c) {
    sw_image_gaussian g;
    g.h = h;
    g.k = k;
    g.energy = energy;
    g.intensity = intensity;
    g.sigma_h = sqrt(c[0]);
    // k given h, and energy given (h, k)
    g.k_per_h = c[1] / c[0];
    g.k_given_h = fmax(c[2] - g.k_per_h * c[1], 1e-14 * c[2]);
    g.energy_per_k = (c[4] - g.k_per_h * c[3]) / g.k_given_h;
    g.energy_per_h = (c[3] - g.energy_per_k * c[1]) / c[0];
    g.energy_given = fmax(c[5] - g.energy_per_h * c[3] - g.energy_per_k * c[4], 1e-10 * c[5]);
    reach(g.energy, sqrt(c[5]), s.first_bin_edge, s.bin_width, p.bin_count, &g.first_bin, &g.last_bin);
    reach(g.h, g.sigma_h, p.h_edge, p.h_step, p.h_count, &g.first_h, &g.last_h);
    reach(g.k, sqrt(c[2]), p.k_edge, p.k_step, p.k_count, &g.first_k, &g.last_k);
    // Whoever reaches nothing along one axis reaches no row.
    if (g.last_bin < g.first_bin || g.last_k < g.first_k) {
        g.first_h = 1;
        g.last_h = 0;
    }
    g.unused[0] = g.unused[1] = 0;
    return g;
}

// A bundle's cell as one domain shows it, and the parts that it is cut into.
struct Cell {
    double own_h, own_k;      // of the bundle's point, image r.l.u.
    double variance[2];       // of the whole cell along own h and k
    double wide[2];           // its sides
    double six[6];            // the resolution's covariance at its middle, the bundle's spread included where it is cut
    int64_t parts[2];
};

// Into how many parts a cell is cut along one side, (x, y, E) = side: |L⁻¹ side| is its length in standard deviations.
__device__ inline int64_t parts_of(const double *six, double x, double y, double e, double finest) {
    const double l11 = sqrt(six[0]), l21 = six[1] / l11, l22 = sqrt(fmax(six[2] - l21 * l21, 1e-14 * six[2]));
    const double l31 = six[3] / l11, l32 = (six[4] - l31 * l21) / l22;
    const double l33 = sqrt(fmax(six[5] - l31 * l31 - l32 * l32, 1e-10 * six[5]));
    const double z1 = x / l11, z2 = (y - l21 * z1) / l22, z3 = (e - l31 * z1 - l32 * z2) / l33;
    return (int64_t)fmin(fmax(ceil(sqrt(z1 * z1 + z2 * z2 + z3 * z3) / finest), 1.0), 64.0);
}

__device__ inline Cell cell_of(
    const sw_image_device_problem &d, const sw_image_setting &s, const sw_image_bundle &b, const double *m) {
    const sw_image_problem &p = d.image;
    Cell cell;
    cell.own_h = d.visits[b.visit].h / p.scale[0];
    cell.own_k = d.visits[b.visit].k / p.scale[1];
    const double cell_h = 1 / ((double)p.n1 * p.scale[0]), cell_k = 1 / ((double)p.n2 * p.scale[1]);
    cell.variance[0] = cell_h * cell_h / 12 * p.cell_variance;
    cell.variance[1] = cell_k * cell_k / 12 * p.cell_variance;
    covariance(s, m[0] * cell.own_h + m[1] * cell.own_k, m[2] * cell.own_h + m[3] * cell.own_k, b.energy, cell.six);
    cell.parts[0] = cell.parts[1] = 1;
    cell.wide[0] = cell.wide[1] = 0;
    cell.six[5] += b.spread;
    if (p.finest > 0) {
        cell.wide[0] = sqrt(12 * cell.variance[0]);
        cell.wide[1] = sqrt(12 * cell.variance[1]);
        cell.parts[0] =
            parts_of(cell.six, m[0] * cell.wide[0], m[2] * cell.wide[0], b.velocity_h * cell.wide[0], p.finest);
        cell.parts[1] =
            parts_of(cell.six, m[1] * cell.wide[1], m[3] * cell.wide[1], b.velocity_k * cell.wide[1], p.finest);
    }
    return cell;
}

// `counts` become places among themselves; the same by every thread: their sum.
__device__ inline int64_t places_of(int64_t *counts, int64_t number) {
    __shared__ int64_t sums[256];
    int64_t before = 0;
    for (int64_t base = 0; base < number; base += 256) {
        const int64_t k = base + threadIdx.x;
        const int64_t mine = k < number ? counts[k] : 0;
        sums[threadIdx.x] = mine;
        __syncthreads();
        for (unsigned reach = 1; reach < 256; reach *= 2) {
            const int64_t x = threadIdx.x >= reach ? sums[threadIdx.x - reach] : 0;
            __syncthreads();
            sums[threadIdx.x] += x;
            __syncthreads();
        }
        if (k < number) counts[k] = before + sums[threadIdx.x] - mine;
        before += sums[255];
        __syncthreads();
    }
    return before;
}

// Counts become places among those of their sample and setting: blockIdx.x.
SW_KERNEL __launch_bounds__(256) sw_image_place(const sw_image_device_problem d) {
    const int64_t total = places_of(d.counts + (int64_t)blockIdx.x * d.visit_count, d.visit_count);
    if (threadIdx.x == 0) d.totals[blockIdx.x] = total;
}

// The same of the parts of bundles: blockIdx.x counts sample, setting and domain.
SW_KERNEL __launch_bounds__(256) sw_image_order(const sw_image_device_problem d) {
    const int64_t part = blockIdx.x / d.image.twin_count, twin = blockIdx.x % d.image.twin_count;
    const int64_t total = places_of(d.part_counts + twin * d.bundle_count + d.bases[part], d.totals[part]);
    if (threadIdx.x == 0) d.part_totals[blockIdx.x] = total;
}

// blockIdx.y: sample and setting; blockIdx.x strides over its bundles. Counts parts where `gaussians` is null.
SW_KERNEL __launch_bounds__(128, 4) sw_image_spread(const sw_image_device_problem d) {
    const sw_image_problem &p = d.image;
    const sw_image_setting &s = p.settings[blockIdx.y % p.setting_count];
    const int64_t total = d.totals[blockIdx.y], base = d.bases[blockIdx.y];
    for (int64_t k = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; k < total * p.twin_count; k += gridDim.x * blockDim.x) {
        const int64_t twin = k / total, number = base + k % total;
        const double *m = p.twins[twin].map;
        const sw_image_bundle b = d.bundles[number];
        const Cell cell = cell_of(d, s, b, m);
        if (!d.gaussians) {
            d.part_counts[twin * d.bundle_count + number] = cell.parts[0] * cell.parts[1];
            continue;
        }
        const double share = (double)(cell.parts[0] * cell.parts[1]);
        const double small[2] = {
            cell.variance[0] / (double)(cell.parts[0] * cell.parts[0]),
            cell.variance[1] / (double)(cell.parts[1] * cell.parts[1])};
        const double lean_h = small[0] * b.velocity_h, lean_k = small[1] * b.velocity_k;
        const double c[6] = {
            cell.six[0] + m[0] * m[0] * small[0] + m[1] * m[1] * small[1],
            cell.six[1] + m[0] * m[2] * small[0] + m[1] * m[3] * small[1],
            cell.six[2] + m[2] * m[2] * small[0] + m[3] * m[3] * small[1],
            cell.six[3] + m[0] * lean_h + m[1] * lean_k,
            cell.six[4] + m[2] * lean_h + m[3] * lean_k,
            cell.six[5] + b.velocity_h * lean_h + b.velocity_k * lean_k};
        const double intensity = b.intensity * p.weight / share;
        sw_image_gaussian *out = p.finest > 0
            ? d.gaussians + d.part_bases[blockIdx.y * p.twin_count + twin] + d.part_counts[twin * d.bundle_count + number]
            : d.gaussians + twin * d.bundle_count + number;
        for (int64_t i = 0; i < cell.parts[0]; i++)
            for (int64_t j = 0; j < cell.parts[1]; j++) {
                const double dh = (((double)i + 0.5) / (double)cell.parts[0] - 0.5) * cell.wide[0];
                const double dk = (((double)j + 0.5) / (double)cell.parts[1] - 0.5) * cell.wide[1];
                const double h = cell.own_h + dh, k = cell.own_k + dk;
                *out++ = gaussian_of(
                    p, s, m[0] * h + m[1] * k, m[2] * h + m[3] * k, b.energy + b.velocity_h * dh + b.velocity_k * dk,
                    intensity, c);
            }
    }
}

// What a Gaussian gives to one row, before it is cut by columns.
struct Row {
    double weight, k_mean, k_sigma, energy_mean, energy_rest, tilt;
    int32_t first_k, last_k, first_bin, last_bin;
};

__device__ inline Row row_of(const sw_image_problem &p, const sw_image_gaussian &g, int64_t row) {
    const double low = p.h_edge + (double)row * p.h_step, high = p.h_edge + (double)(row + 1) * p.h_step;
    const Edge below = edge(low, g.h, 1 / g.sigma_h), above = edge(high, g.h, 1 / g.sigma_h);
    const Piece piece = cut(below, above, low, high, g.h, g.sigma_h);
    const double shift = piece.mean - g.h;
    const double k_variance = g.k_given_h + g.k_per_h * g.k_per_h * piece.variance;
    Row out;
    out.k_mean = g.k + g.k_per_h * shift;
    out.k_sigma = sqrt(k_variance);
    // h within this row still leans on k: its regression and what is left of its variance.
    const double lean = g.k_per_h * piece.variance / k_variance;
    const double rest = piece.variance - lean * g.k_per_h * piece.variance;
    out.tilt = g.energy_per_h * lean + g.energy_per_k;
    out.energy_mean = g.energy + g.energy_per_h * shift + g.energy_per_k * (out.k_mean - g.k);
    out.energy_rest = g.energy_given + g.energy_per_h * g.energy_per_h * rest;
    out.weight = piece.probability < 1e-10 ? 0 : piece.probability * g.intensity;
    out.first_k = g.first_k;
    out.last_k = g.last_k;
    out.first_bin = g.first_bin;
    out.last_bin = g.last_bin;
    return out;
}

// One row of one domain's image: blockIdx.x is the row from the lowest h, blockIdx.y counts sample, setting and domain. A warp has
// 31 columns (its last lane has the last one's far edge), and a thread the bins of its column, in shared memory: as many doubles as
// there are bins for each thread.
SW_KERNEL __launch_bounds__(128, 4) sw_image_deposit(const sw_image_device_problem d) {
    SW_DYNAMIC_SHARED(double, sums);
    __shared__ Row rows[128];
    __shared__ int found[4];
    const sw_image_problem &p = d.image;
    const int64_t twin = blockIdx.y % p.twin_count, part = blockIdx.y / p.twin_count;
    const int64_t setting = part % p.setting_count, sample = part / p.setting_count, row = blockIdx.x;
    const sw_image_setting &s = p.settings[setting];
    const int lane = (int)(threadIdx.x % 32), warp = (int)(threadIdx.x / 32), warps = (int)(blockDim.x / 32);
    const bool is_cut = p.finest > 0;
    const int64_t total = is_cut ? d.part_totals[blockIdx.y] : d.totals[part];
    const sw_image_gaussian *gaussians =
        d.gaussians + (is_cut ? d.part_bases[blockIdx.y] : twin * d.bundle_count + d.bases[part]);
    for (int64_t from = 0; from < p.k_count; from += 31 * warps) {
        const int64_t first_column = from + 31 * warp, column = first_column + lane;
        const double place = p.k_edge + (double)column * p.k_step, next = p.k_edge + (double)(column + 1) * p.k_step;
        for (int64_t bin = 0; bin < p.bin_count; bin++) sums[bin * blockDim.x + threadIdx.x] = 0;
        for (int64_t base = 0; base < total; base += blockDim.x) {
            // As many Gaussians at once as there are threads; those that reach this row, in their order.
            const int64_t k = base + threadIdx.x;
            Row mine;
            mine.weight = 0;
            if (k < total && gaussians[k].first_h <= row && row <= gaussians[k].last_h) mine = row_of(p, gaussians[k], row);
            const unsigned reaching = __ballot_sync(0xffffffffu, mine.weight > 0);
            if (lane == 0) found[warp] = __popc(reaching);
            __syncthreads();
            int before = __popc(reaching & ((1u << lane) - 1)), count = 0;
            for (int other = 0; other < warps; other++) {
                if (other < warp) before += found[other];
                count += found[other];
            }
            if (mine.weight > 0) rows[before] = mine;
            __syncthreads();
            for (int n = 0; n < count; n++) {
                const Row &g = rows[n];
                if (g.last_k < first_column || g.first_k > first_column + 30) continue;
                const Edge below = edge(place, g.k_mean, 1 / g.k_sigma);
                Edge above;
                above.distribution = __shfl_down_sync(0xffffffffu, below.distribution, 1);
                above.density = __shfl_down_sync(0xffffffffu, below.density, 1);
                above.moment = __shfl_down_sync(0xffffffffu, below.moment, 1);
                if (lane == 31 || column < g.first_k || column > g.last_k) continue;
                const Piece cell = cut(below, above, place, next, g.k_mean, g.k_sigma);
                const double weight = g.weight * cell.probability;
                const double mean = g.energy_mean + g.tilt * (cell.mean - g.k_mean);
                const double inverse = 1 / sqrt(g.energy_rest + g.tilt * g.tilt * cell.variance);
                double lower = cdf((s.first_bin_edge + (double)g.first_bin * s.bin_width - mean) * inverse);
                for (int bin = g.first_bin; bin <= g.last_bin; bin++) {
                    const double upper = cdf((s.first_bin_edge + (double)(bin + 1) * s.bin_width - mean) * inverse);
                    sums[bin * blockDim.x + threadIdx.x] += weight * (upper - lower);
                    lower = upper;
                }
            }
            __syncthreads();
        }
        if (lane < 31 && column < p.k_count) {
            const int64_t height = p.setting_count * p.h_count, width = p.bin_count * p.k_count;
            float *line = d.images
                + ((sample * p.twin_count + twin) * height + setting * p.h_count + p.h_count - 1 - row) * width;
            for (int64_t bin = 0; bin < p.bin_count; bin++)
                line[bin * p.k_count + column] = (float)(sums[bin * blockDim.x + threadIdx.x] * s.output_factor);
        }
    }
}
