// What a detector might have counted of computed images: Instruments/CountingStatistics.swift, a thread a pixel.
//
// Every number is drawn by its address, so that no order of threads changes anything.
#include "random.cuh"

// One observed intensity, as `Counter.observe`.
__device__ inline double observe(
    bool is_poisson, double gain, double floor, double noise, double intensity, double response, double correction,
    sw_noise_stream stream, int64_t index) {
    if (noise <= 0) return intensity * response / correction;
    if (!is_poisson) {
        const double deviation = noise * sqrt(response * (gain * fmax(intensity, 0.0) + floor));
        return (intensity * response + deviation * normal(stream, index)) / correction;
    }
    const double one = gain * noise * noise, hidden = floor / gain;
    const double counts = poisson(stream, response * (fmax(intensity, 0.0) + hidden) / one, index);
    return (counts * one + response * (fmin(intensity, 0.0) - hidden)) / correction;
}

// Sum of the efficiencies of the tubes up to an angle, as DetectorResponse.Tubes.
__device__ inline double tubes_up_to(const double *sums, int64_t count, double width, double angle) {
    const double place = __ddiv_rn(__dadd_rn(angle, 90), width);
    const int64_t tube = min(max((int64_t)place, (int64_t)0), count - 1);
    return __dadd_rn(sums[tube], __dmul_rn(__dsub_rn(place, (double)tube), __dsub_rn(sums[tube + 1], sums[tube])));
}

// Response (x) and correction (y) of a pixel's detectors, rounded as on the host, so that whole counts are the same ones.
__device__ inline double2 response(const sw_noise_problem &p, int64_t image, int64_t pixel) {
    double2 found = make_double2(1, 1);
    if (p.helium) {
        const int64_t setting = pixel / p.setting_pixels, bin = pixel % (p.bin_count * p.bin_columns) / p.bin_columns;
        const double *helium = p.helium + 2 * ((image * p.setting_count + setting) * p.bin_count + bin);
        found = make_double2(helium[0], helium[1]);
    }
    if (!p.tubes) return found;
    const double *sums = p.tubes + image * (p.tube_count + 1);
    double low = p.lower_edges[pixel], high = p.upper_edges[pixel];
    if (!(low <= high)) return found;
    double extent = __ddiv_rn(__dsub_rn(high, low), p.tube_width);
    // A pixel of no extent: the tube at its place.
    if (extent < 1e-9) {
        const double reach = __dmul_rn(1e-6, p.tube_width);
        low = __dsub_rn(low, reach);
        high = __dadd_rn(high, reach);
        extent = __ddiv_rn(__dsub_rn(high, low), p.tube_width);
    }
    const double within = __dsub_rn(
        tubes_up_to(sums, p.tube_count, p.tube_width, high), tubes_up_to(sums, p.tube_count, p.tube_width, low));
    found.x = __dmul_rn(found.x, __ddiv_rn(within, extent));
    return found;
}

// blockIdx.y: the image. Pixels without detector and dead ones are 0; NaN are those that the host is to draw.
SW_KERNEL __launch_bounds__(256, 2) sw_noise_count(const sw_noise_problem p) {
    const int64_t image = blockIdx.y, pixels = p.setting_count * p.setting_pixels, stride = (int64_t)gridDim.x * blockDim.x;
    const sw_noise_stream counting = p.streams[3 * image], empty = p.streams[3 * image + 1], dead = p.streams[3 * image + 2];
    for (int64_t pixel = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; pixel < pixels; pixel += stride) {
        const int64_t at = image * pixels + pixel;
        float out = 0;
        const bool is_seen = !(p.mask && p.mask[pixel]) && !(p.dead_probability > 0 && uniform(dead, pixel) < p.dead_probability);
        if (is_seen) {
            const sw_noise_setting s = p.settings[image * p.setting_count + pixel / p.setting_pixels];
            const double2 detector = response(p, image, pixel);
            double value = observe(
                p.is_poisson, s.gain, s.floor, s.noise, p.expected[at], detector.x, detector.y, counting, pixel);
            if (p.holder)
                value -= p.subtraction[image]
                    * observe(p.is_poisson, s.gain, 0, s.empty_noise, p.holder[at], detector.x, detector.y, empty, pixel);
            // fmin and fmax would make a number of what is undecided: NaN.
            out = value != value ? (float)value : (float)fmin(fmax(value, p.clip_low), p.clip_high);
        }
        p.images[at] = out;
    }
}

// The mixture of an image's domains; blockIdx.y: the image.
SW_KERNEL __launch_bounds__(256) sw_noise_mix(const sw_noise_mixture p) {
    const int64_t image = blockIdx.y, pixels = p.setting_count * p.setting_pixels;
    const int64_t pixel = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (pixel >= pixels) return;
    double sum = 0;
    for (int64_t domain = 0; domain < p.domain_count; domain++)
        sum += p.fractions[image * p.domain_count + domain] * (double)p.domains[image][domain * pixels + pixel];
    p.expected[image * pixels + pixel] = sum;
}

// Four neighbours along an axis, and their weights in Lagrange's interpolation of third degree; positions beyond the axis count as its ends.
typedef struct {
    int32_t index[4];
    double weight[4];
} sw_noise_taps;

__device__ inline sw_noise_taps taps(double position, int64_t count) {
    const double place = fmin(fmax(position, 0.0), (double)(count - 1)), base = floor(place), u = __dsub_rn(place, base);
    const int32_t first = (int32_t)base, last = (int32_t)count - 1;
    sw_noise_taps t;
    // Exactly the pixel: the others, infinite or not, do not count.
    const bool is_exact = u == 0;
    const double a = u + 1, b = u - 1, c = u - 2;
    t.index[0] = is_exact ? first : max(first - 1, 0);
    t.index[1] = first;
    t.index[2] = is_exact ? first : min(first + 1, last);
    t.index[3] = is_exact ? first : min(first + 2, last);
    t.weight[0] = is_exact ? 0 : -u * b * c / 6;
    t.weight[1] = is_exact ? 1 : a * b * c / 2;
    t.weight[2] = is_exact ? 0 : -a * u * c / 2;
    t.weight[3] = is_exact ? 0 : a * u * b / 6;
    return t;
}

// An image as drawn errors show it, a thread a pixel; blockIdx.y: the image. Where a pixel looks is computed without contraction, so that
// a pixel that the host hits exactly is hit here.
SW_KERNEL __launch_bounds__(256) sw_noise_resample(const sw_noise_misalignment p) {
    const int64_t columns = p.bin_count * p.column_count, setting_pixels = p.row_count * columns;
    const int64_t image = blockIdx.y, pixels = p.setting_count * setting_pixels;
    const int64_t pixel = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (pixel >= pixels) return;
    const int64_t setting = pixel / setting_pixels, row = pixel % setting_pixels / columns;
    const int64_t bin = pixel % columns / p.column_count, column = pixel % p.column_count;
    const double *still = p.still + image * pixels;
    const double x = p.rows[row], y = p.columns[column];
    const double forward = __dsub_rn(
        __dsub_rn(p.final_squares[setting * p.bin_count + bin], __dmul_rn(x, x)), __dmul_rn(y, y));
    // Out of reach of the kinematics.
    if (forward <= 0) {
        p.moved[image * pixels + pixel] = still[pixel];
        return;
    }
    const double root = p.roots[image * p.setting_count + setting];
    const double q[3] = {
        __dmul_rn(x, root), __dmul_rn(y, root), __dmul_rn(__dsub_rn(p.incident[setting], __dsqrt_rn(forward)), root)};
    double crystal[2];
    for (int axis = 0; axis < 2; axis++) {
        const double *r = p.rotation + 6 * image + 3 * axis;
        const double sum = __dadd_rn(__dadd_rn(__dmul_rn(r[0], q[0]), __dmul_rn(r[1], q[1])), __dmul_rn(r[2], q[2]));
        crystal[axis] = __ddiv_rn(__dmul_rn(p.lattice[2 * image + axis], sum), axis == 0 ? p.h_unit : p.k_unit);
    }
    const sw_noise_taps rows = taps(
        __dsub_rn((double)(p.row_count - 1), __ddiv_rn(__dsub_rn(crystal[0], p.h_minimum), p.h_step)), p.row_count);
    const sw_noise_taps ks = taps(__ddiv_rn(__dsub_rn(crystal[1], p.k_minimum), p.k_step), p.column_count);
    const sw_noise_taps bins = taps(p.places[(image * p.setting_count + setting) * p.bin_count + bin], p.bin_count);
    double sum = 0;
    for (int r = 0; r < 4; r++) {
        if (rows.weight[r] == 0) continue;
        for (int b = 0; b < 4; b++) {
            if (bins.weight[b] == 0) continue;
            const double *line = still + setting * setting_pixels + rows.index[r] * columns + bins.index[b] * p.column_count;
            double along = 0;
            for (int k = 0; k < 4; k++) along += ks.weight[k] * line[ks.index[k]];
            sum += rows.weight[r] * bins.weight[b] * along;
        }
    }
    // fmax would make a number of NaN.
    p.moved[image * pixels + pixel] = 0 >= sum ? 0 : sum;
}

// The sum over what is seen of an image, in an order of its own; a block an image.
SW_KERNEL __launch_bounds__(256) sw_noise_sum(const sw_noise_mixture p) {
    __shared__ double sums[256];
    const int64_t image = blockIdx.x, pixels = p.setting_count * p.setting_pixels;
    double sum = 0;
    for (int64_t pixel = threadIdx.x; pixel < pixels; pixel += 256)
        if (!(p.mask && p.mask[pixel])) sum += p.expected[image * pixels + pixel];
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (unsigned half = 128; half > 0; half /= 2) {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) p.sums[image] = sums[0];
}

// Scales, offsets and what is added; blockIdx.y: the image.
SW_KERNEL __launch_bounds__(256) sw_noise_expect(const sw_noise_mixture p) {
    const int64_t image = blockIdx.y, pixels = p.setting_count * p.setting_pixels;
    const int64_t pixel = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (pixel >= pixels) return;
    const int64_t setting = pixel / p.setting_pixels, bin = pixel % (p.bin_count * p.bin_columns) / p.bin_columns;
    double factor = p.factors[image];
    // An image without intensity has no scale to set.
    if (p.targets && p.sums[image] > 0) factor *= p.targets[image] * (double)p.seen / p.sums[image];
    const int64_t at = image * pixels + pixel;
    double value = factor * p.setting_scales[image * p.setting_count + setting] * p.expected[at]
        + p.offsets[(image * p.setting_count + setting) * p.bin_count + bin];
    if (p.additions) value += p.additions[at];
    if (p.panels) {
        const int64_t row = pixel % p.setting_pixels / (p.bin_count * p.bin_columns), column = pixel % p.bin_columns;
        const int64_t rows = p.setting_pixels / (p.bin_count * p.bin_columns), panel = setting * p.bin_count + bin;
        if (__dsub_rn(p.final_squares[panel], __dadd_rn(p.row_squares[row], p.column_squares[column])) > 0) {
            double background = p.panels[image * p.setting_count * p.bin_count + panel];
            for (int64_t tail = p.tail_starts[image]; tail < p.tail_starts[image + 1]; tail++)
                background += p.tail_heights[tail * p.setting_count * p.bin_count + panel] * p.tail_rows[tail * rows + row]
                    * p.tail_columns[tail * p.bin_columns + column];
            value += background;
        }
    }
    p.expected[at] = value;
}

// out[i]: the 128 bits of the stream's i-th draw, [count][4]; by which the generator is tried.
SW_KERNEL __launch_bounds__(256) sw_noise_bits(const sw_noise_stream stream, int64_t first, int64_t count, uint32_t *__restrict__ out) {
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    const uint4 b = bits(stream, first + i);
    out[4 * i] = b.x;
    out[4 * i + 1] = b.y;
    out[4 * i + 2] = b.z;
    out[4 * i + 3] = b.w;
}

// out[i]: the stream's i-th Poisson count of means[i], NaN where it is undecided; by which the counts are tried.
SW_KERNEL __launch_bounds__(256) sw_noise_poisson(
    const sw_noise_stream stream, int64_t count, const double *__restrict__ means, double *__restrict__ out) {
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) out[i] = poisson(stream, means[i], i);
}
