// Householder reduction of a Hermitian matrix to real tridiagonal form by a team, and the way back for its eigenvectors; the
// loops are those of ../magnons_tridiagonal.h.
#ifndef SPINWEAVE_MAGNONS_TRIDIAGONAL_CUH
#define SPINWEAVE_MAGNONS_TRIDIAGONAL_CUH

#include "magnons_algebra.cuh"

// Reduces the Hermitian matrix on and below the diagonal of `a`. Row i of `a` then holds the reflector u_i, P = 1 − τ u uᴴ, of
// its first i entries.
//
// d: diagonal, e[i] ≥ 0 between i − 1 and i (e[0] is 0), tau: factors of the reflectors, phase: real and, `pitch` further on,
// imaginary parts of the diagonal unitary matrix that makes the off-diagonal real; these are only written. p: n complex numbers of
// room.
template <class Team>
__device__ void tridiagonalise(
    const Team &team, Complex *a, int ld, int n, double *d, double *e, double *tau, double *phase, int pitch, Complex *p) {
    Complex next = {1, 0};
    if (team.rank == 0) {
        phase[n - 1] = 1;
        phase[pitch + n - 1] = 0;
    }
    for (int i = n - 1; i > 0; i--) {
        Complex *u = a + i * ld;
        if (team.rank == 0) d[i] = u[i].re;
        // The row holds the conjugate of the column that is reflected.
        const Complex last = conjugate(u[i - 1]);
        double rest = 0;
        for (int c = team.rank; c < i - 1; c += Team::size) {
            const Complex x = conjugate(u[c]);
            u[c] = x;
            rest += x.re * x.re + x.im * x.im;
        }
        rest = team.sum(rest);
        const double square = last.re * last.re + last.im * last.im;
        const double norm = sqrt(rest + square), size = sqrt(square);
        const Complex turn = size == 0 ? Complex{1, 0} : Complex{last.re / size, last.im / size};
        // Nothing to reflect where the column is along the last axis already.
        const double denominator = norm * (norm + size);
        const bool idle = rest == 0 || denominator == 0;
        const double t = idle ? 0 : 1 / denominator;
        // −turn · norm lies between i − 1 and i, or turn · norm where nothing was reflected.
        next = scaled(product(turn, next), idle ? 1 : -1);
        if (team.rank == 0) {
            tau[i] = t;
            e[i] = norm;
            phase[i - 1] = next.re;
            phase[pitch + i - 1] = next.im;
            u[i - 1] = i == 1 ? Complex{0, 0} : Complex{last.re + turn.re * norm, last.im + turn.im * norm};
        }
        if (i == 1) break;
        team.sync();
        // p = τ A u over the leading i × i part.
        double overlap = 0;
        for (int r = team.rank; r < i; r += Team::size) {
            Complex s = scaled(u[r], a[r * ld + r].re);
#pragma unroll 4
            for (int c = 0; c < i; c++) {
                if (c == r) continue;
                Complex x = c < r ? a[r * ld + c] : a[c * ld + r];
                x.im = c < r ? x.im : -x.im;
                add_product(s, x, u[c]);
            }
            s = scaled(s, t);
            p[r] = s;
            overlap += u[r].re * s.re + u[r].im * s.im;
        }
        overlap = team.sum(overlap);
        const double half = 0.5 * t * overlap;
        for (int r = team.rank; r < i; r += Team::size) {
            p[r].re -= half * u[r].re;
            p[r].im -= half * u[r].im;
        }
        team.sync();
        // A −= u wᴴ + w uᴴ
        for (int r = team.rank; r < i; r += Team::size) {
            Complex *row = a + r * ld;
            const Complex ur = u[r], wr = p[r];
#pragma unroll 4
            for (int c = 0; c <= r; c++) {
                const Complex uc = u[c], wc = p[c];
                Complex x = row[c];
                x.re -= ur.re * wc.re;
                x.re -= ur.im * wc.im;
                x.im -= ur.im * wc.re;
                x.im += ur.re * wc.im;
                x.re -= wr.re * uc.re;
                x.re -= wr.im * uc.im;
                x.im -= wr.im * uc.re;
                x.im += wr.re * uc.im;
                row[c] = x;
            }
        }
        team.sync();
    }
    if (team.rank == 0) {
        d[0] = a[0].re;
        e[0] = 0;
    }
    team.sync();
}

// Eigenvectors of the tridiagonal matrix, already times `phase`, into those of the matrix: Y ← P_{n−1} … P_2 Y.
template <class Team>
__device__ void reflect_back(
    const Team &team, const Complex *matrix, const double *tau, Complex *y, int ld, int n, int columns, Complex *rooms) {
    const ColumnShare share(team, columns);
    RowStream<Team> rows = {team, matrix, rooms, n, {0, 0}};
    if (n > 2) rows.fetch(2, 0, 2);
    for (int i = 2; i < n; i++) {
        const Complex *u = rows.take(i, 0, i);
        if (i + 1 < n) rows.fetch(i + 1, 0, i + 1);
        const double t = tau[i];
        for (int w = share.first; w < columns; w += share.step) {
            Complex s = {0, 0};
#pragma unroll 4
            for (int c = share.part; c < i; c += share.parts) add_conjugate_product(s, u[c], y[c * ld + w]);
            s = {share.sum(s.re) * t, share.sum(s.im) * t};
#pragma unroll 4
            for (int c = share.part; c < i; c += share.parts) subtract_product(y[c * ld + w], u[c], s);
        }
    }
    team.sync();
}

#endif
