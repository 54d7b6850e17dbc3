// Layers that normalise: Learning/UnitMean.swift, GroupNormalization.swift, and batch normalisation as oneDNN's; a block a run.
#include "network.cuh"

// y = M·x / (m + ε); back: s·(g − ⟨g·x⟩/(m + ε)), s = M/(m + ε).
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_unit_mean(const sw_net_unit p) {
    SW_NET_EACH_BLOCK(group, p.groups) {
        const int64_t start = group * p.size;
        double2 sum = make_double2(thread_sum(p.source, start, start + p.size), 0);
        if (p.gradient.values)
            for (int64_t i = start + threadIdx.x; i < start + p.size; i += blockDim.x)
                sum.y += (double)load(p.gradient, i) * load(p.source, i);
        sum = block_sum(sum);
        const double factor = p.mean / (sum.x / (double)p.size + p.epsilon);
        const float scale = (float)factor, common = (float)(sum.y / (double)p.size * factor / p.mean);
        for (int64_t i = start + threadIdx.x; i < start + p.size; i += blockDim.x)
            store(p.result, i, scale * (p.gradient.values ? load(p.gradient, i) - common : load(p.source, i)));
    }
}

// Mean and rate 1/√(σ² + ε) of `count` values from `start` on.
__device__ inline float2 group_statistics(const sw_net_source source, int64_t start, int64_t count, double epsilon) {
    const double sum = block_sum(make_double2(thread_sum(source, start, start + count), 0)).x;
    const double mean = sum / (double)count;
    const double squares = block_sum(make_double2(thread_squares(source, start, start + count, mean), 0)).x;
    return make_float2((float)mean, (float)(1 / sqrt(squares / (double)count + epsilon)));
}

// p.parts images of p.groups runs.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_group_norm(const sw_net_norm p) {
    const int64_t run_channels = p.channels / p.groups, size = run_channels * p.pixels;
    SW_NET_EACH_BLOCK(run, p.parts * p.groups) {
        const int64_t start = run * size, first = run % p.groups * run_channels;
        const float2 s = group_statistics(p.source, start, size, p.epsilon);
        for (int64_t i = threadIdx.x; i < size; i += blockDim.x) {
            const int64_t channel = first + i / p.pixels;
            const float factor = p.scale[channel] * s.y;
            store(p.result, start + i, factor * load(p.source, start + i) + (p.shift[channel] - factor * s.x));
        }
    }
}

// r·(γg − ⟨γg⟩ − x̂⟨γg x̂⟩), and of each image and channel Σ g x̂ and Σ g.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_group_norm_back(const sw_net_norm p) {
    const int64_t run_channels = p.channels / p.groups, size = run_channels * p.pixels;
    SW_NET_EACH_BLOCK(run, p.parts * p.groups) {
        const int64_t start = run * size, first = run % p.groups * run_channels;
        const float2 s = group_statistics(p.source, start, size, p.epsilon);
        double all = 0, along = 0;
        for (int64_t c = 0; c < run_channels; c++) {
            double2 sum = make_double2(0, 0);
            for (int64_t i = start + c * p.pixels + threadIdx.x; i < start + (c + 1) * p.pixels; i += blockDim.x) {
                const float g = load(p.gradient, i);
                sum.x += g * ((load(p.source, i) - s.x) * s.y);
                sum.y += g;
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
            const float normal = (load(p.source, start + i) - s.x) * s.y;
            const float pull = p.scale[first + i / p.pixels] * load(p.gradient, start + i);
            store(p.result, start + i, s.y * (pull - common - tilt * normal));
        }
    }
}

// Batch normalisation: a block a map, then a thread a channel of a part, then a block a map again.

// maps[image][channel] = mean, and Σ (x − mean)², of one map.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_moments(const sw_net_norm p) {
    SW_NET_EACH_BLOCK(map, p.parts * p.images * p.channels) {
        const int64_t start = map * p.pixels, end = start + p.pixels;
        const double mean = block_sum(make_double2(thread_sum(p.source, start, end), 0)).x / (double)p.pixels;
        const double squares = block_sum(make_double2(thread_squares(p.source, start, end, mean), 0)).x;
        if (threadIdx.x == 0) {
            p.maps[2 * map] = mean;
            p.maps[2 * map + 1] = squares;
        }
    }
}

// statistics[part][channel] = mean and variance over the images of a part: Σ (x − m)² = Σ over maps of their own and pixels·(mean − m)².
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_statistics(const sw_net_norm p) {
    SW_NET_EACH(run, p.parts * p.channels) {
        const int64_t part = run / p.channels, channel = run % p.channels;
        double sum = 0, squares = 0;
        for (int64_t n = 0; n < p.images; n++) sum += p.maps[2 * ((part * p.images + n) * p.channels + channel)];
        const double mean = sum / (double)p.images;
        for (int64_t n = 0; n < p.images; n++) {
            const double *map = p.maps + 2 * ((part * p.images + n) * p.channels + channel);
            squares += map[1] + (double)p.pixels * (map[0] - mean) * (map[0] - mean);
        }
        p.statistics[2 * run] = mean;
        p.statistics[2 * run + 1] = squares / (double)(p.images * p.pixels);
    }
}

// Mean and 1/√(σ² + ε) of the run that a map belongs to.
__device__ inline double2 normal_of(const sw_net_norm &p, int64_t map) {
    const int64_t channel = map % p.channels, run = map / (p.images * p.channels) * p.channels + channel;
    const double mean = p.mean ? p.mean[channel] : p.statistics[2 * run];
    const double variance = p.mean ? p.variance[channel] : p.statistics[2 * run + 1];
    return make_double2(mean, 1 / sqrt(variance + p.epsilon));
}

SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_batch_norm(const sw_net_norm p) {
    SW_NET_EACH_BLOCK(map, p.parts * p.images * p.channels) {
        const int64_t channel = map % p.channels;
        const double2 normal = normal_of(p, map);
        const float mean = (float)normal.x, factor = (float)(p.scale[channel] * normal.y), shift = p.shift[channel];
        const int64_t end = (map + 1) * p.pixels;
        SW_NET_FOURS(i, map * p.pixels + threadIdx.x, end, blockDim.x) {
            float x[4];
            load_four(p.source, i, blockDim.x, end, x);
#pragma unroll
            for (int n = 0; n < 4; n++) x[n] = factor * (x[n] - mean) + shift;
            store_four(p.result, i, blockDim.x, end, x);
        }
    }
}

// maps[image][channel] = Σ g x̂ and Σ g of one map.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_pulls(const sw_net_norm p) {
    SW_NET_EACH_BLOCK(map, p.parts * p.images * p.channels) {
        const double2 normal = normal_of(p, map);
        double2 sum = make_double2(0, 0);
        for (int64_t i = map * p.pixels + threadIdx.x; i < (map + 1) * p.pixels; i += blockDim.x) {
            const float g = load(p.gradient, i);
            sum.x += g * ((load(p.source, i) - normal.x) * normal.y);
            sum.y += g;
        }
        sum = block_sum(sum);
        if (threadIdx.x == 0) {
            p.maps[2 * map] = sum.x;
            p.maps[2 * map + 1] = sum.y;
        }
    }
}

// partial[part][channel] = sums over the images of a part.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_part_pulls(const sw_net_norm p) {
    SW_NET_EACH(run, p.parts * p.channels) {
        const int64_t part = run / p.channels, channel = run % p.channels;
        double along = 0, all = 0;
        for (int64_t n = 0; n < p.images; n++) {
            const double *map = p.maps + 2 * ((part * p.images + n) * p.channels + channel);
            along += map[0];
            all += map[1];
        }
        p.partial[2 * run] = along;
        p.partial[2 * run + 1] = all;
    }
}

// γr·(g − ⟨g⟩ − x̂⟨g x̂⟩), or γr·g with statistics that are given.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_batch_norm_back(const sw_net_norm p) {
    const double count = (double)(p.images * p.pixels);
    SW_NET_EACH_BLOCK(map, p.parts * p.images * p.channels) {
        const int64_t channel = map % p.channels, run = map / (p.images * p.channels) * p.channels + channel;
        const double2 normal = normal_of(p, map);
        const float factor = (float)(p.scale[channel] * normal.y);
        const float tilt = p.mean ? 0.0f : (float)(p.partial[2 * run] / count);
        const float common = p.mean ? 0.0f : (float)(p.partial[2 * run + 1] / count);
        const float mean = (float)normal.x, rate = (float)normal.y;
        const int64_t end = (map + 1) * p.pixels;
        SW_NET_FOURS(i, map * p.pixels + threadIdx.x, end, blockDim.x) {
            float x[4], g[4];
            load_four(p.source, i, blockDim.x, end, x);
            load_four(p.gradient, i, blockDim.x, end, g);
#pragma unroll
            for (int n = 0; n < 4; n++) g[n] = factor * (g[n] - common - tilt * ((x[n] - mean) * rate));
            store_four(p.result, i, blockDim.x, end, g);
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
