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
            const double response = p.response ? p.response[at] : 1, correction = p.correction ? p.correction[at] : 1;
            double value = observe(
                p.is_poisson, s.gain, s.floor, s.noise, p.expected[at], response, correction, counting, pixel);
            if (p.holder)
                value -= p.subtraction[image]
                    * observe(p.is_poisson, s.gain, 0, s.empty_noise, p.holder[at], response, correction, empty, pixel);
            // fmin and fmax would make a number of what is undecided: NaN.
            out = value != value ? (float)value : (float)fmin(fmax(value, p.clip_low), p.clip_high);
        }
        p.images[at] = out;
    }
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
