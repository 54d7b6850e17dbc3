// Deposits spin-wave modes on a detector image; the equations are in Instruments/DetectorImage.swift.
#ifndef SPINWEAVE_DETECTOR_IMAGE_H
#define SPINWEAVE_DETECTOR_IMAGE_H

#include <stdint.h>

// One incident energy. Energies in meV, wavevectors in 1/Angstrom, h and k in r.l.u. of the image lattice.
typedef struct {
    double incident_energy;
    double incident_wavevector;
    double first_bin_edge, bin_width;
    // Covariances on a regular grid, [energy][k][h][8]: hh, hk, kk, hE, kE, EE, 0, 0. Outside, the edge counts.
    const double *table;
    int64_t table_h, table_k, table_energy;
    double h_origin, h_per_step, k_origin, k_per_step, energy_origin, energy_per_step;
    // Upper bounds over the table, and the energy distance within which modes of one point are deposited as one.
    double largest_sigma_h, largest_sigma_k, largest_sigma_energy, merge_width;
    double output_factor;  // multiplies this setting's rows at the end
} sw_image_setting;

// Image position of a domain's own (h, k): (x, y) = map · (h, k), row-major; (h, k) in r.l.u. of the image lattice.
typedef struct {
    double map[4];
} sw_image_twin;

typedef struct {
    double position[3];  // fractional, magnetic cell
    double frame[6];     // two Cartesian unit vectors
    int64_t group;       // index of its (ion, z) group
} sw_image_site;

// Sites that share ion and z have one form factor and one phase along l.
typedef struct {
    int64_t ion;
    double z;
} sw_image_group;

typedef struct {
    // image
    int64_t setting_count, bin_count, h_count, k_count;
    double h_edge, h_step, k_edge, k_step;  // lower edge of the first pixel, ascending
    const sw_image_setting *settings;
    int64_t twin_count;
    const sw_image_twin *twins;
    // reciprocal units: 2π / (a, b, c) of the magnetic cell in 1/Angstrom; magnetic r.l.u. = scale · image r.l.u.
    double reciprocal[3];
    double scale[2];
    // part of the domain's own reciprocal plane to visit, magnetic r.l.u.
    double h_range[2], k_range[2];
    // modes on the zone grid, index (i1·n2 + i2)·n3 + i3
    int64_t n1, n2, n3, mode_count, site_count, group_count;
    const double *energies;      // [Nq][M], NaN: absent
    const float *velocities;     // [Nq][M][3], meV per magnetic r.l.u.
    const float *amplitudes;     // [Nq][M][sites][2] complex
    const sw_image_site *sites;
    const sw_image_group *groups;
    const double *form_factors;  // [ions][7]: A a B b C c D
    int32_t use_flux_ratio;      // multiply by kf/ki
    double thermal_energy;       // k_B T in meV; 0: T = 0
    double weight;               // area of a grid cell over the area of a pixel
    // A crystal that turns about c*: the mean over l from layer_low to layer_high (magnetic r.l.u.) of what is seen at each l;
    // layer_count values of l where modes do not disperse along it. 0 layers: l follows from kinematics, c* along the beam.
    int64_t layer_count;
    double layer_low, layer_high;
    // What a grid point stands for: its cell has cell_variance times the variance of a cell that fills the grid (1), and with
    // finest > 0 is deposited in parts no wider, along the dispersion, than that many standard deviations of the resolution.
    double cell_variance, finest;
} sw_image_problem;

#ifndef __CUDACC__ // for the host alone

// Doubles of scratch that sw_detector_image needs.
int64_t sw_detector_image_scratch(const sw_image_problem *problem);

// Writes `image`, [twins][settings · h_count][bins · k_count], h descending, using `scratch` (any contents).
//
// level 0: the best instruction set of the machine; 1: baseline; 2: AVX2; 3: AVX-512.
// Returns the level used; 0 when the machine lacks it; -1 when a velocity or amplitude is not finite.
int sw_detector_image_at_level(const sw_image_problem *problem, double *scratch, float *image, int level);

// A Gaussian in (h, k, E) along the image's axes; the resolution's covariance is added to its own.
typedef struct {
    int64_t twin, setting;
    double h, k, energy, intensity;
    double covariance[6];  // hh, hk, kk, hE, kE, EE
} sw_image_packet;

// Adds packets to `image`, [twins · settings][bins][h_count, ascending][k_count + 8]; of the problem, what describes the image and
// its settings is read. Levels as above; returns the level used, or 0 when the machine lacks it.
int sw_detector_image_deposit(
    const sw_image_problem *problem, const sw_image_packet *packets, int64_t count, double *image, int level);

// The normal distribution function of the kernels: 0 and 1 beyond 5.3 (to 1e-11), absolute error below 1e-7.
double sw_normal_cdf(double x);

#endif

#endif
