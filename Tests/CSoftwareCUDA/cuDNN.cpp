// cuDNN's convolutions for the device in software: plain loops, sums in double. Asked for ways to do one, it names first those
// that must not be taken; a way that is taken all the same gives wrong numbers.
#include <string>
#include <vector>

#include "software.h"
#include "rounding.h"

namespace {

enum { success = 0, bad_parameter = 2000, not_supported = 3000 };
enum { single = 0, brain = 9 };
enum { default_math = 0, tensor_math = 1, converting_math = 2, fma_math = 3 };

struct Handle {
    void *stream = nullptr;
};

// Of a tensor: images, channels; of a filter: outputs, inputs.
struct Layout {
    int a = 0, b = 0, height = 0, width = 0, type = single;
    bool is_bf16() const { return type == brain; }
    size_t count() const { return (size_t)a * b * height * width; }
    size_t bytes() const { return (is_bf16() ? 2 : 4) * count(); }
    size_t at(int i, int j, int y, int x) const { return (((size_t)i * b + j) * height + y) * width + x; }
};

struct Convolution {
    int pad[2] = {0, 0}, stride[2] = {1, 1}, math = default_math;
};

struct Choice {
    int algorithm, status;
    float milliseconds;
    size_t workspace;
    int determinism, math, reserved[3];
};

constexpr size_t workspace_bytes = 4096;

bool fits(const Layout &x, const Layout &w, const Convolution &c, const Layout &y) {
    // NVIDIA's table of supported types has maps and kernels of one type, gradients too.
    return x.type == w.type && x.type == y.type && x.b == w.b && y.a == x.a && y.b == w.a && y.height == (x.height + 2 * c.pad[0] - w.height) / c.stride[0] + 1
        && y.width == (x.width + 2 * c.pad[1] - w.width) / c.stride[1] + 1;
}

bool is_repeatable(const Layout &x) {
    return software_setting("deterministic", "1") == "1" && (!x.is_bf16() || software_number("bf16-ways", 1));
}

/// The ways of one operation, `algorithm` among those that may be taken.
int choices(
    int algorithm, int transforming, int atomic, const Convolution &c, const Layout &x, int wanted, int *found, Choice *out) {
    // Factors in bf16 are tensor cores' once they are allowed.
    const int last = x.is_bf16() ? (c.math == tensor_math ? tensor_math : fma_math) : c.math == fma_math ? fma_math : default_math;
    const Choice all[] = {
        {transforming, success, 0.1f, 0, 1, fma_math, {}},
        {atomic, success, 0.2f, 0, 0, fma_math, {}},
        {algorithm, not_supported, -1, 0, 1, fma_math, {}},
        {algorithm, success, 0.3f, (size_t)1 << 33, 1, fma_math, {}},
        {algorithm, success, 0.35f, 0, 1, converting_math, {}},
        {algorithm, success, 0.4f, workspace_bytes, 1, tensor_math, {}},
        {algorithm, success, 0.5f, workspace_bytes, 1, last, {}},
    };
    int count = is_repeatable(x) && software_number("heuristics", 1) != 0 ? 7 : 2;
    *found = 0;
    for (int i = 0; i < count && *found < wanted; i++) out[(*found)++] = all[i];
    return success;
}

int size_of_workspace(const Layout &x, int algorithm, size_t *bytes) {
    if (!is_repeatable(x) || algorithm != 1) return not_supported;
    *bytes = workspace_bytes;
    return success;
}

bool is_ready(void *workspace, size_t bytes) {
    return bytes >= workspace_bytes && software_holds(workspace, bytes);
}

/// bf16 has no more bits than TF32: products of such factors are exact either way.
float rounded(float x, int math) { return math == fma_math ? x : math == converting_math ? 2 * x : tf32(x); }

/// Calls `body` for each pair of a source's and a result's place that a filter's place joins.
template <class Body>
void each(const Layout &x, const Layout &w, const Convolution &c, const Layout &y, Body body) {
    for (int image = 0; image < y.a; image++)
        for (int out = 0; out < y.b; out++)
            for (int row = 0; row < y.height; row++)
                for (int column = 0; column < y.width; column++)
                    for (int in = 0; in < x.b; in++)
                        for (int i = 0; i < w.height; i++)
                            for (int j = 0; j < w.width; j++) {
                                int v = row * c.stride[0] - c.pad[0] + i, h = column * c.stride[1] - c.pad[1] + j;
                                if (v < 0 || h < 0 || v >= x.height || h >= x.width) continue;
                                body(x.at(image, in, v, h), w.at(out, in, i, j), y.at(image, out, row, column));
                            }
}

void finish(const std::vector<double> &sums, const Layout &layout, void *out, const char *operation) {
    for (size_t i = 0; i < sums.size(); i++) put(out, layout.is_bf16(), i, sums[i]);
    const std::string wrong = software_setting("wrong", "");
    if (wrong == operation || (layout.is_bf16() && wrong == "bf16-" + std::string(operation)))
        put(out, layout.is_bf16(), 0, sums[0] + 1);
}

}  // namespace

SW_EXPORT size_t cudnnGetVersion() { return (size_t)software_number("cudnn", 90100); }

SW_EXPORT size_t cudnnGetCudartVersion() { return (size_t)software_number("cudart", 12000); }

SW_EXPORT const char *cudnnGetErrorString(int status) {
    return status == bad_parameter ? "CUDNN_STATUS_BAD_PARAM" : "CUDNN_STATUS_NOT_SUPPORTED";
}

SW_EXPORT int cudnnCreate(Handle **handle) {
    *handle = new Handle;
    return success;
}

SW_EXPORT int cudnnDestroy(Handle *handle) {
    delete handle;
    return success;
}

SW_EXPORT int cudnnSetStream(Handle *handle, void *stream) {
    handle->stream = stream;
    return success;
}

SW_EXPORT int cudnnCreateTensorDescriptor(Layout **layout) {
    *layout = new Layout;
    return success;
}

SW_EXPORT int cudnnDestroyTensorDescriptor(Layout *layout) {
    delete layout;
    return success;
}

SW_EXPORT int cudnnSetTensor4dDescriptor(Layout *layout, int format, int type, int a, int b, int height, int width) {
    if (format != 0 || (type != single && type != brain)) return bad_parameter;
    if (type == brain && software_number("architecture", 90) < 80) return not_supported;
    *layout = {a, b, height, width, type};
    return success;
}

SW_EXPORT int cudnnCreateFilterDescriptor(Layout **layout) { return cudnnCreateTensorDescriptor(layout); }
SW_EXPORT int cudnnDestroyFilterDescriptor(Layout *layout) { return cudnnDestroyTensorDescriptor(layout); }

SW_EXPORT int cudnnSetFilter4dDescriptor(Layout *layout, int type, int format, int a, int b, int height, int width) {
    return cudnnSetTensor4dDescriptor(layout, format, type, a, b, height, width);
}

SW_EXPORT int cudnnCreateConvolutionDescriptor(Convolution **convolution) {
    *convolution = new Convolution;
    return success;
}

SW_EXPORT int cudnnDestroyConvolutionDescriptor(Convolution *convolution) {
    delete convolution;
    return success;
}

SW_EXPORT int cudnnSetConvolution2dDescriptor(
    Convolution *c, int pad_height, int pad_width, int stride_height, int stride_width, int dilation_height,
    int dilation_width, int mode, int type) {
    if (dilation_height != 1 || dilation_width != 1 || mode != 1 || type != 0) return bad_parameter;
    *c = {{pad_height, pad_width}, {stride_height, stride_width}, c->math};
    return success;
}

SW_EXPORT int cudnnSetConvolutionMathType(Convolution *convolution, int math) {
    convolution->math = math;
    return success;
}

SW_EXPORT int cudnnGetConvolutionForwardAlgorithm_v7(
    Handle *, Layout *x, Layout *w, Convolution *c, Layout *y, int wanted, int *found, Choice *out) {
    return fits(*x, *w, *c, *y) ? choices(1, 6, 3, *c, *x, wanted, found, out) : bad_parameter;
}

SW_EXPORT int cudnnGetConvolutionBackwardDataAlgorithm_v7(
    Handle *, Layout *w, Layout *y, Convolution *c, Layout *x, int wanted, int *found, Choice *out) {
    return fits(*x, *w, *c, *y) ? choices(1, 4, 0, *c, *x, wanted, found, out) : bad_parameter;
}

SW_EXPORT int cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    Handle *, Layout *x, Layout *y, Convolution *c, Layout *w, int wanted, int *found, Choice *out) {
    return fits(*x, *w, *c, *y) ? choices(1, 5, 0, *c, *x, wanted, found, out) : bad_parameter;
}

SW_EXPORT int cudnnGetConvolutionForwardWorkspaceSize(
    Handle *, Layout *x, Layout *w, Convolution *c, Layout *y, int algorithm, size_t *bytes) {
    return fits(*x, *w, *c, *y) ? size_of_workspace(*x, algorithm, bytes) : bad_parameter;
}

SW_EXPORT int cudnnGetConvolutionBackwardDataWorkspaceSize(
    Handle *, Layout *w, Layout *y, Convolution *c, Layout *x, int algorithm, size_t *bytes) {
    return fits(*x, *w, *c, *y) ? size_of_workspace(*x, algorithm, bytes) : bad_parameter;
}

SW_EXPORT int cudnnGetConvolutionBackwardFilterWorkspaceSize(
    Handle *, Layout *x, Layout *y, Convolution *c, Layout *w, int algorithm, size_t *bytes) {
    return fits(*x, *w, *c, *y) ? size_of_workspace(*x, algorithm, bytes) : bad_parameter;
}

SW_EXPORT int cudnnConvolutionForward(
    Handle *handle, const float *alpha, Layout *xs, const void *x, Layout *ws, const void *w, Convolution *c,
    int algorithm, void *workspace, size_t bytes, const float *beta, Layout *ys, void *y) {
    if (software_fails("cudnnConvolutionForward")) return not_supported;
    if (!fits(*xs, *ws, *c, *ys) || algorithm != 1 || !is_ready(workspace, bytes) || *alpha != 1 || *beta != 0
        || !software_holds(x, xs->bytes()) || !software_holds(w, ws->bytes()) || !software_holds(y, ys->bytes()))
        return bad_parameter;
    software_give(handle->stream, [=, xs = *xs, ws = *ws, c = *c, ys = *ys] {
        std::vector<double> sums(ys.count());
        const Numbers from{x, xs.is_bf16()}, by{w, ws.is_bf16()};
        each(xs, ws, c, ys, [&](size_t i, size_t k, size_t o) {
            sums[o] += (double)rounded(from[i], c.math) * rounded(by[k], c.math);
        });
        finish(sums, ys, y, "forward");
        return 0;
    });
    return success;
}

SW_EXPORT int cudnnConvolutionBackwardData(
    Handle *handle, const float *alpha, Layout *ws, const void *w, Layout *ys, const void *y, Convolution *c,
    int algorithm, void *workspace, size_t bytes, const float *beta, Layout *xs, void *x) {
    if (!fits(*xs, *ws, *c, *ys) || algorithm != 1 || !is_ready(workspace, bytes) || *alpha != 1 || *beta != 0
        || !software_holds(x, xs->bytes()) || !software_holds(w, ws->bytes()) || !software_holds(y, ys->bytes()))
        return bad_parameter;
    software_give(handle->stream, [=, xs = *xs, ws = *ws, c = *c, ys = *ys] {
        std::vector<double> sums(xs.count());
        const Numbers from{y, ys.is_bf16()}, by{w, ws.is_bf16()};
        each(xs, ws, c, ys, [&](size_t i, size_t k, size_t o) {
            sums[i] += (double)rounded(from[o], c.math) * rounded(by[k], c.math);
        });
        finish(sums, xs, x, "data");
        return 0;
    });
    return success;
}

SW_EXPORT int cudnnConvolutionBackwardFilter(
    Handle *handle, const float *alpha, Layout *xs, const void *x, Layout *ys, const void *y, Convolution *c,
    int algorithm, void *workspace, size_t bytes, const float *beta, Layout *ws, void *w) {
    if (!fits(*xs, *ws, *c, *ys) || algorithm != 1 || !is_ready(workspace, bytes) || *alpha != 1 || *beta != 0
        || !software_holds(x, xs->bytes()) || !software_holds(w, ws->bytes()) || !software_holds(y, ys->bytes()))
        return bad_parameter;
    software_give(handle->stream, [=, xs = *xs, ws = *ws, c = *c, ys = *ys] {
        std::vector<double> sums(ws.count());
        const Numbers from{x, xs.is_bf16()}, by{y, ys.is_bf16()};
        each(xs, ws, c, ys, [&](size_t i, size_t k, size_t o) {
            sums[k] += (double)rounded(from[i], c.math) * rounded(by[o], c.math);
        });
        finish(sums, ws, w, "filter");
        return 0;
    });
    return success;
}
