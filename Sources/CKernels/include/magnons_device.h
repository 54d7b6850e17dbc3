// The problem of magnons.h as a CUDA device wants it: flat arrays, and room for what passes from one kernel to the next.
//
// The kernels are in cuda/magnons.cu. Pointers are the device's.
#ifndef SPINWEAVE_MAGNONS_DEVICE_H
#define SPINWEAVE_MAGNONS_DEVICE_H

#include "magnons.h"

// An element of a block's matrix that depends on q, and which entries make it up, in their order.
typedef struct {
    int32_t row, column; // row <= column
    int32_t first, count; // of the entries
} sw_magnon_cell;

typedef struct {
    int32_t size, particles, modes, in_quadratures;
    int32_t first_mode, first_row; // this block's first among all modes, and among all rows
    int32_t orbit, is_hole;        // where its lines of `integers` begin
    int32_t roots;                 // where its sites' numbers begin in `doubles`
    // Of H, or of M_p and M_x: where the constant begins in `doubles`, and where the cells are.
    int32_t constant[2], cells[2], cell_count[2];
} sw_magnon_device_block;

// `slot_count` wavevectors are solved at once, of one Hamiltonian after the other, which differ in their numbers but not in the
// sizes of their blocks: point p is wavevector p % sample_points of sample p / sample_points. Slot s is the point s, or list[s] where
// there is a list.
//
// What a block leaves at a slot is at index block · slot_count + s; its matrices are packed to `pitch` = the largest size.
typedef struct {
    int64_t slot_count, sample_points;
    int32_t winding_count, site_count, orbit_count, block_count, mode_count, pitch;
    int32_t attempt;           // 0, or 1: with the shift, where the first has failed
    int32_t wanted;            // 0: whether H is positive definite; 1: energies; 2: the modes
    int32_t rotation_capacity; // rotations kept for a block's eigenvectors; beyond them it has not converged
    const int32_t *list;  // [slot], or null
    const double *shifts; // [sample]: what a second attempt adds to the diagonal
    const sw_magnon_device_block *blocks; // [sample][block]
    const sw_magnon_cell *cells;
    const sw_magnon_entry *entries;
    const int32_t *integers;
    const double *doubles;
    const sw_magnon_site *sites;
    const double *windings, *axes;       // as in sw_magnon_problem
    const double *phases;                // [wavevector][winding][2]
    const double *weights, *directions;  // [point]…, as in sw_magnon_problem

    // What passes between kernels.
    double *matrices;        // [block][slot][pitch][pitch][2]: K above the diagonal, reflectors below it
    double *lines;           // [block][slot][6][pitch]: d (eigenvalues later), e, tau, 1/K_ii, re and im of the phase
    double *rotations;       // [block][slot][rotation_capacity][2]: cosine and sine
    int16_t *columns;        // [block][slot][rotation_capacity]: the lower of the two columns that are turned
    int32_t *rotation_count; // [block][slot]; −1 where QL did not converge or needed more
    int32_t *breakdown;      // [block][slot]: 0, 1 + the row whose pivot was not positive, or −1: M_x is not
    double *mode_energies;   // [slot][mode], block after block
    double *mode_particles, *mode_intensities, *mode_velocities; // the same with [3] for velocities
    double *mode_amplitudes; // [slot][mode][orbit][2][2]
    double *spill;           // [thread block][spill_stride]: for matrices that no shared memory takes
    int64_t spill_stride;

    // Results, as in sw_magnon_problem.
    double *energies, *amplitudes, *velocities, *intensities, *particles;
    uint8_t *status;  // [point]
    int32_t *pivots;  // [point]: `breakdown` of the first block that has one, its row counted from the first block's first; or 0
} sw_magnon_device_problem;

#ifndef __CUDACC__

// How long the flat arrays are.
typedef struct {
    int64_t blocks, cells, entries, integers, doubles;
} sw_magnon_table_counts;

// Adds the flat arrays that describe the blocks of a problem to what earlier problems `before` have in them; with `blocks` null
// their lengths alone.
sw_magnon_table_counts sw_magnons_tabulate(
    const sw_magnon_problem *problem, sw_magnon_table_counts before, sw_magnon_device_block *blocks, sw_magnon_cell *cells, sw_magnon_entry *entries,
    int32_t *integers, double *doubles);

#endif

// Where a team of `team` threads keeps what it works on, in doubles from the beginning of its room; all are even, so that a
// complex number is moved in one piece. Host and device lay it out by the same rule.
#ifdef __CUDACC__
#define SW_MAGNON_RULE static __device__ inline
#else
#define SW_MAGNON_RULE static inline
#endif

// Doubles from one row of a matrix to the next, half of them odd: then rows and columns both lie in different banks.
SW_MAGNON_RULE int32_t sw_magnon_pitch(int32_t columns) { return 2 * (columns | 1); }
SW_MAGNON_RULE int32_t sw_magnon_even(int32_t count) { return (count + 1) / 2 * 2; }

// Doubles that a thread needs which solves blocks of up to so many rows alone (cuda/magnons_small.cuh): two matrices, the second
// of which also takes QL's eigenvectors, d and e.
#define SW_MAGNON_SMALL 4
SW_MAGNON_RULE int32_t sw_magnon_small_doubles(int32_t size) {
    const int32_t matrix = size * size, turns = (matrix + 1) / 2 + size;
    return 2 * (matrix + (matrix > turns ? matrix : turns));
}

typedef struct {
    int32_t matrix, half, diagonal, inverse, product, scratch, total;
} sw_magnon_reduce_layout;

SW_MAGNON_RULE sw_magnon_reduce_layout sw_magnon_lay_out_reduce(int32_t size, int32_t in_quadratures, int32_t team) {
    sw_magnon_reduce_layout at;
    const int32_t square = size * sw_magnon_pitch(size);
    at.matrix = 0;
    at.half = at.matrix + square;
    at.diagonal = at.half + (in_quadratures ? square : 0);
    at.inverse = at.diagonal + sw_magnon_even(size);
    at.product = at.inverse + sw_magnon_even(size);
    at.scratch = at.product + 2 * size;
    at.total = at.scratch + (team > 32 ? sw_magnon_even(team / 16) : 0);
    return at;
}

typedef struct {
    // `turned` holds the eigenvectors of the tridiagonal matrix, and for quadratures X later.
    int32_t turned, modes, rows, effective, phase, rotations, values, tau, inverse, energies, order, columns, scratch, total;
} sw_magnon_vector_layout;

// `orbits` of those that intensities are wanted of, else 0.
SW_MAGNON_RULE sw_magnon_vector_layout sw_magnon_lay_out_vectors(
    int32_t size, int32_t modes, int32_t in_quadratures, int32_t orbits, int32_t team) {
    sw_magnon_vector_layout at;
    const int32_t line = sw_magnon_even(size), square = sw_magnon_even(size * size), width = size * sw_magnon_pitch(modes);
    at.turned = 0;
    at.modes = at.turned + (in_quadratures && width > square ? width : square);
    at.rows = at.modes + width;
    at.effective = at.rows + 4 * size;
    at.phase = at.effective + 12 * orbits;
    at.rotations = at.phase + 2 * size;
    at.values = at.rotations + 2 * team;
    at.tau = at.values + line;
    at.inverse = at.tau + line;
    at.energies = at.inverse + line;
    at.order = at.energies + line;
    at.columns = at.order + line;
    at.scratch = at.columns + sw_magnon_even(team);
    at.total = at.scratch + (team > 32 ? sw_magnon_even(team / 16) : 0);
    return at;
}

#endif
