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
    int64_t bin_count, bin_columns;      // panels of a row of pixels, and its columns in each
    int32_t is_poisson;
    double dead_probability, clip_low, clip_high;
    const double *expected;              // [image][pixel]
    const double *holder;                // [image][pixel]: the empty holder's part; null: nothing is subtracted
    const double *subtraction;           // [image]
    const double *helium;                // [image][setting][bin][2]: response and correction; null: 1
    int64_t tube_count;
    double tube_width;                   // degrees
    const double *tubes;                 // [image][tube + 1]: sums of the efficiencies of those before, from -90 degrees on; null: all alike
    const double *lower_edges, *upper_edges; // [pixel]: angles of a pixel's edges, degrees; NaN out of reach of the kinematics
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
    const double *panels;         // [image][setting][bin]: added within reach of the kinematics; null: nothing, and no tails
    const double *final_squares;  // [setting][bin]: kf^2
    const double *row_squares, *column_squares; // [row], [column]: Q^2 along h and along k
    const int64_t *tail_starts;   // [image + 1]: first of an image's streaks
    const double *tail_heights;   // [streak][setting][bin]
    const double *tail_rows, *tail_columns;     // [streak][row], [streak][column]
    const uint8_t *mask;          // [pixel]: 1 where there is no detector; null: none
    double *sums;                 // [image]
    double *expected;             // [image][pixel]
} sw_noise_mixture;

// Images as the errors of crystal and instrument show them: Instruments/GeometryJitter.swift.
typedef struct {
    int64_t setting_count, row_count, bin_count, column_count; // rows and columns of one panel: pixels along h, falling, and along k
    double h_unit, k_unit;              // Q of h = 1 and k = 1, 1/angstrom
    double h_minimum, h_step, k_minimum, k_step;
    const double *rows, *columns;       // [row], [column]: Q of a pixel's centre along each axis
    const double *incident;             // [setting]: ki
    const double *final_squares;        // [setting][bin]: kf^2
    const double *rotation;             // [image][2][3]: the first rows of the matrix that takes Q to the crystal's axes
    const double *lattice;              // [image][2]
    const double *roots;                // [image][setting]: of the factor of the energies
    const double *places;               // [image][setting][bin]: where along the energy bins, in bins
    const double *still;                // [image][pixel]
    double *moved;                      // [image][pixel]
} sw_noise_misalignment;

#endif
