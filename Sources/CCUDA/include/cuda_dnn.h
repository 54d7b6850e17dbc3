// cuDNN's convolutions (docs.nvidia.com/deeplearning/cudnn, the API by descriptors, of 8.9 and 9), as far as they are used.
#ifndef SPINWEAVE_CUDA_DNN_H
#define SPINWEAVE_CUDA_DNN_H

#include <stddef.h>

#include "cuda_driver.h"

typedef struct sw_dnn_handle *sw_dnn_handle;
typedef struct sw_dnn_tensor *sw_dnn_tensor;
typedef struct sw_dnn_filter *sw_dnn_filter;
typedef struct sw_dnn_convolution *sw_dnn_convolution;

enum {
    // cudnnStatus_t, of 8 and of 9 (each kind of failure has a thousand numbers there)
    SW_DNN_NOT_INITIALIZED_8 = 1,
    SW_DNN_ALLOCATION_FAILED_8 = 2,
    SW_DNN_INTERNAL_ERROR_8 = 4,
    SW_DNN_MAPPING_ERROR_8 = 7,
    SW_DNN_EXECUTION_FAILED_8 = 8,
    SW_DNN_NOT_INITIALIZED = 1001,
    SW_DNN_INTERNAL_ERROR = 4000,
    SW_DNN_HOST_ALLOCATION_FAILED = 4003,
    SW_DNN_DEVICE_ALLOCATION_FAILED = 4004,
    SW_DNN_EXECUTION_FAILED = 5000,
    SW_DNN_FLOAT = 0,              // cudnnDataType_t
    SW_DNN_BF16 = 9,
    SW_DNN_ROW_MAJOR = 0,          // cudnnTensorFormat_t: CUDNN_TENSOR_NCHW
    SW_DNN_CROSS_CORRELATION = 1,  // cudnnConvolutionMode_t
    SW_DNN_DETERMINISTIC = 1,      // cudnnDeterminism_t
    SW_DNN_DEFAULT_MATH = 0,       // cudnnMathType_t: TF32 where a device has it
    SW_DNN_TENSOR_MATH = 1,
    SW_DNN_CONVERTING_MATH = 2,
    SW_DNN_FMA_MATH = 3,
    // cudnnConvolutionFwdAlgo_t: implicit, with indices in memory, explicit products of matrices. Later ones transform.
    SW_DNN_FORWARD_PRODUCTS = 3,
    SW_DNN_FORWARD_INDEXED_PRODUCT = 1,
    // cudnnConvolutionBwdDataAlgo_t and …BwdFilterAlgo_t: the one without atomics that does not transform.
    SW_DNN_BACKWARD_DATA_PRODUCT = 1,
    SW_DNN_BACKWARD_FILTER_PRODUCT = 1,
};

// cudnnConvolutionFwdAlgoPerf_t, and those of the two ways back, which look alike.
typedef struct {
    int algorithm;
    int status;
    float milliseconds;
    size_t workspace;
    int determinism;
    int math;
    int reserved[3];
} sw_dnn_choice;

// Each returns a cudnnStatus_t, 0 for success. Where a function is told of several tensors they are in NVIDIA's order.
typedef struct {
    int (*create)(sw_dnn_handle *handle);
    int (*destroy)(sw_dnn_handle handle);
    int (*set_stream)(sw_dnn_handle handle, sw_cu_stream stream);
    const char *(*error_string)(int status);

    int (*tensor_create)(sw_dnn_tensor *tensor);
    int (*tensor_destroy)(sw_dnn_tensor tensor);
    int (*tensor_set)(sw_dnn_tensor tensor, int format, int type, int images, int channels, int height, int width);
    int (*filter_create)(sw_dnn_filter *filter);
    int (*filter_destroy)(sw_dnn_filter filter);
    int (*filter_set)(sw_dnn_filter filter, int type, int format, int outputs, int inputs, int height, int width);
    int (*convolution_create)(sw_dnn_convolution *convolution);
    int (*convolution_destroy)(sw_dnn_convolution convolution);
    int (*convolution_set)(
        sw_dnn_convolution convolution, int pad_height, int pad_width, int stride_height, int stride_width,
        int dilation_height, int dilation_width, int mode, int type);
    int (*convolution_set_math)(sw_dnn_convolution convolution, int math);

    // `found` of at most `wanted` choices, the fastest first.
    int (*forward_choices)(
        sw_dnn_handle handle, sw_dnn_tensor source, sw_dnn_filter filter, sw_dnn_convolution convolution,
        sw_dnn_tensor result, int wanted, int *found, sw_dnn_choice *choices);
    int (*backward_data_choices)(
        sw_dnn_handle handle, sw_dnn_filter filter, sw_dnn_tensor result_gradient, sw_dnn_convolution convolution,
        sw_dnn_tensor source_gradient, int wanted, int *found, sw_dnn_choice *choices);
    int (*backward_filter_choices)(
        sw_dnn_handle handle, sw_dnn_tensor source, sw_dnn_tensor result_gradient, sw_dnn_convolution convolution,
        sw_dnn_filter filter_gradient, int wanted, int *found, sw_dnn_choice *choices);

    // Bytes that an algorithm takes beside its tensors, with the descriptor's mathematics.
    int (*forward_workspace)(
        sw_dnn_handle handle, sw_dnn_tensor source, sw_dnn_filter filter, sw_dnn_convolution convolution,
        sw_dnn_tensor result, int algorithm, size_t *bytes);
    int (*backward_data_workspace)(
        sw_dnn_handle handle, sw_dnn_filter filter, sw_dnn_tensor result_gradient, sw_dnn_convolution convolution,
        sw_dnn_tensor source_gradient, int algorithm, size_t *bytes);
    int (*backward_filter_workspace)(
        sw_dnn_handle handle, sw_dnn_tensor source, sw_dnn_tensor result_gradient, sw_dnn_convolution convolution,
        sw_dnn_filter filter_gradient, int algorithm, size_t *bytes);

    // result = alpha · (…) + beta · result
    int (*forward)(
        sw_dnn_handle handle, const void *alpha, sw_dnn_tensor source_layout, const void *source,
        sw_dnn_filter filter_layout, const void *filter, sw_dnn_convolution convolution, int algorithm,
        void *workspace, size_t workspace_bytes, const void *beta, sw_dnn_tensor result_layout, void *result);
    int (*backward_data)(
        sw_dnn_handle handle, const void *alpha, sw_dnn_filter filter_layout, const void *filter,
        sw_dnn_tensor gradient_layout, const void *gradient, sw_dnn_convolution convolution, int algorithm,
        void *workspace, size_t workspace_bytes, const void *beta, sw_dnn_tensor result_layout, void *result);
    int (*backward_filter)(
        sw_dnn_handle handle, const void *alpha, sw_dnn_tensor source_layout, const void *source,
        sw_dnn_tensor gradient_layout, const void *gradient, sw_dnn_convolution convolution, int algorithm,
        void *workspace, size_t workspace_bytes, const void *beta, sw_dnn_filter result_layout, void *result);
} sw_cuda_dnn;

// Fills `dnn` from an opened libcudnn; null where all was found, else the name of the first function that is missing.
const char *sw_cuda_dnn_fill(void *library, sw_cuda_dnn *dnn);

#endif
