// cuSOLVER for the device in software, as far as batches of Hermitian problems go: Cholesky by the equation, eigenvectors by Jacobi's rotations.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numeric>
#include <vector>

#include "software.h"

namespace {

enum { success = 0, not_initialised = 1, invalid_value = 3 };
enum { upper = 1, with_vectors = 1, real_double = 1, complex_double = 5 };

using Complex = std::complex<double>;

struct Handle {
    void *stream = nullptr;
};

struct Settings {};

/// A = Kᴴ K, K in the upper triangle; the other is spoilt. 0, or the order of the minor that is not positive.
int factorise(Complex *a, int n, int stride) {
    for (int j = 0; j < n; j++) {
        for (int i = 0; i <= j; i++) {
            Complex sum = a[i + (size_t)stride * j];
            for (int k = 0; k < i; k++) sum -= std::conj(a[k + (size_t)stride * i]) * a[k + (size_t)stride * j];
            if (i < j) {
                a[i + (size_t)stride * j] = sum / a[i + (size_t)stride * i];
            } else {
                if (!(sum.real() > 0)) return j + 1;
                a[i + (size_t)stride * j] = std::sqrt(sum.real());
            }
        }
    }
    for (int j = 0; j < n; j++) {
        for (int i = j + 1; i < n; i++) a[i + (size_t)stride * j] = {NAN, NAN};
    }
    return 0;
}

/// Eigenvalues ascending, eigenvectors in place of the matrix, of which only the upper triangle is read.
int diagonalise(Complex *a, int n, int stride, double *values) {
    std::vector<Complex> m((size_t)n * n), v((size_t)n * n);
    auto at = [n](std::vector<Complex> &x, int i, int j) -> Complex & { return x[i + (size_t)n * j]; };
    double scale = 0;
    for (int j = 0; j < n; j++) {
        at(v, j, j) = 1;
        for (int i = 0; i <= j; i++) {
            Complex value = a[i + (size_t)stride * j];
            at(m, i, j) = i == j ? value.real() : value;
            at(m, j, i) = std::conj(at(m, i, j));
            scale += std::norm(value);
        }
    }
    for (int sweep = 0; sweep < 60; sweep++) {
        double rest = 0;
        for (int q = 1; q < n; q++) {
            for (int p = 0; p < q; p++) {
                const double size = std::abs(at(m, p, q));
                rest += size * size;
                if (size == 0) continue;
                const Complex phase = at(m, p, q) / size;
                const double theta = (at(m, q, q).real() - at(m, p, p).real()) / (2 * size);
                const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
                const double c = 1 / std::sqrt(t * t + 1), s = t * c;
                // Columns p and q, then rows: m ← Rᴴ m R with R = [c, s; −s φ̄, c φ̄].
                for (int k = 0; k < n; k++) {
                    const Complex x = at(m, k, p), y = at(m, k, q) * std::conj(phase);
                    at(m, k, p) = c * x - s * y;
                    at(m, k, q) = s * x + c * y;
                    const Complex vx = at(v, k, p), vy = at(v, k, q) * std::conj(phase);
                    at(v, k, p) = c * vx - s * vy;
                    at(v, k, q) = s * vx + c * vy;
                }
                for (int k = 0; k < n; k++) {
                    const Complex x = at(m, p, k), y = at(m, q, k) * phase;
                    at(m, p, k) = c * x - s * y;
                    at(m, q, k) = s * x + c * y;
                }
            }
        }
        if (rest > 1e-31 * scale) continue;
        std::vector<int> order(n);
        std::iota(order.begin(), order.end(), 0);
        std::sort(order.begin(), order.end(), [&](int i, int j) { return at(m, i, i).real() < at(m, j, j).real(); });
        for (int j = 0; j < n; j++) {
            values[j] = at(m, order[j], order[j]).real();
            for (int i = 0; i < n; i++) a[i + (size_t)stride * j] = at(v, i, order[j]);
        }
        return 0;
    }
    return 1;
}

int give(Handle *handle, int n, Complex *a, int stride, double *values, int *info, int64_t count) {
    software_give(handle->stream, [=] {
        for (int64_t matrix = 0; matrix < count; matrix++) {
            info[matrix] = diagonalise(a + matrix * stride * n, n, stride, values + matrix * n);
        }
        return 0;
    });
    return success;
}

bool holds(const void *a, int64_t n, int64_t stride, int64_t count, const void *values) {
    return n > 0 && stride >= n && count > 0 && n * stride * count <= INT32_MAX
        && software_holds(a, 16 * (size_t)(stride * n * count)) && software_holds(values, 8 * (size_t)(n * count));
}

}  // namespace

SW_EXPORT int cusolverGetProperty(int which, int *value) {
    *value = which == 0 ? 11 : which == 1 ? 6 : 1;
    return success;
}

SW_EXPORT int cusolverDnCreate(Handle **handle) {
    if (software_fails("cusolverDnCreate")) return not_initialised;
    *handle = new Handle;
    return success;
}

SW_EXPORT int cusolverDnDestroy(Handle *handle) {
    delete handle;
    return success;
}

SW_EXPORT int cusolverDnSetStream(Handle *handle, void *stream) {
    handle->stream = stream;
    return success;
}

SW_EXPORT int cusolverDnCreateParams(Settings **settings) {
    *settings = new Settings;
    return success;
}

SW_EXPORT int cusolverDnDestroyParams(Settings *settings) {
    delete settings;
    return success;
}

SW_EXPORT int cusolverDnCreateSyevjInfo(Settings **settings) { return cusolverDnCreateParams(settings); }
SW_EXPORT int cusolverDnDestroySyevjInfo(Settings *settings) { return cusolverDnDestroyParams(settings); }

SW_EXPORT int cusolverDnZpotrfBatched(
    Handle *handle, int triangle, int n, Complex *const *matrices, int stride, int *info, int count) {
    if (software_fails("cusolverDnZpotrfBatched")) return invalid_value;
    if (triangle != upper || n < 1 || stride < n || !software_holds(matrices, 8 * (size_t)count)) return invalid_value;
    if (!software_holds(info, 4 * (size_t)count)) return invalid_value;
    software_give(handle->stream, [=] {
        for (int matrix = 0; matrix < count; matrix++) {
            if (!software_holds(matrices[matrix], 16 * (size_t)stride * n)) {
                return software_launch_failure("cusolverDnZpotrfBatched: no such matrix");
            }
            info[matrix] = factorise(matrices[matrix], n, stride);
        }
        return 0;
    });
    return success;
}

SW_EXPORT int cusolverDnXsyevBatched_bufferSize(
    Handle *, Settings *, int mode, int triangle, int64_t n, int type, const void *matrices, int64_t stride,
    int value_type, const void *values, int compute_type, size_t *device_bytes, size_t *host_bytes, int64_t count) {
    const bool is_known = type == complex_double && value_type == real_double && compute_type == complex_double;
    if (mode != with_vectors || triangle != upper || !is_known || !holds(matrices, n, stride, count, values)) {
        return invalid_value;
    }
    *device_bytes = 256;
    *host_bytes = 64;
    return success;
}

SW_EXPORT int cusolverDnXsyevBatched(
    Handle *handle, Settings *settings, int mode, int triangle, int64_t n, int type, void *matrices, int64_t stride,
    int value_type, void *values, int compute_type, void *device_room, size_t device_bytes, void *host_room,
    size_t host_bytes, int *info, int64_t count) {
    if (software_fails("cusolverDnXsyevBatched")) return invalid_value;
    size_t wanted[2];
    const int status = cusolverDnXsyevBatched_bufferSize(
        handle, settings, mode, triangle, n, type, matrices, stride, value_type, values, compute_type, &wanted[0],
        &wanted[1], count);
    if (status != success) return status;
    if (device_bytes < wanted[0] || !software_holds(device_room, device_bytes)) return invalid_value;
    if (host_bytes < wanted[1] || host_room == nullptr || !software_holds(info, 4 * (size_t)count)) return invalid_value;
    return give(handle, (int)n, static_cast<Complex *>(matrices), (int)stride, static_cast<double *>(values), info, count);
}

SW_EXPORT int cusolverDnZheevjBatched_bufferSize(
    Handle *, int mode, int triangle, int n, const Complex *matrices, int stride, const double *values, int *length,
    Settings *settings, int count) {
    if (mode != with_vectors || triangle != upper || settings == nullptr) return invalid_value;
    if (!holds(matrices, n, stride, count, values)) return invalid_value;
    *length = 16;
    return success;
}

SW_EXPORT int cusolverDnZheevjBatched(
    Handle *handle, int mode, int triangle, int n, Complex *matrices, int stride, double *values, Complex *work,
    int length, int *info, Settings *settings, int count) {
    if (software_fails("cusolverDnZheevjBatched")) return invalid_value;
    int wanted;
    const int status = cusolverDnZheevjBatched_bufferSize(
        handle, mode, triangle, n, matrices, stride, values, &wanted, settings, count);
    if (status != success) return status;
    if (length < wanted || !software_holds(work, 16 * (size_t)length)) return invalid_value;
    if (!software_holds(info, 4 * (size_t)count)) return invalid_value;
    return give(handle, n, matrices, stride, values, info, count);
}
