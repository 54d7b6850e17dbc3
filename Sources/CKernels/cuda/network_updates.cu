// What goes into a network and what comes of it: batches, points on a path, the loss, updates of the weights. Learning/CrossEntropy.swift,
// WeightUpdate.swift, IntegratedGradients.swift and SmoothGradients.swift.
#include "network.cuh"

SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_gather(const sw_net_gather p) {
    SW_NET_EACH(i, p.images * p.size) {
        const int64_t image = i / p.size, member = p.members[image];
        p.result[i] = p.all[member * p.size + i % p.size];
        if (i % p.size == 0) p.labels[image] = p.all_labels[member];
    }
}

// A thread an image: −Σ y log p with smoothed labels, and its gradient for the mean over a micro-batch.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_loss(const sw_net_loss p) {
    SW_NET_EACH(image, p.images) {
        const float *z = p.logits + image * p.classes;
        const int64_t label = p.labels[image];
        double top = z[0], sum = 0, loss = 0;
        for (int64_t c = 1; c < p.classes; c++) top = fmax(top, (double)z[c]);
        for (int64_t c = 0; c < p.classes; c++) sum += exp(z[c] - top);
        const double log_sum = top + log(sum);
        bool is_right = true;
        for (int64_t c = 0; c < p.classes; c++) {
            const double target = (c == label ? 1 - p.smoothing : 0) + p.smoothing / (double)p.classes;
            loss += target * (log_sum - z[c]);
            p.gradient[image * p.classes + c] = (float)((exp(z[c] - log_sum) - target) / (double)p.micro_batch);
            is_right = is_right && (c == label || z[c] < z[label]);
        }
        p.loss[image] = loss;
        p.correct[image] = is_right;
    }
}

// A block a run of weights: the square of the gradient's length there.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_lengths(const sw_net_update p) {
    SW_NET_EACH_BLOCK(run, p.runs) {
        const sw_net_run r = p.table[run];
        double2 sum = make_double2(0, 0);
        if (r.kind == SW_NET_KERNEL || r.kind == SW_NET_OTHER)
            for (int64_t i = threadIdx.x; i < r.count; i += blockDim.x) {
                const double g = p.gradient[r.start + i];
                sum.x += g * g;
            }
        sum = block_sum(sum);
        if (threadIdx.x == 0) p.partial[run] = sum.x;
    }
}

// One block: the factor of all gradients, which makes their mean over the parts no longer than the limit.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_scale(const sw_net_update p) {
    double2 sum = make_double2(0, 0);
    if (p.limit > 0)
        for (int64_t run = threadIdx.x; run < p.runs; run += blockDim.x) sum.x += p.partial[run];
    sum = block_sum(sum);
    const double length = sqrt(sum.x) / p.parts;
    if (threadIdx.x == 0) *p.scale = (float)(1 / p.parts * (p.limit > 0 && length > p.limit ? p.limit / length : 1));
}

// A block a run: other passes of one update.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_add(const sw_net_addition p) {
    SW_NET_EACH_BLOCK(run, p.runs) {
        const sw_net_run r = p.table[run];
        if (r.kind != SW_NET_KERNEL && r.kind != SW_NET_OTHER) continue;
        for (int64_t i = r.start + threadIdx.x; i < r.start + r.count; i += blockDim.x) p.gradient[i] += p.other[i];
    }
}

// A block a run of weights. Centroids of classes without images stay. SGD: v ← μv + g, w ← w − (rate·v + decay·w). Adam as `sw_adam` (weights.h).
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_update(const sw_net_update p) {
    const float scale = *p.scale;
    SW_NET_EACH_BLOCK(run, p.runs) {
        const sw_net_run r = p.table[run];
        const float decay = r.kind == SW_NET_KERNEL ? p.decay : 0;
        const bool is_averaged = r.kind == SW_NET_STATISTIC || r.kind == SW_NET_CENTROID;
        const float part = r.kind == SW_NET_STATISTIC ? p.statistics_part : p.centroids_part;
        if (r.kind == SW_NET_CENTROID && !(p.gradient[r.images] > 0)) continue;
        for (int64_t i = r.start + threadIdx.x; i < r.start + r.count; i += blockDim.x) {
            const float w = p.weights[i];
            if (is_averaged) {
                p.weights[i] = w + part * (p.gradient[i] / (float)p.parts - w);
                continue;
            }
            const float g = scale * p.gradient[i];
            if (p.is_adam) {
                const float m = p.beta1 * p.first[i] + (1 - p.beta1) * g;
                const float v = p.beta2 * p.second[i] + (1 - p.beta2) * g * g;
                p.first[i] = m;
                p.second[i] = v;
                p.weights[i] = w - (p.step * m / (sqrtf(v) + p.epsilon) + decay * w);
            } else {
                const float m = p.momentum * p.first[i] + g;
                p.first[i] = m;
                p.weights[i] = w - (p.rate * m + decay * w);
            }
        }
    }
}

// baseline + α(image − baseline) at the middles of `steps` equal parts; places past the last repeat it.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_path(const sw_net_points p) {
    SW_NET_EACH(i, p.places * p.size) {
        const int64_t pixel = i % p.size, step = min(p.first + i / p.size, p.steps - 1);
        const float alpha = ((float)step + 0.5f) / (float)p.steps, from = p.baseline[pixel];
        p.result[i] = from + alpha * (p.image[pixel] - from);
    }
}

// Pixels of exactly 0 get no noise.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_noisy(const sw_net_points p) {
    SW_NET_EACH(i, p.places * p.size) {
        const int64_t pixel = i % p.size;
        const float value = p.image[pixel];
        p.result[i] = value != 0 ? value + (float)(p.deviation * normal(p.streams[i / p.size], pixel)) : 0.0f;
    }
}

SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_exchange(const sw_net_exchange p) {
    SW_NET_EACH(i, p.places * p.size) {
        const int64_t place = i / p.size, pixel = i % p.size;
        bool is_other;
        if (p.boxes) {
            const int32_t *box = p.boxes + 4 * place;
            const int64_t row = pixel / p.width % p.height, column = pixel % p.width;
            is_other = row >= box[0] && row < box[1] && column >= box[2] && column < box[3];
        } else {
            is_other = p.ranks[pixel] < p.limits[place];
        }
        p.result[i] = is_other ? p.other[pixel] : p.image[pixel];
    }
}

SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_mean(const sw_net_mean p) {
    SW_NET_EACH(pixel, p.size) {
        double sum = p.sum[pixel];
        for (int64_t place = 0; place < p.places; place++) sum += p.gradient[place * p.size + pixel] / p.count;
        p.sum[pixel] = sum;
    }
}
