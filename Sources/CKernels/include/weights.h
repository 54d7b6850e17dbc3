// What training does to every weight of a network between two passes; the equations are in Learning/WeightUpdate.swift.
#ifndef SPINWEAVE_WEIGHTS_H
#define SPINWEAVE_WEIGHTS_H

#include <stdint.h>

// One update by Adam: `gradient` is multiplied by `scale` first, `step` and `epsilon` hold the corrections of the moments.
// No multiplication is fused with an addition: the same bits on every processor.
void sw_adam(
    float *weights, const float *gradient, float *first, float *second, int64_t count, float scale, float beta1,
    float beta2, float epsilon, float step, float decay);

// sum += values
void sw_add(float *sum, const float *values, int64_t count);

#endif
