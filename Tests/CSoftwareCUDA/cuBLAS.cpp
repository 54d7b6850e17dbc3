// cuBLAS for the device in software: plain loops, sums in double.
#include <complex>
#include <string>
#include <vector>

#include "software.h"
#include "rounding.h"

namespace {

enum { success = 0, not_initialised = 1, invalid_value = 7, architecture_mismatch = 8, not_supported = 15 };
enum { tf32_math = 3, full_reduction = 16 };
enum { single = 0, brain = 14, compute_single = 68, usual_algorithm = -1 };

struct Handle {
    void *stream = nullptr;
    int math = 0;
    bool has_workspace = false;
};

using Complex = std::complex<double>;
enum { plain = 0, adjoint = 2, left = 0, upper = 1, not_unit = 0 };

}  // namespace

SW_EXPORT int cublasGetProperty(int which, int *value) {
    *value = which == 0 ? 12 : which == 1 ? 4 : 5;
    return success;
}

SW_EXPORT const char *cublasGetStatusString(int status) {
    return status == invalid_value ? "CUBLAS_STATUS_INVALID_VALUE" : "CUBLAS_STATUS_NOT_INITIALIZED";
}

SW_EXPORT int cublasCreate_v2(Handle **handle) {
    if (software_fails("cublasCreate")) return not_initialised;
    *handle = new Handle;
    return success;
}

SW_EXPORT int cublasDestroy_v2(Handle *handle) {
    delete handle;
    return success;
}

SW_EXPORT int cublasSetStream_v2(Handle *handle, void *stream) {
    // As the real one: a new stream goes back to the library's own workspace.
    *handle = {stream, handle->math, false};
    return success;
}

SW_EXPORT int cublasSetWorkspace_v2(Handle *handle, void *workspace, size_t bytes) {
    if ((uintptr_t)workspace % 256 != 0 || !software_holds(workspace, bytes)) return invalid_value;
    handle->has_workspace = true;
    return success;
}

SW_EXPORT int cublasSetMathMode(Handle *handle, int math) {
    handle->math = math;
    return success;
}

SW_EXPORT int cublasSetAtomicsMode(Handle *, int mode) { return mode == 0 ? success : invalid_value; }

// C[m, n] = α op(A) op(B) + β C, column by column.
SW_EXPORT int cublasSgemm_v2(
    Handle *handle, int operation_a, int operation_b, int m, int n, int k, const float *alpha, const float *a,
    int stride_a, const float *b, int stride_b, const float *beta, float *c, int stride_c) {
    if (software_fails("cublasSgemm")) return invalid_value;
    if (!handle->has_workspace || m < 1 || n < 1 || k < 1) return invalid_value;
    if (stride_a < (operation_a ? k : m) || stride_b < (operation_b ? n : k) || stride_c < m) return invalid_value;
    auto bytes = [](int stride, int lines, int length) { return 4 * ((size_t)stride * (lines - 1) + length); };
    if (!software_holds(a, operation_a ? bytes(stride_a, m, k) : bytes(stride_a, k, m))) return invalid_value;
    if (!software_holds(b, operation_b ? bytes(stride_b, k, n) : bytes(stride_b, n, k))) return invalid_value;
    if (!software_holds(c, bytes(stride_c, n, m))) return invalid_value;
    const float factor = *alpha, rest = *beta;
    const bool is_rounded = handle->math == tf32_math;
    software_give(handle->stream, [=] {
        for (int column = 0; column < n; column++) {
            for (int row = 0; row < m; row++) {
                double sum = 0;
                for (int i = 0; i < k; i++) {
                    float x = operation_a ? a[(size_t)stride_a * row + i] : a[(size_t)stride_a * i + row];
                    float y = operation_b ? b[(size_t)stride_b * i + column] : b[(size_t)stride_b * column + i];
                    sum += is_rounded ? (double)tf32(x) * tf32(y) : (double)x * y;
                }
                float &out = c[(size_t)stride_c * column + row];
                out = (float)(factor * sum + (rest == 0 ? 0 : (double)rest * out));
            }
        }
        if (software_setting("wrong", "") == "product") c[0] += 1;
        return 0;
    });
    return success;
}

// Of factors in bf16, as cublasGemmEx's table of supported types has them: the product in either, sums in single precision. Where
// sums may be rounded on the way, they are.
SW_EXPORT int cublasGemmEx(
    Handle *handle, int operation_a, int operation_b, int m, int n, int k, const void *alpha, const void *a, int type_a,
    int stride_a, const void *b, int type_b, int stride_b, const void *beta, void *c, int type_c, int stride_c, int compute,
    int algorithm) {
    if (software_fails("cublasGemmEx")) return invalid_value;
    if (software_number("architecture", 90) < 80) return architecture_mismatch;
    if (type_a != brain || type_b != brain || (type_c != brain && type_c != single)) return not_supported;
    if (compute != compute_single || algorithm != usual_algorithm) return not_supported;
    if (!handle->has_workspace || m < 1 || n < 1 || k < 1) return invalid_value;
    if (stride_a < (operation_a ? k : m) || stride_b < (operation_b ? n : k) || stride_c < m) return invalid_value;
    auto bytes = [](int size, int stride, int lines, int length) { return size * ((size_t)stride * (lines - 1) + length); };
    const bool is_rounded = type_c == brain;
    if (!software_holds(a, operation_a ? bytes(2, stride_a, m, k) : bytes(2, stride_a, k, m))) return invalid_value;
    if (!software_holds(b, operation_b ? bytes(2, stride_b, k, n) : bytes(2, stride_b, n, k))) return invalid_value;
    if (!software_holds(c, bytes(is_rounded ? 2 : 4, stride_c, n, m))) return invalid_value;
    if (*(const float *)alpha != 1 || *(const float *)beta != 0) return not_supported;
    const bool loses = is_rounded && !(handle->math & full_reduction);
    software_give(handle->stream, [=] {
        const Numbers x{a, true}, y{b, true};
        for (int column = 0; column < n; column++) {
            for (int row = 0; row < m; row++) {
                double sum = 0;
                for (int i = 0; i < k; i++) {
                    sum += (double)x[operation_a ? (size_t)stride_a * row + i : (size_t)stride_a * i + row]
                        * y[operation_b ? (size_t)stride_b * i + column : (size_t)stride_b * column + i];
                    if (loses) sum = bf16(sum);
                }
                const bool is_wrong = row + column == 0 && software_setting("wrong", "") == "bf16-product";
                put(c, is_rounded, (size_t)stride_c * column + row, is_wrong ? sum + 1 : sum);
            }
        }
        return 0;
    });
    return success;
}

// Of each matrix of a batch, `next` elements after the one before: C[m, n] = α op(A) op(B) + β C.
SW_EXPORT int cublasZgemmStridedBatched(
    Handle *handle, int operation_a, int operation_b, int m, int n, int k, const Complex *alpha, const Complex *a,
    int stride_a, long long next_a, const Complex *b, int stride_b, long long next_b, const Complex *beta, Complex *c,
    int stride_c, long long next_c, int count) {
    if (software_fails("cublasZgemmStridedBatched")) return invalid_value;
    if (operation_a != plain || operation_b != adjoint || m < 1 || n < 1 || k < 1 || count < 1) return invalid_value;
    auto holds = [count](const Complex *x, int rows, int columns, int stride, long long next) {
        return stride >= rows && software_holds(x, 16 * (size_t)(next * (count - 1) + (long long)stride * (columns - 1) + rows));
    };
    if (!holds(a, m, k, stride_a, next_a) || !holds(b, n, k, stride_b, next_b) || !holds(c, m, n, stride_c, next_c)) {
        return invalid_value;
    }
    const Complex factor = *alpha, rest = *beta;
    software_give(handle->stream, [=] {
        for (int matrix = 0; matrix < count; matrix++) {
            const Complex *x = a + matrix * next_a, *y = b + matrix * next_b;
            Complex *z = c + matrix * next_c;
            for (int column = 0; column < n; column++) {
                for (int row = 0; row < m; row++) {
                    Complex sum = 0;
                    for (int i = 0; i < k; i++) {
                        sum += x[row + (size_t)stride_a * i] * std::conj(y[column + (size_t)stride_b * i]);
                    }
                    Complex &out = z[row + (size_t)stride_c * column];
                    out = factor * sum + (rest == 0.0 ? 0.0 : rest * out);
                }
            }
        }
        return 0;
    });
    return success;
}

// B[m, n] ← α A⁻¹ B of each, A upper triangular.
SW_EXPORT int cublasZtrsmBatched(
    Handle *handle, int side, int triangle, int operation, int diagonal, int m, int n, const Complex *alpha,
    const Complex *const *a, int stride_a, Complex *const *b, int stride_b, int count) {
    if (software_fails("cublasZtrsmBatched")) return invalid_value;
    if (side != left || triangle != upper || operation != plain || diagonal != not_unit) return invalid_value;
    if (m < 1 || n < 1 || stride_a < m || stride_b < m) return invalid_value;
    if (!software_holds(a, 8 * (size_t)count) || !software_holds(b, 8 * (size_t)count)) return invalid_value;
    const Complex factor = *alpha;
    software_give(handle->stream, [=] {
        for (int matrix = 0; matrix < count; matrix++) {
            const Complex *k = a[matrix];
            Complex *x = b[matrix];
            if (!software_holds(k, 16 * ((size_t)stride_a * (m - 1) + m)) || !software_holds(x, 16 * ((size_t)stride_b * (n - 1) + m))) {
                return software_launch_failure("cublasZtrsmBatched: no such matrix");
            }
            for (int column = 0; column < n; column++) {
                Complex *line = x + (size_t)stride_b * column;
                for (int row = m - 1; row >= 0; row--) {
                    Complex sum = factor * line[row];
                    for (int i = row + 1; i < m; i++) sum -= k[row + (size_t)stride_a * i] * line[i];
                    line[row] = sum / k[row + (size_t)stride_a * row];
                }
            }
        }
        return 0;
    });
    return success;
}
