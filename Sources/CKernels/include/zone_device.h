// Modes over whole zones of many samples on a CUDA device: what magnons.cu solved, as detector_image.cu takes it.
//
// The kernel is in cuda/zone.cu. Pointers are the device's.
#ifndef SPINWEAVE_ZONE_DEVICE_H
#define SPINWEAVE_ZONE_DEVICE_H

#include "magnons.h"

// Where one sample's modes go.
typedef struct {
    double *energies;  // [point][mode]; NaN where unstable
    float *velocities; // [point][mode][3]
    float *amplitudes; // [point][mode][site][2][2]
} sw_zone_place;

typedef struct {
    int64_t row_count, mode_count, site_count; // rows: the points that were solved
    const int32_t *points;     // [row]: its point of the grid
    const int32_t *opposites;  // [row]: the point at −q, where that follows from it; else its own
    double divergence[2];      // particles above which a mode has no weight; at a point with the shift
    const uint8_t *status;     // [sample][row], SW_MAGNON_*
    const double *energies;    // [sample][row][mode]
    const double *particles;   // [sample][row][mode]
    const double *velocities;  // [sample][row][mode][3]
    const double *amplitudes;  // [sample][row][mode][site][2][2]
    const sw_zone_place *places; // [sample]
} sw_zone_problem;

#endif
