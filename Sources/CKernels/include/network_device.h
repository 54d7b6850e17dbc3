// Layers of a network, its loss and its updates as a CUDA device computes them; the equations are in Learning.
//
// The kernels are in cuda/network_layers.cu, network_norms.cu, network_heads.cu and network_updates.cu. Pointers are the device's; maps lie
// [image][channel][pixel]. A vector is a map of one pixel.
#ifndef SPINWEAVE_NETWORK_DEVICE_H
#define SPINWEAVE_NETWORK_DEVICE_H

#include <stdint.h>

#include "noise_device.h"

// Values as they lie on the device: single precision, or bfloat16, which is the upper half of it.
typedef struct {
    const void *values;
    int32_t is_bf16;
} sw_net_source;

typedef struct {
    void *values;
    int32_t is_bf16;
} sw_net_target;

enum {  // sw_net_map.kind
    SW_NET_RELU,
    SW_NET_RELU_BACK,  // source: what ReLU gave
    SW_NET_GELU,
    SW_NET_GELU_BACK,
    SW_NET_LOG1P,
    SW_NET_LOG1P_BACK,
    SW_NET_ADD,
    SW_NET_COPY,
};

// A function of each value.
typedef struct {
    int64_t count;
    int32_t kind;
    sw_net_source source;
    sw_net_source gradient;  // of the result; or what is added
    sw_net_target result;    // may be source or gradient where it lies alike
} sw_net_map;

// result[image][channel][pixel] = source + bias[channel], then ReLU.
typedef struct {
    int64_t images, channels, pixels;
    int32_t is_rectified;
    const float *bias;
    sw_net_source source;
    sw_net_target result;  // may be source where it lies alike
} sw_net_bias;

// Sums over pixels, then over images.
typedef struct {
    int64_t images, channels, pixels;
    sw_net_source source;
    double *partial;       // [image][channel]; null: one pixel each, which needs no first step
    sw_net_target result;  // [channel]
} sw_net_sums;

// Values that move: panels, mirrored quadrants, edges of zeros.
typedef struct {
    int64_t maps, count;        // count: of the result
    int32_t height, width;      // of the larger map, which is the source on the way forward (but for padding, the result)
    int32_t rows, columns;      // panels
    int32_t top, left;          // padding
    int32_t inner_height, inner_width;
    int32_t is_back;
    sw_net_source source;
    sw_net_target result;
} sw_net_move;

typedef struct {
    int64_t maps;
    int32_t height, width, rows, columns;  // of the source; of the result
    int32_t kernel_height, kernel_width, stride_height, stride_width, top, left;
    int32_t is_maximum;
    sw_net_source source;   // back: gradient of the result
    sw_net_target result;   // back: gradient of the source
    int32_t *choice;        // [map][row][column] of the result: which pixel of the source was the largest
} sw_net_pool;

// Groups of values, each divided by its mean.
typedef struct {
    int64_t groups, size;
    double mean, epsilon;
    sw_net_source source;
    sw_net_source gradient;  // null: forward
    sw_net_target result;
} sw_net_unit;

// Normalisation of runs: over groups of channels of one image, or over one channel of the images of one part.
typedef struct {
    int64_t parts, images, channels, pixels;  // images: of one part
    int64_t groups;                           // of an image (group-norm)
    double epsilon;
    const float *scale, *shift;      // [channel]
    const float *mean, *variance;    // [channel]: given, not computed (batch-norm after training)
    sw_net_source source;
    sw_net_source gradient;
    sw_net_target result;
    double *maps;                    // batch-norm, [image][channel][2]: sums of one map
    double *statistics;              // batch-norm, [part][channel][2]: mean and variance of a part
    double *partial;                 // back, [part or image][channel][2]: gradients of scale and shift
} sw_net_norm;

// first[channel] = Σ values[row][channel][0], second[channel] = Σ values[row][channel][1]
typedef struct {
    int64_t rows, channels;
    const double *values;
    float *first, *second;
} sw_net_pairs;

typedef struct {
    int64_t parts, size;      // values of one part
    uint32_t limit;           // zero where the random number is below
    float kept;
    const sw_noise_stream *streams;  // [part]
    sw_net_source source;
    sw_net_target result;
} sw_net_dropout;

// Images and labels of a batch from among all.
typedef struct {
    int64_t images, size;
    const float *all;
    const int32_t *all_labels;
    const int32_t *members;   // [image]
    float *result;
    int32_t *labels;
} sw_net_gather;

typedef struct {
    int64_t images, classes, micro_batch;
    double smoothing;
    const float *logits;
    const int32_t *labels;
    float *gradient;   // of the mean loss of a micro-batch
    double *loss;      // [image]
    int32_t *correct;  // [image]
} sw_net_loss;

// Distances from centroids: u = W_c f − m_c/N_c, log K_c = factor·|u|².
typedef struct {
    int64_t images, classes, width;
    double factor;             // −1/2nσ²
    const float *sums;         // m, [class][width]
    const float *counts;       // N, [class]
    const int32_t *labels;     // [image]
    float *embeddings;         // [image][class][width]: W_c f, then u
    float *result;             // [image][class]: log K
    const float *gradient;     // back: of log K
    float *slopes;             // back: of u
    float *found_sums;         // [class][width]: Σ W_c f over the images of the class
    float *found_counts;       // [class]: those images
} sw_net_centroids;

// −log of the mixture of Gaussians that a network gives (Learning/MixtureHead.swift).
typedef struct {
    int64_t images, dimensions, components, micro_batch;
    double saturation;
    const float *outputs;    // [image][component][1 + 2d + d(d − 1)/2]
    const double *targets;   // [member][d]
    const int32_t *members;  // [image]
    double *terms;           // [image][component]
    double *slopes;          // as outputs
    float *gradient;         // of the mean loss of a micro-batch, as outputs
    double *loss;            // [image]
} sw_net_density;

// The penalty λ (|g| − 1)² of the images of each part (Learning/GradientPenalty.swift): g is the gradient of Σ K.
typedef struct {
    int64_t parts, micro_batch, size, classes;
    double weight;             // λ
    double step;               // of the image that moves most
    double sign;               // of the move
    const float *log_kernels;  // [image][class]
    float *pull;               // [image][class]: gradient of log K
    const float *images;       // [image][size]
    const float *gradient;     // g, [image][size]
    float *direction;          // v, [image][size]
    float *moved;              // [image][size]
    double *lengths;           // [image]: |g|
    double *moves;             // [part]: ε; 0 where nothing moves. Null: the pull is that of Σ K itself
    double *loss;              // [image]: what the penalty is added to
} sw_net_penalty;

enum { SW_NET_KERNEL, SW_NET_OTHER, SW_NET_STATISTIC, SW_NET_CENTROID };

// A run of weights of one kind.
typedef struct {
    int64_t start, count;
    int64_t images;  // of a centroid: where, among the gradients, the number of its class's images is
    int32_t kind;
} sw_net_run;

// gradient += other, where weights are learnt by it.
typedef struct {
    int64_t runs;
    const sw_net_run *table;
    const float *other;
    float *gradient;
} sw_net_addition;

typedef struct {
    int64_t runs;
    const sw_net_run *table;
    const float *gradient;   // summed over `parts` micro-batches; in the places of statistics, those
    double parts;
    double limit;            // of the gradient's length; 0: none
    double *partial;         // [run]
    float *scale;            // one number
    float *weights, *first, *second;
    int32_t is_adam;
    float momentum;          // SGD
    float rate, decay;       // of one update; decay: rate · weight decay
    float beta1, beta2, epsilon, step;
    float statistics_part, centroids_part;
} sw_net_update;

// Points on the way from a baseline to an image, or noisy copies of an image; and the mean of gradients there.
typedef struct {
    int64_t places, size;
    int64_t first, steps;            // number of the first point, and of all
    double deviation;
    const float *image, *baseline;
    const sw_noise_stream *streams;  // [place]
    float *result;                   // [place][size]
} sw_net_points;

// An image with some of its pixels from another: at each place within one box, or the first pixels of an order.
typedef struct {
    int64_t places, size, height, width;
    const float *image, *other;
    const int32_t *boxes;   // [place][4]: first row, row behind the last, first column, column behind the last; null: by order
    const int32_t *ranks;   // [size]: which pixel is exchanged when, from 0
    const int32_t *limits;  // [place]: so many are exchanged
    float *result;          // [place][size]
} sw_net_exchange;

typedef struct {
    int64_t places, size;
    double count;
    const float *gradient;  // [place][size]
    double *sum;            // [size]
} sw_net_mean;

#endif
