// Spin-wave modes of one magnet at many wavevectors, eight at a time.
#ifndef SPINWEAVE_MAGNONS_H
#define SPINWEAVE_MAGNONS_H

#include <stdint.h>

// Adds (re + i im) exp(2πi q·w) to one element of a matrix.
typedef struct {
    int32_t row, column; // row <= column
    int32_t winding;     // index into the phases
    int32_t unused;
    double re, im;
} sw_magnon_entry;

// A part of the Hamiltonian that couples to no other.
//
// With a metric: a Hermitian matrix of `size` rows, `particles` rows of positive and the rest of negative metric; it has
// one mode for each particle. In quadratures: two Hermitian matrices M_p and M_x of `size` rows each, H = ½(x†M_x x + p†M_p p),
// with one mode for each row.
typedef struct {
    int64_t size;
    int64_t particles; // rows of positive metric; unused in quadratures
    int32_t in_quadratures;
    // For each row: the orbit of sites it stands for, and whether it is a hole (b† at −q).
    const int32_t *orbit;
    const int32_t *is_hole;
    // For each matrix (H, or M_p and M_x): what does not depend on q (complex, rows contiguous, upper triangle), and what does.
    const double *constant[2];
    const sw_magnon_entry *entries[2];
    int64_t entry_count[2];
    // For each site the complex number that its orbit's amplitude is multiplied by, besides the phase of its winding.
    const double *roots;
} sw_magnon_block;

typedef struct {
    int32_t orbit;
    int32_t winding; // its amplitude is its orbit's times exp(2πi q·w)
    double scale;    // √(S/2) / √(sites in the orbit)
} sw_magnon_site;

typedef struct {
    int64_t point_count, winding_count, site_count, orbit_count, block_count;
    const sw_magnon_block *blocks;
    const sw_magnon_site *sites;
    const double *windings; // [winding][3], in units of the cell
    const double *phases;   // [point][winding][2]
    double shift;           // added to the diagonal where Cholesky fails (meV)

    // For intensities, null where they are not wanted.
    const double *weights;    // [point][site][2]: form factor and phase of the site
    const double *axes;       // [site][2][3]: what W_1 and W_2 multiply
    const double *directions; // [point][3]: the unit vector along Q; 0 leaves the projection out

    // Results; null where they are not wanted. Modes are in ascending energy.
    double *energies;   // [point][mode], meV
    double *amplitudes; // [point][mode][site][2][2]: W_1 and W_2
    double *velocities; // [point][mode][3], meV per r.l.u.
    double *intensities; // [point][mode]: S⊥
    double *particles;  // [point][mode]: Σ|V_i|², which grows like 1/ω towards a Goldstone point
    uint8_t *status;    // [point]: SW_MAGNON_* bits; always given
} sw_magnon_problem;

enum {
    SW_MAGNON_UNSTABLE = 1,     // not positive definite
    SW_MAGNON_REGULARISED = 2,  // positive definite with the shift alone
    SW_MAGNON_NOT_CONVERGED = 4,
};

#ifndef __CUDACC__ // for the host alone

// How many doubles `sw_magnons` needs for itself.
int64_t sw_magnons_scratch(const sw_magnon_problem *problem);

// Solves the problem with the instruction set `level` (0: the best, 1: baseline, 2: AVX2, 3: AVX-512).
//
// With no results wanted but the status, only decides whether each point is positive definite.
// Returns the level used, 0 when the processor lacks it.
int sw_magnons(const sw_magnon_problem *problem, double *scratch, int level);

#endif

#endif
