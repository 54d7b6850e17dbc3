#include "cuda_dnn.h"
#include "cuda_library.h"

#define ENTRY(field, symbol) {symbol, offsetof(sw_cuda_dnn, field), 0}

static const sw_library_entry entries[] = {
    ENTRY(create, "cudnnCreate"),
    ENTRY(destroy, "cudnnDestroy"),
    ENTRY(set_stream, "cudnnSetStream"),
    ENTRY(error_string, "cudnnGetErrorString"),
    ENTRY(tensor_create, "cudnnCreateTensorDescriptor"),
    ENTRY(tensor_destroy, "cudnnDestroyTensorDescriptor"),
    ENTRY(tensor_set, "cudnnSetTensor4dDescriptor"),
    ENTRY(filter_create, "cudnnCreateFilterDescriptor"),
    ENTRY(filter_destroy, "cudnnDestroyFilterDescriptor"),
    ENTRY(filter_set, "cudnnSetFilter4dDescriptor"),
    ENTRY(convolution_create, "cudnnCreateConvolutionDescriptor"),
    ENTRY(convolution_destroy, "cudnnDestroyConvolutionDescriptor"),
    ENTRY(convolution_set, "cudnnSetConvolution2dDescriptor"),
    ENTRY(convolution_set_math, "cudnnSetConvolutionMathType"),
    ENTRY(forward_choices, "cudnnGetConvolutionForwardAlgorithm_v7"),
    ENTRY(backward_data_choices, "cudnnGetConvolutionBackwardDataAlgorithm_v7"),
    ENTRY(backward_filter_choices, "cudnnGetConvolutionBackwardFilterAlgorithm_v7"),
    ENTRY(forward_workspace, "cudnnGetConvolutionForwardWorkspaceSize"),
    ENTRY(backward_data_workspace, "cudnnGetConvolutionBackwardDataWorkspaceSize"),
    ENTRY(backward_filter_workspace, "cudnnGetConvolutionBackwardFilterWorkspaceSize"),
    ENTRY(forward, "cudnnConvolutionForward"),
    ENTRY(backward_data, "cudnnConvolutionBackwardData"),
    ENTRY(backward_filter, "cudnnConvolutionBackwardFilter"),
};

const char *sw_cuda_dnn_fill(void *library, sw_cuda_dnn *dnn) {
    return sw_library_fill(library, dnn, entries, sizeof entries / sizeof entries[0]);
}
