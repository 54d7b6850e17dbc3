// Dense algebra of one block at one wavevector, by a team; the loops are those of ../magnons_algebra.h.
//
// One matrix in shared memory holds K above its diagonal, whose own diagonal is apart in `inverse`, and a Hermitian matrix on
// and below the diagonal. Threads have columns in Cholesky and rows elsewhere, so that what they share is read by all at once.
#ifndef SPINWEAVE_MAGNONS_ALGEBRA_CUH
#define SPINWEAVE_MAGNONS_ALGEBRA_CUH

#include "complex.cuh"
#include "team.cuh"

// Factorises H = KᴴK in place, K upper triangular; `diagonal` is H's, `inverse` becomes that of K, inverted.
//
// Returns 0, or 1 + the first row whose pivot is not positive; goes on with a pivot of 1.
template <class Team>
__device__ int cholesky(const Team &team, Complex *h, int ld, const double *diagonal, double *inverse, int n) {
    int breakdown = 0;
    for (int i = 0; i < n; i++) {
        Complex *row = h + i * ld;
        for (int j = i + team.rank; j < n; j += Team::size) {
            Complex s = j == i ? Complex{diagonal[i], 0} : row[j];
#pragma unroll 4
            for (int k = 0; k < i; k++) subtract_conjugate_product(s, h[k * ld + i], h[k * ld + j]);
            if (j == i) inverse[i] = s.re;
            else row[j] = s;
        }
        team.sync();
        const double pivot = inverse[i];
        const bool bad = !(pivot > 0);
        if (bad && breakdown == 0) breakdown = i + 1;
        const double reciprocal = 1 / sqrt(bad ? 1.0 : pivot);
        for (int j = i + team.rank; j < n; j += Team::size)
            if (j > i) row[j] = scaled(row[j], reciprocal);
        team.sync();
        if (team.rank == 0) inverse[i] = reciprocal;
    }
    team.sync();
    return breakdown;
}

// Writes K g Kᴴ on and below the diagonal, g = +1 for the first `particles` columns and −1 for the rest.
template <class Team>
__device__ void congruence(const Team &team, Complex *k, int ld, const double *inverse, int n, int particles) {
    for (int i = 0; i < n; i++) {
        const Complex *a = k + i * ld;
        const double aii = 1 / inverse[i], sign = i < particles ? 1 : -1;
        for (int j = team.rank; j <= i; j += Team::size) {
            const Complex *b = k + j * ld;
            // Term of column i, where row i begins: K_ii g_i conj(K_ji), K_ii real.
            Complex s = j == i ? Complex{sign * aii * aii, 0} : Complex{sign * aii * b[i].re, -(sign * aii * b[i].im)};
            Complex plus = {0, 0}, minus = {0, 0};
            int c = i + 1;
#pragma unroll 4
            for (; c < particles; c++) add_conjugate_product(plus, b[c], a[c]);
#pragma unroll 4
            for (; c < n; c++) add_conjugate_product(minus, b[c], a[c]);
            s.re += plus.re - minus.re;
            s.im += plus.im - minus.im;
            k[i * ld + j] = s;
        }
    }
    team.sync();
}

// Writes K M Kᴴ on and below the diagonal, where the Hermitian M was; `half` is room for K M.
template <class Team>
__device__ void sandwich(const Team &team, Complex *k, int ld, const double *inverse, Complex *half, int n) {
    for (int i = 0; i < n; i++) {
        const double kii = 1 / inverse[i];
        for (int j = team.rank; j < n; j += Team::size) {
            // Σ_c K_ic M_cj, M_cj from what lies below the diagonal.
            Complex s = i >= j ? scaled(k[i * ld + j], kii) : scaled(conjugate(k[j * ld + i]), kii);
#pragma unroll 4
            for (int c = i + 1; c < n; c++)
                add_product(s, k[i * ld + c], c >= j ? k[c * ld + j] : conjugate(k[j * ld + c]));
            half[i * ld + j] = s;
        }
    }
    team.sync();
    for (int i = 0; i < n; i++)
        for (int j = team.rank; j <= i; j += Team::size) {
            Complex s = scaled(half[i * ld + j], 1 / inverse[j]);
#pragma unroll 4
            for (int c = j + 1; c < n; c++) add_conjugate_product(s, k[j * ld + c], half[i * ld + c]);
            k[i * ld + j] = s;
        }
    team.sync();
}

// Rows of a packed matrix in global memory, one after the other, through two rooms of `n` in shared memory: the next is fetched
// while one is used, at the cost of one barrier a row.
template <class Team>
struct RowStream {
    const Team &team;
    const Complex *matrix;
    Complex *rooms;
    int n;
    Complex ahead;

    // Asks for elements from `from` up to `to` of row i.
    __device__ __forceinline__ void fetch(int i, int from, int to) {
        if (from + team.rank < to) ahead = matrix[i * n + from + team.rank];
    }
    // Row i, of which `fetch` asked for the same elements; `from` is at index 0.
    __device__ __forceinline__ const Complex *take(int i, int from, int to) {
        Complex *room = rooms + (i & 1) * n;
        if (from + team.rank < to) room[team.rank] = ahead;
        for (int c = from + team.rank + Team::size; c < to; c += Team::size) room[c - from] = matrix[i * n + c];
        team.sync();
        return room;
    }
};

// Y ← K⁻¹ Y for `columns` columns.
template <class Team>
__device__ void solve_upper(
    const Team &team, const Complex *matrix, const double *inverse, Complex *y, int ld, int n, int columns,
    Complex *rooms) {
    const ColumnShare share(team, columns);
    RowStream<Team> rows = {team, matrix, rooms, n, {0, 0}};
    rows.fetch(n - 1, n, n);
    for (int i = n - 1; i >= 0; i--) {
        const Complex *k = rows.take(i, i + 1, n);
        if (i > 0) rows.fetch(i - 1, i, n);
        for (int w = share.first; w < columns; w += share.step) {
            Complex s = {0, 0};
#pragma unroll 4
            for (int c = i + 1 + share.part; c < n; c += share.parts) subtract_product(s, k[c - i - 1], y[c * ld + w]);
            s = {share.sum(s.re), share.sum(s.im)};
            if (share.part == 0) {
                const Complex x = y[i * ld + w];
                y[i * ld + w] = {(x.re + s.re) * inverse[i], (x.im + s.im) * inverse[i]};
            }
            share.sync();
        }
    }
    team.sync();
}

// Y ← Kᴴ Y for `columns` columns.
template <class Team>
__device__ void multiply_adjoint(
    const Team &team, const Complex *matrix, const double *inverse, Complex *y, int ld, int n, int columns,
    Complex *rooms) {
    const ColumnShare share(team, columns);
    RowStream<Team> rows = {team, matrix, rooms, n, {0, 0}};
    rows.fetch(n - 1, n, n);
    // Row c of K adds to all rows of Y below c. Those of Y above are as they were.
    for (int c = n - 1; c >= 0; c--) {
        const Complex *k = rows.take(c, c + 1, n);
        if (c > 0) rows.fetch(c - 1, c, n);
        for (int w = share.first; w < columns; w += share.step) {
            const Complex x = y[c * ld + w];
            share.sync();
            if (c % share.parts == share.part) y[c * ld + w] = scaled(x, 1 / inverse[c]);
            const int first = c + 1 + (share.part + share.parts - (c + 1) % share.parts) % share.parts;
#pragma unroll 4
            for (int i = first; i < n; i += share.parts) add_conjugate_product(y[i * ld + w], k[i - c - 1], x);
        }
    }
    team.sync();
}

#endif
