// Counts of many images as a CUDA device draws them; the equations are in Instruments/CountingStatistics.swift.
//
// The kernel is in cuda/noise.cu. Pointers are the device's.
#ifndef SPINWEAVE_NOISE_DEVICE_H
#define SPINWEAVE_NOISE_DEVICE_H

#include <stdint.h>

// A stream of random numbers: Compute/RandomStream.
typedef struct {
    uint64_t key, lane;
} sw_noise_stream;

// Counting in the sample's run and in the empty holder's.
typedef struct {
    double gain, floor, noise, empty_noise;
} sw_noise_setting;

typedef struct {
    int64_t image_count, setting_count, setting_pixels; // pixels of one setting; an image has them one after the other
    int32_t is_poisson;
    double dead_probability, clip_low, clip_high;
    const double *expected;              // [image][pixel]
    const double *holder;                // [image][pixel]: the empty holder's part; null: nothing is subtracted
    const double *subtraction;           // [image]
    const double *response, *correction; // [image][pixel]; null: 1
    const uint8_t *mask;                 // [pixel]: 1 where there is no detector; null: none
    const sw_noise_setting *settings;    // [image][setting]
    const sw_noise_stream *streams;      // [image][3]: counting, the empty holder's counting, dead pixels
    float *images;                       // [image][pixel]
} sw_noise_problem;

// What detectors would show after infinite counting, made of the domains of several sources.
typedef struct {
    int64_t domain_count, setting_count, setting_pixels, bin_count, bin_columns;
    int64_t seen;                 // pixels that the mask leaves
    const float *const *domains;  // [image]: its source's [domain][pixel]
    const double *fractions;      // [image][domain]
    const double *factors;        // [image]
    const double *targets;        // [image]: the mean of what is seen, before offsets; null: as computed
    const double *setting_scales; // [image][setting]
    const double *offsets;        // [image][setting][bin]
    const double *additions;      // [image][pixel]; null: nothing
    const uint8_t *mask;          // [pixel]: 1 where there is no detector; null: none
    double *sums;                 // [image]
    double *expected;             // [image][pixel]
} sw_noise_mixture;

#endif
