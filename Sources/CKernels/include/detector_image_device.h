// The problem of detector_image.h as a CUDA device wants it: many samples of one magnet on one image.
//
// The kernels are in cuda/detector_image.cu. Pointers are the device's.
#ifndef SPINWEAVE_DETECTOR_IMAGE_DEVICE_H
#define SPINWEAVE_DETECTOR_IMAGE_DEVICE_H

#include "detector_image.h"

// A point of the zone grid in one of the zones that come near the image.
typedef struct {
    int64_t q;
    double h, k, l; // magnetic r.l.u.; l is the grid's
} sw_image_visit;

// Modes of one visit that are deposited as one; h and k are the visit's.
typedef struct {
    double intensity, energy, velocity_h, velocity_k, spread;
    int32_t visit, unused;
} sw_image_bundle;

// A bundle as one domain shows it: its place, widths and correlations, and the pixels and bins it reaches (none where
// last_h < first_h).
typedef struct {
    double h, sigma_h, k, k_per_h, k_given_h;
    double energy, energy_per_h, energy_per_k, energy_given, intensity;
    int16_t first_h, last_h, first_k, last_k, first_bin, last_bin, unused[2];
} sw_image_gaussian;

typedef struct {
    // `settings`, `twins`, `sites`, `groups`, `form_factors` and the modes lie on the device; the modes are
    // those of `sample_count` samples, one after the other.
    sw_image_problem image;
    const int32_t *site_order;  // [site]: those of one group beside each other
    int64_t sample_count, visit_count;
    const sw_image_visit *visits;
    int64_t *counts;            // [sample][setting][visit]: bundles; later, where they begin
    int64_t *totals;            // [sample][setting]
    const int64_t *bases;       // [sample][setting]: where its bundles begin
    int64_t bundle_count;       // of all
    sw_image_bundle *bundles;   // [bundle], by sample, setting, visit
    sw_image_gaussian *gaussians; // [twin][bundle]; where cells are cut into parts, by sample, setting, twin, bundle, part
    int64_t *part_counts;       // where cells are cut: [twin][bundle], parts; later, where they begin
    int64_t *part_totals;       // [sample][setting][twin]
    const int64_t *part_bases;  // [sample][setting][twin]: where its Gaussians begin
    uint32_t *faults;           // [sample]: 1 where a velocity or amplitude of a mode is not finite
    float *images;              // [sample][twin][settings · h_count][bins · k_count]
} sw_image_device_problem;

#ifndef __CUDACC__

// The visits of an image in the order of the host's kernel; with `visits` null their number alone.
int64_t sw_image_list_visits(const sw_image_problem *problem, sw_image_visit *visits);

#endif

#endif
