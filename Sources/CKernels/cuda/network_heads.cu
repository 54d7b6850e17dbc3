// Last layers and losses beside those of classes: Learning/Centroids.swift, KernelLoss.swift, GradientPenalty.swift and
// MixtureHead.swift. In double precision, as on the host.
#include "network.cuh"

// A thread a number: Σ W_c f over the images of its class, in their order, and how many they are.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_class_sums(const sw_net_centroids p) {
    SW_NET_EACH(i, p.classes * p.width) {
        const int64_t label = i / p.width;
        double sum = 0;
        int64_t count = 0;
        for (int64_t image = 0; image < p.images; image++) {
            if (p.labels[image] != label) continue;
            sum += p.embeddings[image * p.classes * p.width + i];
            count++;
        }
        p.found_sums[i] = (float)sum;
        if (i % p.width == 0) p.found_counts[label] = (float)count;
    }
}

// A block an image and class.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_log_kernels(const sw_net_centroids p) {
    SW_NET_EACH_BLOCK(row, p.images * p.classes) {
        const int64_t label = row % p.classes;
        double2 sum = make_double2(0, 0);
        for (int64_t i = threadIdx.x; i < p.width; i += blockDim.x) {
            const float u = p.embeddings[row * p.width + i] - p.sums[label * p.width + i] / p.counts[label];
            p.embeddings[row * p.width + i] = u;
            sum.x += (double)u * u;
        }
        sum = block_sum(sum);
        if (threadIdx.x == 0) p.result[row] = (float)(p.factor * sum.x);
    }
}

SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_log_kernels_back(const sw_net_centroids p) {
    const float factor = (float)(2 * p.factor);
    SW_NET_EACH(i, p.images * p.classes * p.width) {
        p.slopes[i] = factor * p.gradient[i / p.width] * p.embeddings[i];
    }
}

// A thread an image: the cross-entropy of each class's kernel with "is it this class?". `nearest` as KernelLoss.nearest.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_kernel_loss(const sw_net_loss p) {
    const double nearest = 1e-6, count = (double)p.classes;
    SW_NET_EACH(image, p.images) {
        const float *z = p.logits + image * p.classes;
        const int64_t label = p.labels[image];
        double loss = 0;
        bool is_right = true;
        for (int64_t c = 0; c < p.classes; c++) {
            const double value = z[c], target = (c == label ? 1 - p.smoothing : 0) + p.smoothing / count;
            const double distance = fmax(-value, nearest);
            loss -= (target * value + (1 - target) * log(-expm1(-distance))) / count;
            const double slope = value < -nearest ? (1 - target) / expm1(distance) : 0;
            p.gradient[image * p.classes + c] = (float)((slope - target) / count / (double)p.micro_batch);
            is_right = is_right && (c == label || z[c] < z[label]);
        }
        p.loss[image] = loss;
        p.correct[image] = is_right;
    }
}

// One Gaussian of a mixture, as a network describes it: U is lower triangular, with positive diagonal.
struct MixturePart {
    const float *part;
    int64_t dimensions;
    double saturation;

    __device__ double bend(int64_t row) const { return tanh(part[1 + dimensions + row] / saturation); }
    __device__ double log_diagonal(int64_t row) const { return saturation * bend(row); }
    // Of row `row`, those below the diagonal.
    __device__ int64_t below(int64_t row) const { return 1 + 2 * dimensions + row * (row - 1) / 2; }

    // Row `row` of U (z − μ).
    __device__ double distance(int64_t row, double diagonal, const double *z) const {
        const float *factor = part + below(row), *mean = part + 1;
        double y = 0;
        for (int64_t column = 0; column < row; column++) y += factor[column] * (z[column] - mean[column]);
        return y + diagonal * (z[row] - mean[row]);
    }
};

// A block an image, a thread a component: −log Σ w N(z; μ, U), and its gradient.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_density_loss(const sw_net_density p) {
    const int64_t d = p.dimensions, stride = 1 + 2 * d + d * (d - 1) / 2;
    const double log_two_pi = 1.8378770664093453, least = 0x1p-1022;
    SW_NET_EACH_BLOCK(image, p.images) {
        const float *outputs = p.outputs + image * p.components * stride;
        const double *z = p.targets + p.members[image] * d;
        double *terms = p.terms + image * p.components;
        double top_weight = outputs[0], weights = 0;
        for (int64_t k = 1; k < p.components; k++) top_weight = fmax(top_weight, (double)outputs[k * stride]);
        for (int64_t k = 0; k < p.components; k++) weights += exp(outputs[k * stride] - top_weight);
        for (int64_t k = threadIdx.x; k < p.components; k += blockDim.x) {
            const MixturePart component = {outputs + k * stride, d, p.saturation};
            double term = -0.5 * (double)d * log_two_pi;
            for (int64_t row = 0; row < d; row++) {
                const double log_diagonal = component.log_diagonal(row);
                const double y = component.distance(row, exp(log_diagonal), z);
                term += log_diagonal - 0.5 * y * y;
            }
            terms[k] = term + log(fmax(exp(component.part[0] - top_weight) / weights, least));
        }
        __syncthreads();
        double top = terms[0], sum = 0;
        for (int64_t k = 1; k < p.components; k++) top = fmax(top, terms[k]);
        for (int64_t k = 0; k < p.components; k++) sum += exp(terms[k] - top);
        const double log_density = top + log(sum);
        if (threadIdx.x == 0) p.loss[image] = -log_density;
        for (int64_t k = threadIdx.x; k < p.components; k += blockDim.x) {
            const MixturePart component = {outputs + k * stride, d, p.saturation};
            double *slopes = p.slopes + (image * p.components + k) * stride;
            // How much of the density at z is this component's.
            const double share = exp(terms[k] - log_density);
            slopes[0] = exp(component.part[0] - top_weight) / weights - share;
            for (int64_t row = 0; row < d; row++) slopes[1 + row] = 0;
            for (int64_t row = 0; row < d; row++) {
                const double bend = component.bend(row), diagonal = exp(p.saturation * bend);
                const double y = component.distance(row, diagonal, z), pull = share * y;
                const int64_t below = component.below(row);
                for (int64_t column = 0; column < row; column++) {
                    slopes[1 + column] -= pull * component.part[below + column];
                    slopes[below + column] = pull * (z[column] - component.part[1 + column]);
                }
                slopes[1 + row] -= pull * diagonal;
                slopes[1 + d + row] =
                    share * (y * diagonal * (z[row] - component.part[1 + row]) - 1) * (1 - bend * bend);
            }
            float *gradient = p.gradient + (image * p.components + k) * stride;
            for (int64_t i = 0; i < stride; i++) gradient[i] = (float)(slopes[i] / (double)p.micro_batch);
        }
    }
}

// ∂S/∂ log K = K, of S = Σ K; or of what the penalty's gradient is a difference of: ±λ/B/2ε · S.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_kernel_pull(const sw_net_penalty p) {
    SW_NET_EACH(i, p.parts * p.micro_batch * p.classes) {
        double factor = 1;
        if (p.moves) {
            const double move = p.moves[i / (p.micro_batch * p.classes)];
            factor = move > 0 ? p.sign * p.weight / (double)p.micro_batch / (2 * move) : 0;
        }
        p.pull[i] = (float)(factor * exp((double)p.log_kernels[i]));
    }
}

// A block an image: |g|, v = 2 (|g| − 1) g/|g|, and the penalty.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_slopes(const sw_net_penalty p) {
    SW_NET_EACH_BLOCK(image, p.parts * p.micro_batch) {
        const int64_t start = image * p.size;
        double2 sum = make_double2(0, 0);
        for (int64_t i = start + threadIdx.x; i < start + p.size; i += blockDim.x)
            sum.x += (double)p.gradient[i] * p.gradient[i];
        const double length = sqrt(block_sum(sum).x);
        // No direction where nothing changes: the corner of |g|.
        const double factor = length > 0 ? 2 * (length - 1) / length : 0;
        for (int64_t i = start + threadIdx.x; i < start + p.size; i += blockDim.x)
            p.direction[i] = (float)(factor * p.gradient[i]);
        if (threadIdx.x == 0) {
            p.lengths[image] = length;
            p.loss[image] += p.weight * (length - 1) * (length - 1);
        }
    }
}

// A thread a part: how far its images move.
SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_moves(const sw_net_penalty p) {
    SW_NET_EACH(part, p.parts) {
        double longest = 1, farthest = 0;
        for (int64_t image = part * p.micro_batch; image < (part + 1) * p.micro_batch; image++) {
            longest = fmax(longest, p.lengths[image]);
            farthest = fmax(farthest, fabs(2 * (p.lengths[image] - 1)));
        }
        p.moves[part] = farthest > 0 ? p.step / longest / farthest : 0;
    }
}

SW_KERNEL __launch_bounds__(SW_NET_THREADS) sw_network_moved(const sw_net_penalty p) {
    SW_NET_EACH(i, p.parts * p.micro_batch * p.size) {
        const float move = (float)(p.sign * p.moves[i / (p.micro_batch * p.size)]);
        p.moved[i] = p.images[i] + move * p.direction[i];
    }
}
