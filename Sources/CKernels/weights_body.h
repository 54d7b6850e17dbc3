static void NAME(adam)(
    float *restrict weights, const float *restrict gradient, float *restrict first, float *restrict second,
    int64_t count, float scale, float beta1, float beta2, float epsilon, float step, float decay) {
    const float part1 = 1 - beta1, part2 = 1 - beta2;
    for (int64_t i = 0; i < count; i++) {
        const float g = scale * gradient[i];
        const float m = beta1 * first[i] + part1 * g;
        const float v = beta2 * second[i] + part2 * g * g;
        first[i] = m;
        second[i] = v;
        weights[i] -= step * m / (__builtin_elementwise_sqrt(v) + epsilon) + decay * weights[i];
    }
}

static void NAME(add)(float *restrict sum, const float *restrict values, int64_t count) {
    for (int64_t i = 0; i < count; i++) sum[i] += values[i];
}
