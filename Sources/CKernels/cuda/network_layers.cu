// Layers without weights, and biases: Learning/NetworkCompiler+Maps.swift and +Loops.swift, a thread a value.
#include "network.cuh"

__device__ inline float mapped(int32_t kind, float x, float g) {
    switch (kind) {
    case SW_NET_RELU: return fmaxf(x, 0.0f);
    case SW_NET_RELU_BACK: return x > 0 ? g : 0.0f;
    case SW_NET_GELU: return 0.5f * x * erfcf(-0.70710678f * x);
    case SW_NET_GELU_BACK: return g * (0.5f * erfcf(-0.70710678f * x) + 0.39894228f * x * expf(-0.5f * x * x));
    case SW_NET_LOG1P: return log1pf(fmaxf(x, 0.0f));
    case SW_NET_LOG1P_BACK: return x > 0 ? g / (1 + x) : 0.0f;
    case SW_NET_ADD: return x + g;
    default: return x;
    }
}

SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_map(const sw_net_map p) {
    const int64_t step = (int64_t)gridDim.x * blockDim.x;
    SW_NET_FOURS(i, (int64_t)blockIdx.x * blockDim.x + threadIdx.x, p.count, step) {
        float x[4], g[4] = {0, 0, 0, 0};
        load_four(p.source, i, step, p.count, x);
        if (p.gradient.values) load_four(p.gradient, i, step, p.count, g);
#pragma unroll
        for (int n = 0; n < 4; n++) x[n] = mapped(p.kind, x[n], g[n]);
        store_four(p.result, i, step, p.count, x);
    }
}

// A block a map.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_bias(const sw_net_bias p) {
    SW_NET_EACH_BLOCK(map, p.images * p.channels) {
        const float bias = p.bias[map % p.channels];
        const int64_t end = (map + 1) * p.pixels;
        SW_NET_FOURS(i, map * p.pixels + threadIdx.x, end, blockDim.x) {
            float x[4];
            load_four(p.source, i, blockDim.x, end, x);
#pragma unroll
            for (int n = 0; n < 4; n++) x[n] = p.is_rectified ? fmaxf(x[n] + bias, 0.0f) : x[n] + bias;
            store_four(p.result, i, blockDim.x, end, x);
        }
    }
}

// A block a map: partial[map] = Σ over its pixels.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_map_sums(const sw_net_sums p) {
    SW_NET_EACH_BLOCK(map, p.images * p.channels) {
        const double2 sum = block_sum(make_double2(thread_sum(p.source, map * p.pixels, (map + 1) * p.pixels), 0));
        if (threadIdx.x == 0) p.partial[map] = sum.x;
    }
}

// result[channel] = Σ over images, in their order.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_channel_sums(const sw_net_sums p) {
    SW_NET_EACH(channel, p.channels) {
        double sum = 0;
        for (int64_t image = 0; image < p.images; image++) {
            const int64_t at = image * p.channels + channel;
            sum += p.partial ? p.partial[at] : (double)load(p.source, at);
        }
        store(p.result, channel, (float)sum);
    }
}

// A block a map: the mean of its pixels.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_map_means(const sw_net_sums p) {
    SW_NET_EACH_BLOCK(map, p.images * p.channels) {
        const double2 sum = block_sum(make_double2(thread_sum(p.source, map * p.pixels, (map + 1) * p.pixels), 0));
        if (threadIdx.x == 0) store(p.result, map, (float)(sum.x / (double)p.pixels));
    }
}

// [map][row of panels, y][column, x] ↔ [map][row of panels][column][y][x]
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_panels(const sw_net_move p) {
    const int64_t high = p.height / p.rows, wide = p.width / p.columns;
    SW_NET_EACH(i, p.count) {
        // i counts the panels' side.
        const int64_t x = i % wide, y = i / wide % high, column = i / (wide * high) % p.columns;
        const int64_t line = i / (wide * high * p.columns);  // map and row of panels
        const int64_t tiled = (line * high + y) * p.width + column * wide + x;
        if (p.is_back) store(p.result, tiled, load(p.source, i));
        else store(p.result, i, load(p.source, tiled));
    }
}

SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_fold(const sw_net_move p) {
    const int64_t rows = p.height / 2, columns = p.width / 2;
    SW_NET_EACH(i, p.count) {
        if (p.is_back) {
            const int64_t x = i % p.width, y = i / p.width % p.height, map = i / ((int64_t)p.width * p.height);
            const int64_t row = y < rows ? rows - 1 - y : y - rows, column = x < columns ? columns - 1 - x : x - columns;
            store(p.result, i, 0.25f * load(p.source, (map * rows + row) * columns + column));
        } else {
            const int64_t x = i % columns, y = i / columns % rows, map = i / (columns * rows);
            const int64_t below = (map * p.height + rows + y) * p.width, above = (map * p.height + rows - 1 - y) * p.width;
            const int64_t right = columns + x, left = columns - 1 - x;
            const float low = load(p.source, below + right) + load(p.source, below + left);
            const float high = load(p.source, above + right) + load(p.source, above + left);
            store(p.result, i, 0.25f * (low + high));
        }
    }
}

// Puts maps of the inner size into maps of zeros, or takes them out again.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_pad(const sw_net_move p) {
    SW_NET_EACH(i, p.count) {
        if (p.is_back) {
            const int64_t x = i % p.inner_width, y = i / p.inner_width % p.inner_height;
            const int64_t map = i / ((int64_t)p.inner_width * p.inner_height);
            store(p.result, i, load(p.source, (map * p.height + y + p.top) * p.width + x + p.left));
        } else {
            const int64_t x = i % p.width - p.left, y = i / p.width % p.height - p.top;
            const int64_t map = i / ((int64_t)p.width * p.height);
            const bool is_inside = x >= 0 && y >= 0 && x < p.inner_width && y < p.inner_height;
            store(p.result, i, is_inside ? load(p.source, (map * p.inner_height + y) * p.inner_width + x) : 0.0f);
        }
    }
}

// A block a map. Of several largest pixels the first, row by row.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_pool(const sw_net_pool p) {
    SW_NET_EACH_BLOCK(map, p.maps) {
        const int64_t first = map * p.height * p.width;
        for (int i = threadIdx.x; i < p.rows * p.columns; i += blockDim.x) {
            const int top = i / p.columns * p.stride_height - p.top, left = i % p.columns * p.stride_width - p.left;
            const int last_y = min(top + p.kernel_height, p.height), last_x = min(left + p.kernel_width, p.width);
            float sum = 0, best = 0;
            int choice = -1, count = 0;
            for (int y = max(top, 0); y < last_y; y++) {
                for (int x = max(left, 0); x < last_x; x++) {
                    const float value = load(p.source, first + y * p.width + x);
                    sum += value;
                    count++;
                    if (choice < 0 || value > best) {
                        best = value;
                        choice = y * p.width + x;
                    }
                }
            }
            const int64_t at = map * p.rows * p.columns + i;
            store(p.result, at, p.is_maximum ? best : sum / (float)count);
            if (p.is_maximum) p.choice[at] = choice;
        }
    }
}

// A block a map; a thread a pixel of the source, which adds what the windows over it send back, row by row.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_pool_back(const sw_net_pool p) {
    SW_NET_EACH_BLOCK(map, p.maps) {
        for (int i = threadIdx.x; i < p.height * p.width; i += blockDim.x) {
            const int x = i % p.width, y = i / p.width;
            const int below = y + p.top - p.kernel_height, right = x + p.left - p.kernel_width;
            const int first_row = below < 0 ? 0 : below / p.stride_height + 1;
            const int first_column = right < 0 ? 0 : right / p.stride_width + 1;
            const int last_row = min((y + p.top) / p.stride_height, p.rows - 1);
            const int last_column = min((x + p.left) / p.stride_width, p.columns - 1);
            float sum = 0;
            for (int row = first_row; row <= last_row; row++) {
                for (int column = first_column; column <= last_column; column++) {
                    const int64_t at = (map * p.rows + row) * p.columns + column;
                    if (p.is_maximum) {
                        if (p.choice[at] == i) sum += load(p.source, at);
                    } else {
                        const int top = row * p.stride_height - p.top, left = column * p.stride_width - p.left;
                        const int high = min(top + p.kernel_height, p.height) - max(top, 0);
                        const int wide = min(left + p.kernel_width, p.width) - max(left, 0);
                        sum += load(p.source, at) / (float)(high * wide);
                    }
                }
            }
            store(p.result, map * p.height * p.width + i, sum);
        }
    }
}

// Four values a thread, which one address of the stream decides on: those of DropoutAddress. Back as forward.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_dropout(const sw_net_dropout p) {
    const int64_t blocks = (p.size + 3) / 4;
    SW_NET_EACH(i, p.parts * blocks) {
        const int64_t part = i / blocks, block = i % blocks;
        const uint4 b = bits(p.streams[part], block);
        const uint32_t words[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
        for (int64_t n = 0; n < 4; n++) {
            if (4 * block + n >= p.size) break;
            const int64_t at = part * p.size + 4 * block + n;
            store(p.result, at, load(p.source, at) * (words[n] < p.limit ? 0.0f : p.kept));
        }
    }
}
