// The modes of one block of the Hamiltonian at one wavevector, by a team, in two steps with QL between them; after
// ../magnons_block.h.
#ifndef SPINWEAVE_MAGNONS_BLOCK_CUH
#define SPINWEAVE_MAGNONS_BLOCK_CUH

#include "magnons_record.cuh"
#include "magnons_tridiagonal.cuh"
#include "magnons_ql.cuh"

// What one step leaves for the next, of one block at one slot.
struct Passage {
    Complex *matrix;
    double *d, *e, *tau, *inverse, *phase;
    Complex *rotations;
    int16_t *columns;
    int32_t *rotation_count, *breakdown;

    __device__ __forceinline__ Passage(const sw_magnon_device_problem &p, int64_t block, int64_t slot) {
        const int64_t k = block * p.slot_count + slot;
        matrix = reinterpret_cast<Complex *>(p.matrices) + k * p.pitch * p.pitch;
        d = p.lines + k * 6 * p.pitch;
        e = d + p.pitch;
        tau = e + p.pitch;
        inverse = tau + p.pitch;
        phase = inverse + p.pitch;
        rotations = reinterpret_cast<Complex *>(p.rotations) + k * p.rotation_capacity;
        columns = p.columns + k * p.rotation_capacity;
        rotation_count = p.rotation_count + k;
        breakdown = p.breakdown + k;
    }
};

__device__ __forceinline__ int64_t point_of(const sw_magnon_device_problem &p, int64_t slot) {
    return p.list ? p.list[slot] : slot;
}

__device__ __forceinline__ const sw_magnon_device_block *blocks_of(const sw_magnon_device_problem &p, int64_t point) {
    return p.blocks + point / p.sample_points * p.block_count;
}

// Writes one of the block's matrices, in a second attempt with the shift on its diagonal: above the diagonal and, apart, the diagonal; or, where
// `diagonal` is null, on and below the diagonal.
template <class Team>
__device__ void assemble(
    const Team &team, const sw_magnon_device_problem &p, const sw_magnon_device_block &block, int which, int64_t point,
    Complex *out, int ld, double *diagonal) {
    const int n = block.size;
    const Complex *phases = phases_of(p, point);
    const double *constant = p.doubles + block.constant[which];
    for (int k = team.rank; k < n * n; k += Team::size) {
        const int i = k / n, j = k % n;
        if (j < i) continue;
        const Complex x = {constant[2 * k], constant[2 * k + 1]};
        if (!diagonal) out[j * ld + i] = conjugate(x);
        else if (i == j) diagonal[i] = x.re;
        else out[i * ld + j] = x;
    }
    team.sync();
    const sw_magnon_cell *cells = p.cells + block.cells[which];
    for (int k = team.rank; k < block.cell_count[which]; k += Team::size) {
        const sw_magnon_cell cell = cells[k];
        const int i = cell.row, j = cell.column;
        Complex sum = !diagonal ? conjugate(out[j * ld + i]) : i == j ? Complex{diagonal[i], 0} : out[i * ld + j];
        for (int m = cell.first; m < cell.first + cell.count; m++) {
            const sw_magnon_entry entry = p.entries[m];
            add_product(sum, {entry.re, entry.im}, phases[entry.winding]);
        }
        if (!diagonal) out[j * ld + i] = conjugate(sum);
        else if (i == j) diagonal[i] = sum.re;
        else out[i * ld + j] = sum;
    }
    team.sync();
    const double shift = p.attempt > 0 ? p.shifts[point / p.sample_points] : 0;
    for (int i = team.rank; i < n; i += Team::size) {
        if (diagonal) diagonal[i] += shift;
        else out[i * ld + i] = {out[i * ld + i].re + shift, 0};
    }
    team.sync();
}

// First step: Colpa's H = KᴴK and K g Kᴴ, or for quadratures M_p = KᴴK and K M_x Kᴴ, made tridiagonal.
template <class Team>
__device__ void reduce_block(
    const Team &team, const sw_magnon_device_problem &p, const sw_magnon_device_block &block,
    const sw_magnon_reduce_layout &at, double *room, const Passage &passage, int64_t point) {
    const int n = block.size, ld = sw_magnon_pitch(n) / 2;
    Complex *k = reinterpret_cast<Complex *>(room + at.matrix), *half = reinterpret_cast<Complex *>(room + at.half);
    double *diagonal = room + at.diagonal, *inverse = room + at.inverse;
    assemble(team, p, block, 0, point, k, ld, diagonal);
    int breakdown = cholesky(team, k, ld, diagonal, inverse, n);
    if (block.in_quadratures && p.wanted == 0) {
        assemble(team, p, block, 1, point, half, ld, diagonal);
        if (cholesky(team, half, ld, diagonal, inverse, n) != 0 && breakdown == 0) breakdown = -1;
    }
    if (team.rank == 0) *passage.breakdown = breakdown;
    if (p.wanted == 0 || block.modes == 0) return;
    if (block.in_quadratures) {
        assemble(team, p, block, 1, point, k, ld, static_cast<double *>(nullptr));
        sandwich(team, k, ld, inverse, half, n);
    } else {
        congruence(team, k, ld, inverse, n, block.particles);
    }
    tridiagonalise(
        team, k, ld, n, passage.d, passage.e, passage.tau, passage.phase, p.pitch,
        reinterpret_cast<Complex *>(room + at.product));
    if (p.wanted == 1) return;
    for (int i = team.rank; i < n; i += Team::size) passage.inverse[i] = inverse[i];
    for (int e = team.rank; e < n * n; e += Team::size) passage.matrix[e] = k[e / n * ld + e % n];
}

// Places of the eigenvalues in ascending order; what is not a number counts as infinite, so that each has its place.
template <class Team>
__device__ void sort(const Team &team, const double *values, int n, int32_t *order) {
    const double infinity = __longlong_as_double(0x7ff0000000000000);
    for (int k = team.rank; k < n; k += Team::size) {
        const double mine = values[k] == values[k] ? values[k] : infinity;
        int place = 0;
        for (int j = 0; j < n; j++) {
            const double other = values[j] == values[j] ? values[j] : infinity;
            place += other < mine || (other == mine && j < k);
        }
        order[place] = k;
    }
    team.sync();
}

// Last step: eigenvectors from the turns of QL; V = K⁻¹ U L^½, or for quadratures X = ω^−½ Kᴴ Y and P = ω^½ K⁻¹ Y.
template <class Team>
__device__ void finish_block(
    const Team &team, const sw_magnon_device_problem &p, const sw_magnon_device_block &block,
    const sw_magnon_vector_layout &at, double *room, const Passage &passage, int64_t slot, int64_t point) {
    const int n = block.size, modes = block.modes, ld = sw_magnon_pitch(modes) / 2;
    double *values = room + at.values, *tau = room + at.tau, *inverse = room + at.inverse, *energies = room + at.energies;
    Complex *phase = reinterpret_cast<Complex *>(room + at.phase);
    int32_t *order = reinterpret_cast<int32_t *>(room + at.order);
    for (int i = team.rank; i < n; i += Team::size) values[i] = passage.d[i];
    team.sync();
    sort(team, values, n, order);
    for (int m = team.rank; m < modes; m += Team::size) {
        const double value = values[order[n - modes + m]];
        energies[m] = block.in_quadratures ? sqrt(fmax(value, 0.0)) : value;
        p.mode_energies[slot * p.mode_count + block.first_mode + m] = energies[m];
        // By Sylvester's law of inertia M_x is positive definite where all squares are positive.
        if (block.in_quadratures && m == 0 && !(value > 0) && *passage.breakdown == 0) *passage.breakdown = -1;
    }
    if (p.wanted == 1) return;
    for (int i = team.rank; i < n; i += Team::size) {
        tau[i] = passage.tau[i];
        inverse[i] = passage.inverse[i];
        phase[i] = {passage.phase[i], passage.phase[p.pitch + i]};
    }
    double *z = room + at.turned;
    for (int e = team.rank; e < n * n; e += Team::size) z[e] = e / n == e % n;
    team.sync();
    const int count = *passage.rotation_count;
    turn_columns(
        team, z, n, passage.rotations, passage.columns, count < 0 ? 0 : count,
        reinterpret_cast<Complex *>(room + at.rotations), reinterpret_cast<int32_t *>(room + at.columns));
    // The chosen columns, by rows; with L^½ where there is a metric.
    Complex *y = reinterpret_cast<Complex *>(room + at.modes), *rows = reinterpret_cast<Complex *>(room + at.rows);
    for (int e = team.rank; e < n * modes; e += Team::size) {
        const int row = e % n, m = e / n;
        const double x = z[order[n - modes + m] * n + row] * (block.in_quadratures ? 1 : sqrt(fmax(energies[m], 0.0)));
        y[row * ld + m] = scaled(phase[row], x);
    }
    team.sync();
    reflect_back(team, passage.matrix, tau, y, ld, n, modes, rows);
    Complex *x = reinterpret_cast<Complex *>(z);
    if (block.in_quadratures) {
        for (int e = team.rank; e < n * modes; e += Team::size) x[e / modes * ld + e % modes] = y[e / modes * ld + e % modes];
        team.sync();
        multiply_adjoint(team, passage.matrix, inverse, x, ld, n, modes, rows);
    }
    solve_upper(team, passage.matrix, inverse, y, ld, n, modes, rows);
    if (block.in_quadratures) {
        for (int e = team.rank; e < n * modes; e += Team::size) {
            const int row = e / modes, m = e % modes;
            const double root = sqrt(energies[m]);
            x[row * ld + m] = scaled(x[row * ld + m], 1 / (root > 0 ? root : 1));
            y[row * ld + m] = scaled(y[row * ld + m], root);
        }
        team.sync();
    }
    record(
        team, p, block, slot, point, block.in_quadratures ? x : y, y, ld, reinterpret_cast<Complex *>(room + at.effective));
}

#endif
