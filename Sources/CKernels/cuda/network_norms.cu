// Layers that normalise: Learning/UnitMean.swift, GroupNormalization.swift, and batch normalisation as oneDNN's; a block a run.
#include "network.cuh"

// y = M·x / (m + ε); back: s·(g − ⟨g·x⟩/(m + ε)), s = M/(m + ε).
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_unit_mean(const sw_net_unit p) {
    SW_NET_EACH_BLOCK(group, p.groups) {
        const int64_t start = group * p.size;
        double2 sum = make_double2(0, 0);
        for (int64_t i = start + threadIdx.x; i < start + p.size; i += blockDim.x) {
            sum.x += p.source[i];
            if (p.gradient) sum.y += (double)p.gradient[i] * p.source[i];
        }
        sum = block_sum(sum);
        const double factor = p.mean / (sum.x / (double)p.size + p.epsilon);
        const float scale = (float)factor, common = (float)(sum.y / (double)p.size * factor / p.mean);
        for (int64_t i = start + threadIdx.x; i < start + p.size; i += blockDim.x)
            p.result[i] = scale * (p.gradient ? p.gradient[i] - common : p.source[i]);
    }
}

// Mean and rate 1/√(σ² + ε) of `count` values from `source` on.
__device__ inline float2 group_statistics(const float *source, int64_t count, double epsilon) {
    double2 sum = make_double2(0, 0);
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) sum.x += source[i];
    const double mean = block_sum(sum).x / (double)count;
    double2 squares = make_double2(0, 0);
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        const double off = source[i] - mean;
        squares.x += off * off;
    }
    return make_float2((float)mean, (float)(1 / sqrt(block_sum(squares).x / (double)count + epsilon)));
}

// p.parts images of p.groups runs.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_group_norm(const sw_net_norm p) {
    const int64_t run_channels = p.channels / p.groups, size = run_channels * p.pixels;
    SW_NET_EACH_BLOCK(run, p.parts * p.groups) {
        const int64_t start = run * size, first = run % p.groups * run_channels;
        const float2 s = group_statistics(p.source + start, size, p.epsilon);
        for (int64_t i = threadIdx.x; i < size; i += blockDim.x) {
            const int64_t channel = first + i / p.pixels;
            const float factor = p.scale[channel] * s.y;
            p.result[start + i] = factor * p.source[start + i] + (p.shift[channel] - factor * s.x);
        }
    }
}

// r·(γg − ⟨γg⟩ − x̂⟨γg x̂⟩), and of each image and channel Σ g x̂ and Σ g.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_group_norm_back(const sw_net_norm p) {
    const int64_t run_channels = p.channels / p.groups, size = run_channels * p.pixels;
    SW_NET_EACH_BLOCK(run, p.parts * p.groups) {
        const int64_t start = run * size, first = run % p.groups * run_channels;
        const float2 s = group_statistics(p.source + start, size, p.epsilon);
        double all = 0, along = 0;
        for (int64_t c = 0; c < run_channels; c++) {
            double2 sum = make_double2(0, 0);
            for (int64_t i = start + c * p.pixels + threadIdx.x; i < start + (c + 1) * p.pixels; i += blockDim.x) {
                sum.x += p.gradient[i] * ((p.source[i] - s.x) * s.y);
                sum.y += p.gradient[i];
            }
            sum = block_sum(sum);
            if (threadIdx.x == 0) {
                double *out = p.partial + 2 * (run / p.groups * p.channels + first + c);
                out[0] = sum.x;
                out[1] = sum.y;
            }
            along += p.scale[first + c] * sum.x;
            all += p.scale[first + c] * sum.y;
        }
        const float common = (float)(all / (double)size), tilt = (float)(along / (double)size);
        for (int64_t i = threadIdx.x; i < size; i += blockDim.x) {
            const float normal = (p.source[start + i] - s.x) * s.y;
            p.result[start + i] = s.y * (p.scale[first + i / p.pixels] * p.gradient[start + i] - common - tilt * normal);
        }
    }
}

// Where value i of a channel in the images of a part lies.
__device__ inline int64_t batch_place(const sw_net_norm &p, int64_t part, int64_t channel, int64_t i) {
    return ((part * p.images + i / p.pixels) * p.channels + channel) * p.pixels + i % p.pixels;
}

// Mean and variance of a channel over the images of a part; or those that are given.
__device__ inline double2 batch_statistics(const sw_net_norm &p, int64_t part, int64_t channel) {
    if (p.mean) return make_double2(p.mean[channel], p.variance[channel]);
    const int64_t count = p.images * p.pixels;
    double2 sum = make_double2(0, 0);
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) sum.x += p.source[batch_place(p, part, channel, i)];
    const double mean = block_sum(sum).x / (double)count;
    double2 squares = make_double2(0, 0);
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        const double off = p.source[batch_place(p, part, channel, i)] - mean;
        squares.x += off * off;
    }
    return make_double2(mean, block_sum(squares).x / (double)count);
}

SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_batch_norm(const sw_net_norm p) {
    SW_NET_EACH_BLOCK(run, p.parts * p.channels) {
        const int64_t part = run / p.channels, channel = run % p.channels, count = p.images * p.pixels;
        const double2 s = batch_statistics(p, part, channel);
        if (p.statistics && threadIdx.x == 0) {
            p.statistics[2 * run] = s.x;
            p.statistics[2 * run + 1] = s.y;
        }
        const float mean = (float)s.x, factor = (float)(p.scale[channel] / sqrt(s.y + p.epsilon)), shift = p.shift[channel];
        for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
            const int64_t at = batch_place(p, part, channel, i);
            p.result[at] = factor * (p.source[at] - mean) + shift;
        }
    }
}

// γr·(g − ⟨g⟩ − x̂⟨g x̂⟩), or γr·g with statistics that are given; and of each part Σ g x̂ and Σ g.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_batch_norm_back(const sw_net_norm p) {
    SW_NET_EACH_BLOCK(run, p.parts * p.channels) {
        const int64_t part = run / p.channels, channel = run % p.channels, count = p.images * p.pixels;
        const double mean = p.mean ? p.mean[channel] : p.statistics[2 * run];
        const double variance = p.mean ? p.variance[channel] : p.statistics[2 * run + 1];
        const double rate = 1 / sqrt(variance + p.epsilon);
        double2 sum = make_double2(0, 0);
        for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
            const int64_t at = batch_place(p, part, channel, i);
            sum.x += p.gradient[at] * ((p.source[at] - mean) * rate);
            sum.y += p.gradient[at];
        }
        sum = block_sum(sum);
        if (p.partial && threadIdx.x == 0) {
            p.partial[2 * run] = sum.x;
            p.partial[2 * run + 1] = sum.y;
        }
        const float factor = (float)(p.scale[channel] * rate);
        const float common = p.mean ? 0.0f : (float)(sum.y / (double)count);
        const float tilt = p.mean ? 0.0f : (float)(sum.x / (double)count);
        for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
            const int64_t at = batch_place(p, part, channel, i);
            const float normal = (float)((p.source[at] - mean) * rate);
            p.result[at] = factor * (p.gradient[at] - common - tilt * normal);
        }
    }
}

// Over parts or images, in their order.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_pair_sums(const sw_net_pairs p) {
    SW_NET_EACH(channel, p.channels) {
        double first = 0, second = 0;
        for (int64_t row = 0; row < p.rows; row++) {
            first += p.values[2 * (row * p.channels + channel)];
            second += p.values[2 * (row * p.channels + channel) + 1];
        }
        p.first[channel] = (float)first;
        p.second[channel] = (float)second;
    }
}
