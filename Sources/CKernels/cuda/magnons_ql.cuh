// Implicit QL of a real symmetric tridiagonal matrix, by one thread, and its turns applied to eigenvectors, by a team.
//
// The turns of a sweep follow from each other, one square root and one division at a time: a warp that did this for one matrix
// would waste 31 lanes. So here a lane has a matrix for itself, as on the host, and writes its turns down for later.
#ifndef SPINWEAVE_MAGNONS_QL_CUH
#define SPINWEAVE_MAGNONS_QL_CUH

#include "complex.cuh"
#include "team.cuh"

// Turns written down for later, until there is no room.
struct WrittenDown {
    Complex *__restrict__ rotations;
    int16_t *__restrict__ columns;
    int capacity;
    int count;

    __device__ __forceinline__ bool operator()(int i, double c, double s) {
        if (!rotations) return true;
        if (count < capacity) {
            rotations[count] = {c, s};
            columns[count] = (int16_t)i;
        }
        return count++ < capacity;
    }
};

// Eigenvalues into d, in no order; the elements of d and e are `stride` apart.
//
// e[i] lies between i − 1 and i, as `tridiagonalise` leaves it; it is destroyed. `turns(i, c, s)` is told each turn of columns i and
// i + 1, and says whether it could take it.
// Returns whether it converged: not where 60 sweeps were not enough for one eigenvalue (NaN counts as converged), nor where a turn
// could not be taken.
template <class Turns>
__device__ inline bool implicit_ql(double *d, double *e, int stride, int n, Turns &turns) {
    bool failed = false;
    // From here e[i] lies between i and i + 1.
    for (int i = 1; i < n; i++) e[(i - 1) * stride] = e[i * stride];
    e[(n - 1) * stride] = 0;
    int sweep = 0;
    for (int l = 0; l < n;) {
        // The first negligible element at or after l ends the block.
        int high = l;
        for (; high < n - 1; high++) {
            const double scale = fabs(d[high * stride]) + fabs(d[(high + 1) * stride]);
            if (!(fabs(e[high * stride]) > 0x1p-53 * scale)) break;
        }
        if (high == l || sweep == 60) {
            if (high != l) failed = true;
            l++;
            sweep = 0;
            continue;
        }
        sweep++;
        const double dl = d[l * stride], el = e[l * stride];
        double g = (d[(l + 1) * stride] - dl) / (2 * el);
        double r = sqrt(g * g + 1);
        g = d[high * stride] - dl + el / (g + copysign(r, g));
        double s = 1, c = 1, p = 0;
        double above = d[high * stride];
        for (int i = high - 1; i >= l; i--) {
            const double ei = e[i * stride], di = d[i * stride];
            const double f = s * ei, b = c * ei;
            const double square = f * f + g * g;
            r = sqrt(square);
            const double inverse = 1 / (square == 0 ? 1 : r);
            s = square == 0 ? 0 : f * inverse;
            c = square == 0 ? 1 : g * inverse;
            // The last element of the block has no e above it that would be kept.
            e[(i + 1) * stride] = i + 1 == high ? 0 : r;
            const double g1 = above - p;
            const double t = (di - g1) * s + 2 * c * b;
            p = s * t;
            d[(i + 1) * stride] = g1 + p;
            g = c * t - b;
            above = di;
            if (!turns(i, c, s)) failed = true;
        }
        d[l * stride] = above - p;
        e[l * stride] = g;
    }
    return !failed;
}

// Turns columns of z, [column][row], as `implicit_ql` wrote down; `turns` and `places` are room for as many as the team has
// threads.
//
// A thread has a row, whose running element stays in a register from one pair of columns to the next.
template <class Team>
__device__ void turn_columns(
    const Team &team, double *z, int n, const Complex *__restrict__ rotations, const int16_t *__restrict__ columns, int count,
    Complex *turns, int *places) {
    Complex ahead = {1, 0};
    int place = 0;
    if (team.rank < count) {
        ahead = rotations[team.rank];
        place = columns[team.rank];
    }
    for (int base = 0; base < count; base += Team::size) {
        turns[team.rank] = ahead;
        places[team.rank] = place;
        team.sync();
        const int next = base + Team::size + team.rank;
        if (next < count) {
            ahead = rotations[next];
            place = columns[next];
        }
        const int end = count - base < Team::size ? count - base : Team::size;
        for (int row = team.rank; row < n; row += Team::size) {
            int held = -1;
            double f = 0;
            for (int k = 0; k < end; k++) {
                const int i = places[k];
                const Complex turn = turns[k];
                if (i + 1 != held) {
                    if (held >= 0) z[held * n + row] = f;
                    f = z[(i + 1) * n + row];
                }
                const double g = z[i * n + row];
                z[(i + 1) * n + row] = turn.im * g + turn.re * f;
                f = turn.re * g - turn.im * f;
                held = i;
            }
            z[held * n + row] = f;
        }
        team.sync();
    }
}

#endif
