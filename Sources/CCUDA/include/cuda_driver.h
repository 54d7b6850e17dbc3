// The CUDA driver API (docs.nvidia.com/cuda/cuda-driver-api), as far as it is used.
#ifndef SPINWEAVE_CUDA_DRIVER_H
#define SPINWEAVE_CUDA_DRIVER_H

#include <stddef.h>
#include <stdint.h>

typedef struct sw_cu_context *sw_cu_context;
typedef struct sw_cu_module *sw_cu_module;
typedef struct sw_cu_function *sw_cu_function;
typedef struct sw_cu_stream *sw_cu_stream;
typedef struct sw_cu_event *sw_cu_event;
typedef struct sw_cu_pool *sw_cu_pool;
typedef uint64_t sw_cu_address;

enum {  // CUresult
    SW_CU_SUCCESS = 0,
    SW_CU_OUT_OF_MEMORY = 2,
    SW_CU_NO_DEVICE = 100,
    SW_CU_INVALID_IMAGE = 200,
    SW_CU_NO_BINARY_FOR_DEVICE = 209,
    SW_CU_INVALID_PTX = 218,
    SW_CU_UNSUPPORTED_PTX_VERSION = 222,
    SW_CU_NOT_FOUND = 500,
    SW_CU_NOT_READY = 600,
};

enum {  // CUdevice_attribute
    SW_CU_MAX_THREADS_PER_BLOCK = 1,
    SW_CU_MULTIPROCESSOR_COUNT = 16,
    SW_CU_L2_CACHE_SIZE = 38,
    SW_CU_COMPUTE_CAPABILITY_MAJOR = 75,
    SW_CU_COMPUTE_CAPABILITY_MINOR = 76,
    SW_CU_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97,
    SW_CU_MEMORY_POOLS_SUPPORTED = 115,
};

enum {  // CUfunction_attribute
    SW_CU_FUNCTION_MAX_THREADS_PER_BLOCK = 0,
    SW_CU_FUNCTION_SHARED_BYTES = 1,
    SW_CU_FUNCTION_LOCAL_BYTES = 3,
    SW_CU_FUNCTION_REGISTERS = 4,
    SW_CU_FUNCTION_MAX_DYNAMIC_SHARED_BYTES = 8,
};

enum {
    SW_CU_STREAM_NON_BLOCKING = 1,       // CUstream_flags
    SW_CU_EVENT_BLOCKING_SYNC = 1,       // CUevent_flags
    SW_CU_HOST_PORTABLE = 1,             // CU_MEMHOSTALLOC_PORTABLE
    SW_CU_POOL_RELEASE_THRESHOLD = 4,    // CUmemPool_attribute
    SW_CU_POOL_RESERVED_CURRENT = 5,
    SW_CU_POOL_USED_CURRENT = 7,
};

// Each returns a CUresult. Their names are those of the API without `cu`.
typedef struct {
    int (*start)(unsigned flags);
    int (*driver_version)(int *version);  // 1000 · major + 10 · minor
    int (*error_name)(int status, const char **name);
    int (*error_string)(int status, const char **text);

    int (*device_count)(int *count);
    int (*device_get)(int *device, int ordinal);
    int (*device_name)(char *name, int capacity, int device);
    int (*device_attribute)(int *value, int attribute, int device);
    int (*device_memory)(size_t *bytes, int device);
    int (*primary_context_retain)(sw_cu_context *context, int device);
    int (*primary_context_release)(int device);
    int (*context_set_current)(sw_cu_context context);
    int (*memory_info)(size_t *free_bytes, size_t *total_bytes);
    int (*device_default_pool)(sw_cu_pool *pool, int device);
    int (*pool_set_attribute)(sw_cu_pool pool, int attribute, void *value);
    int (*pool_get_attribute)(sw_cu_pool pool, int attribute, void *value);

    int (*memory_allocate)(sw_cu_address *address, size_t bytes);
    int (*memory_free)(sw_cu_address address);
    int (*memory_allocate_async)(sw_cu_address *address, size_t bytes, sw_cu_stream stream);
    int (*memory_free_async)(sw_cu_address address, sw_cu_stream stream);
    int (*host_allocate)(void **address, size_t bytes, unsigned flags);
    int (*host_free)(void *address);
    int (*copy_to_device)(sw_cu_address to, const void *from, size_t bytes, sw_cu_stream stream);
    int (*copy_to_host)(void *to, sw_cu_address from, size_t bytes, sw_cu_stream stream);
    int (*copy_on_device)(sw_cu_address to, sw_cu_address from, size_t bytes, sw_cu_stream stream);
    int (*fill_bytes)(sw_cu_address to, unsigned char value, size_t bytes, sw_cu_stream stream);

    int (*stream_create)(sw_cu_stream *stream, unsigned flags);
    int (*stream_destroy)(sw_cu_stream stream);
    int (*stream_synchronize)(sw_cu_stream stream);
    int (*stream_wait_event)(sw_cu_stream stream, sw_cu_event event, unsigned flags);
    int (*event_create)(sw_cu_event *event, unsigned flags);
    int (*event_destroy)(sw_cu_event event);
    int (*event_record)(sw_cu_event event, sw_cu_stream stream);
    int (*event_query)(sw_cu_event event);
    int (*event_synchronize)(sw_cu_event event);
    int (*event_elapsed_time)(float *milliseconds, sw_cu_event start, sw_cu_event end);

    int (*module_load)(sw_cu_module *module, const void *image);
    int (*module_unload)(sw_cu_module module);
    int (*module_function)(sw_cu_function *function, sw_cu_module module, const char *name);
    int (*function_attribute)(int *value, int attribute, sw_cu_function function);
    int (*function_set_attribute)(sw_cu_function function, int attribute, int value);
    int (*launch)(
        sw_cu_function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
        unsigned block_z, unsigned shared_bytes, sw_cu_stream stream, void **parameters, void **extra);
    // Since 12.4; null in older drivers.
    int (*function_parameter)(sw_cu_function function, size_t index, size_t *offset, size_t *size);
} sw_cuda_driver;

// Fills `driver` from an opened libcuda; null where all was found, else the name of the first function that is missing.
const char *sw_cuda_driver_fill(void *library, sw_cuda_driver *driver);

#endif
