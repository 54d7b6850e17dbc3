// Blocks of up to four rows, which symmetry leaves of most magnets: a thread has one for itself, from Hamiltonian to S⊥.
//
// Matrices are in registers, whose indices the compiler must know; what is indexed by data is the thread's own in shared memory, element
// after element, those of neighbouring threads side by side. Nobody waits for anybody, and nothing passes through the device's memory.
#ifndef SPINWEAVE_MAGNONS_SMALL_CUH
#define SPINWEAVE_MAGNONS_SMALL_CUH

#include "magnons_block.cuh"

// A thread's complex numbers in shared memory.
struct Column {
    Complex *base;
    int stride;

    __device__ __forceinline__ Column(double *room, int stride) : base(reinterpret_cast<Complex *>(room) + threadIdx.x), stride(stride) {}
    __device__ __forceinline__ Complex &operator[](int k) const { return base[k * stride]; }
    // Two doubles in the place of a complex number: what a thread has there is its own as either.
    __device__ __forceinline__ double &half(int k) const { return reinterpret_cast<double *>(base + k / 2 * stride)[k % 2]; }
};

// One of the block's matrices: on and above the diagonal, with the shift of a second attempt.
template <int n>
__device__ __forceinline__ void assemble_small(
    const sw_magnon_device_problem &p, const sw_magnon_device_block &block, int which, int64_t point, Column room,
    Complex (&h)[n][n]) {
    const Complex *phases = phases_of(p, point);
    const double *constant = p.doubles + block.constant[which];
#pragma unroll
    for (int k = 0; k < n * n; k++) room[k] = {constant[2 * k], constant[2 * k + 1]};
    const sw_magnon_cell *cells = p.cells + block.cells[which];
    for (int k = 0; k < block.cell_count[which]; k++) {
        const sw_magnon_cell cell = cells[k];
        Complex sum = room[cell.row * n + cell.column];
        for (int m = cell.first; m < cell.first + cell.count; m++) {
            const sw_magnon_entry entry = p.entries[m];
            add_product(sum, {entry.re, entry.im}, phases[entry.winding]);
        }
        room[cell.row * n + cell.column] = sum;
    }
    const double shift = p.attempt > 0 ? p.shifts[point / p.sample_points] : 0;
#pragma unroll
    for (int i = 0; i < n; i++)
#pragma unroll
        for (int j = i; j < n; j++) h[i][j] = i == j ? Complex{room[i * n + j].re + shift, 0} : room[i * n + j];
}

// As `cholesky` of magnons_algebra.cuh: K above the diagonal of `h`.
template <int n>
__device__ __forceinline__ int cholesky_small(Complex (&h)[n][n], double (&inverse)[n]) {
    int breakdown = 0;
#pragma unroll
    for (int i = 0; i < n; i++) {
        double pivot = h[i][i].re;
#pragma unroll
        for (int k = 0; k < i; k++) pivot -= h[k][i].re * h[k][i].re + h[k][i].im * h[k][i].im;
        const bool bad = !(pivot > 0);
        if (bad && breakdown == 0) breakdown = i + 1;
        inverse[i] = 1 / sqrt(bad ? 1.0 : pivot);
#pragma unroll
        for (int j = i + 1; j < n; j++) {
#pragma unroll
            for (int k = 0; k < i; k++) subtract_conjugate_product(h[i][j], h[k][i], h[k][j]);
            h[i][j] = scaled(h[i][j], inverse[i]);
        }
    }
    return breakdown;
}

// a ← K M Kᴴ on and below the diagonal, of the Hermitian M on and above it.
template <int n>
__device__ __forceinline__ void sandwich_small(
    const Complex (&k)[n][n], const double (&inverse)[n], const Complex (&m)[n][n], Complex (&a)[n][n]) {
#pragma unroll
    for (int i = 0; i < n; i++) {
        // Row i of K M.
        Complex half[n];
#pragma unroll
        for (int j = 0; j < n; j++) {
            half[j] = scaled(i <= j ? m[i][j] : conjugate(m[j][i]), 1 / inverse[i]);
#pragma unroll
            for (int c = i + 1; c < n; c++) add_product(half[j], k[i][c], c <= j ? m[c][j] : conjugate(m[j][c]));
        }
#pragma unroll
        for (int j = 0; j <= i; j++) {
            a[i][j] = scaled(half[j], 1 / inverse[j]);
#pragma unroll
            for (int c = j + 1; c < n; c++) add_conjugate_product(a[i][j], k[j][c], half[c]);
        }
    }
}

// a ← K g Kᴴ on and below the diagonal.
template <int n>
__device__ __forceinline__ void congruence_small(
    const Complex (&k)[n][n], const double (&inverse)[n], int particles, Complex (&a)[n][n]) {
#pragma unroll
    for (int i = 0; i < n; i++) {
        const double kii = 1 / inverse[i], first = i < particles ? kii : -kii;
#pragma unroll
        for (int j = 0; j <= i; j++) {
            a[i][j] = j == i ? Complex{first * kii, 0} : scaled(conjugate(k[j][i]), first);
#pragma unroll
            for (int c = i + 1; c < n; c++) {
                const double sign = c < particles ? 1 : -1;
                add_conjugate_product(a[i][j], scaled(k[j][c], sign), k[i][c]);
            }
        }
    }
}

// As `tridiagonalise`.
template <int n>
__device__ __forceinline__ void tridiagonalise_small(
    Complex (&a)[n][n], double *d, double *e, int stride, double (&tau)[n], Complex (&phase)[n]) {
    Complex next = {1, 0};
    phase[n - 1] = next;
#pragma unroll
    for (int i = n - 1; i > 0; i--) {
        d[i * stride] = a[i][i].re;
        const Complex last = conjugate(a[i][i - 1]);
        double rest = 0;
#pragma unroll
        for (int c = 0; c < i - 1; c++) {
            a[i][c] = conjugate(a[i][c]);
            rest += a[i][c].re * a[i][c].re + a[i][c].im * a[i][c].im;
        }
        const double square = last.re * last.re + last.im * last.im;
        const double norm = sqrt(rest + square), size = sqrt(square);
        const Complex turn = size == 0 ? Complex{1, 0} : Complex{last.re / size, last.im / size};
        const double denominator = norm * (norm + size);
        const bool idle = rest == 0 || denominator == 0;
        const double t = idle ? 0 : 1 / denominator;
        next = scaled(product(turn, next), idle ? 1 : -1);
        tau[i] = t;
        e[i * stride] = norm;
        phase[i - 1] = next;
        a[i][i - 1] = i == 1 ? Complex{0, 0} : Complex{last.re + turn.re * norm, last.im + turn.im * norm};
        if (i == 1) break;
        Complex w[n];
        double overlap = 0;
#pragma unroll
        for (int r = 0; r < i; r++) {
            w[r] = scaled(a[i][r], a[r][r].re);
#pragma unroll
            for (int c = 0; c < i; c++)
                if (c != r) add_product(w[r], c < r ? a[r][c] : conjugate(a[c][r]), a[i][c]);
            w[r] = scaled(w[r], t);
            overlap += a[i][r].re * w[r].re + a[i][r].im * w[r].im;
        }
        const double half = 0.5 * t * overlap;
#pragma unroll
        for (int r = 0; r < i; r++) {
            w[r].re -= half * a[i][r].re;
            w[r].im -= half * a[i][r].im;
        }
#pragma unroll
        for (int r = 0; r < i; r++)
#pragma unroll
            for (int c = 0; c <= r; c++) {
                subtract_product(a[r][c], a[i][r], conjugate(w[c]));
                subtract_product(a[r][c], w[r], conjugate(a[i][c]));
            }
    }
    d[0] = a[0][0].re;
    e[0] = 0;
}

// Turns columns of z, [column][row], as they come, if they are wanted.
template <int n>
struct TurnedNow {
    Column z;
    bool are_wanted;

    __device__ __forceinline__ bool operator()(int i, double c, double s) {
        if (!are_wanted) return true;
#pragma unroll
        for (int row = 0; row < n; row++) {
            const double f = z.half((i + 1) * n + row), g = z.half(i * n + row);
            z.half((i + 1) * n + row) = s * g + c * f;
            z.half(i * n + row) = c * g - s * f;
        }
        return true;
    }
};

// The mode with the eigenvector `y` of the tridiagonal matrix: V, or X in `x` and P in `y`.
template <int n>
__device__ __forceinline__ void back_small(
    const Complex (&k)[n][n], const double (&inverse)[n], const Complex (&u)[n][n], const double (&tau)[n], bool in_quadratures,
    Complex (&x)[n], Complex (&y)[n]) {
#pragma unroll
    for (int i = 2; i < n; i++) {
        Complex s = {0, 0};
#pragma unroll
        for (int c = 0; c < i; c++) add_conjugate_product(s, u[i][c], y[c]);
        s = scaled(s, tau[i]);
#pragma unroll
        for (int c = 0; c < i; c++) subtract_product(y[c], u[i][c], s);
    }
    if (in_quadratures) {
#pragma unroll
        for (int i = 0; i < n; i++) {
            x[i] = scaled(y[i], 1 / inverse[i]);
#pragma unroll
            for (int c = 0; c < i; c++) add_conjugate_product(x[i], k[c][i], y[c]);
        }
    }
#pragma unroll
    for (int i = n - 1; i >= 0; i--) {
#pragma unroll
        for (int c = i + 1; c < n; c++) subtract_product(y[i], k[i][c], y[c]);
        y[i] = scaled(y[i], inverse[i]);
    }
}

// S⊥ of all modes: a row's orbit at a time, so that its effective axes are summed once and stay in registers.
template <int n>
__device__ __forceinline__ void intensities_small(
    const sw_magnon_device_problem &p, const sw_magnon_device_block &block, int64_t point, int64_t line, Column first,
    Column second) {
    const Complex *phases = phases_of(p, point), *weights = reinterpret_cast<const Complex *>(p.weights) + point * p.site_count;
    const double *roots = p.doubles + block.roots, *direction = p.directions + 3 * point;
    Complex f[n][3];
#pragma unroll
    for (int m = 0; m < n; m++) f[m][0] = f[m][1] = f[m][2] = {0, 0};
    for (int row = 0; row < n; row++) {
        const int orbit = p.integers[block.orbit + row];
        const bool is_hole = !block.in_quadratures && p.integers[block.is_hole + row];
        Complex axes[6] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
        for (int i = 0; i < p.site_count; i++) {
            const sw_magnon_site site = p.sites[i];
            if (site.orbit != orbit) continue;
            const Complex root = {site.scale * roots[2 * i], site.scale * roots[2 * i + 1]};
            const Complex factor = product(product(weights[i], phases[site.winding]), root);
#pragma unroll
            for (int k = 0; k < 6; k++) {
                const double axis = p.axes[6 * i + k];
                axes[k].re += axis * factor.re;
                axes[k].im += axis * factor.im;
            }
        }
#pragma unroll
        for (int m = 0; m < n; m++) {
            if (m >= block.modes) break;
            const Complex v = first[row * n + m], q = second[row * n + m];
            const Complex w = is_hole ? Complex{-q.im, q.re} : Complex{q.im, -q.re};
#pragma unroll
            for (int axis = 0; axis < 3; axis++) {
                add_product(f[m][axis], axes[axis], v);
                add_product(f[m][axis], axes[3 + axis], w);
            }
        }
    }
#pragma unroll
    for (int m = 0; m < n; m++) {
        if (m >= block.modes) break;
        p.mode_intensities[line + m] = perpendicular(f[m], direction);
    }
}

// Everything of one block at one slot.
template <int n>
__device__ void solve_small(const sw_magnon_device_problem &p, const sw_magnon_device_block &block, int64_t slot, double *shared) {
    const int stride = (int)blockDim.x;
    const int64_t point = point_of(p, slot), at = (int64_t)blockIdx.y * p.slot_count + slot;
    const bool in_quadratures = block.in_quadratures;
    const Column first(shared, stride), second(shared + 2 * n * n * stride, stride);
    Complex k[n][n], a[n][n];
    double inverse[n];
    assemble_small<n>(p, block, 0, point, first, k);
    int breakdown = cholesky_small<n>(k, inverse);
    if (in_quadratures && p.wanted == 0) {
        assemble_small<n>(p, block, 1, point, first, k);
        if (cholesky_small<n>(k, inverse) != 0 && breakdown == 0) breakdown = -1;
    }
    if (p.wanted == 0 || block.modes == 0) {
        p.breakdown[at] = breakdown;
        return;
    }
    if (in_quadratures) {
        Complex m[n][n];
        assemble_small<n>(p, block, 1, point, first, m);
        sandwich_small<n>(k, inverse, m, a);
    } else {
        congruence_small<n>(k, inverse, block.particles, a);
    }
    // QL's eigenvectors, d and e lie where P will.
    const Column z = second;
    double *d = reinterpret_cast<double *>(&second[(n * n + 1) / 2]), *e = d + 1;
    double tau[n];
    Complex phase[n];
    tridiagonalise_small<n>(a, d, e, 2 * stride, tau, phase);
#pragma unroll
    for (int c = 0; c < n * n; c++) z.half(c) = c / n == c % n;
    TurnedNow<n> turns = {z, p.wanted > 1};
    p.rotation_count[at] = implicit_ql(d, e, 2 * stride, n, turns) ? 0 : -1;

    // The eigenvalues' places in ascending order, and the eigenvectors that are modes, before their room is used again.
    const double infinity = __longlong_as_double(0x7ff0000000000000);
    double values[n], energies[n];
    Complex y[n][n];
#pragma unroll
    for (int c = 0; c < n; c++) values[c] = d[2 * c * stride] == d[2 * c * stride] ? d[2 * c * stride] : infinity;
#pragma unroll
    for (int m = 0; m < n; m++) {
        if (m >= block.modes) break;
        int chosen = 0;
#pragma unroll
        for (int c = 0; c < n; c++) {
            int place = 0;
#pragma unroll
            for (int b = 0; b < n; b++) place += values[b] < values[c] || (values[b] == values[c] && b < c);
            if (place == n - block.modes + m) chosen = c;
        }
        const double value = d[2 * chosen * stride];
        energies[m] = in_quadratures ? sqrt(fmax(value, 0.0)) : value;
        if (in_quadratures && m == 0 && !(value > 0) && breakdown == 0) breakdown = -1;
        const double root = in_quadratures ? 1 : sqrt(fmax(value, 0.0));
#pragma unroll
        for (int row = 0; row < n; row++) y[m][row] = scaled(phase[row], z.half(chosen * n + row) * root);
    }
    p.breakdown[at] = breakdown;
    const int64_t line = slot * p.mode_count + block.first_mode;
#pragma unroll
    for (int m = 0; m < n; m++) {
        if (m >= block.modes) break;
        p.mode_energies[line + m] = energies[m];
        if (p.wanted == 1) continue;
        Complex x[n];
        back_small<n>(k, inverse, a, tau, in_quadratures, x, y[m]);
        const double root = sqrt(energies[m]), shrink = 1 / (root > 0 ? root : 1);
#pragma unroll
        for (int row = 0; row < n; row++) {
            first[row * n + m] = in_quadratures ? scaled(x[row], shrink) : y[m][row];
            second[row * n + m] = in_quadratures ? scaled(y[m][row], root) : y[m][row];
        }
    }
    if (p.wanted == 1) return;
    for (int m = 0; m < block.modes; m++)
        record_mode(p, block, point, line + m, first.base, second.base, n * stride, m * stride, p.amplitudes != nullptr);
    if (p.intensities) intensities_small<n>(p, block, point, line, first, second);
}

#endif
