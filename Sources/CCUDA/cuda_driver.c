#include "cuda_driver.h"
#include "cuda_library.h"

#define ENTRY(field, symbol) {symbol, offsetof(sw_cuda_driver, field), 0}

// Where the API has changed a function, the form of CUDA 12 is named by its suffix.
static const sw_library_entry entries[] = {
    ENTRY(start, "cuInit"),
    ENTRY(driver_version, "cuDriverGetVersion"),
    ENTRY(error_name, "cuGetErrorName"),
    ENTRY(error_string, "cuGetErrorString"),
    ENTRY(device_count, "cuDeviceGetCount"),
    ENTRY(device_get, "cuDeviceGet"),
    ENTRY(device_name, "cuDeviceGetName"),
    ENTRY(device_attribute, "cuDeviceGetAttribute"),
    ENTRY(device_memory, "cuDeviceTotalMem_v2"),
    ENTRY(primary_context_retain, "cuDevicePrimaryCtxRetain"),
    ENTRY(primary_context_release, "cuDevicePrimaryCtxRelease_v2"),
    ENTRY(context_set_current, "cuCtxSetCurrent"),
    ENTRY(memory_info, "cuMemGetInfo_v2"),
    ENTRY(device_default_pool, "cuDeviceGetDefaultMemPool"),
    ENTRY(pool_set_attribute, "cuMemPoolSetAttribute"),
    ENTRY(pool_get_attribute, "cuMemPoolGetAttribute"),
    ENTRY(memory_allocate, "cuMemAlloc_v2"),
    ENTRY(memory_free, "cuMemFree_v2"),
    ENTRY(memory_allocate_async, "cuMemAllocAsync"),
    ENTRY(memory_free_async, "cuMemFreeAsync"),
    ENTRY(host_allocate, "cuMemHostAlloc"),
    ENTRY(host_free, "cuMemFreeHost"),
    ENTRY(copy_to_device, "cuMemcpyHtoDAsync_v2"),
    ENTRY(copy_to_host, "cuMemcpyDtoHAsync_v2"),
    ENTRY(copy_on_device, "cuMemcpyDtoDAsync_v2"),
    ENTRY(fill_bytes, "cuMemsetD8Async"),
    ENTRY(stream_create, "cuStreamCreate"),
    ENTRY(stream_destroy, "cuStreamDestroy_v2"),
    ENTRY(stream_synchronize, "cuStreamSynchronize"),
    ENTRY(stream_wait_event, "cuStreamWaitEvent"),
    ENTRY(event_create, "cuEventCreate"),
    ENTRY(event_destroy, "cuEventDestroy_v2"),
    ENTRY(event_record, "cuEventRecord"),
    ENTRY(event_query, "cuEventQuery"),
    ENTRY(event_synchronize, "cuEventSynchronize"),
    ENTRY(event_elapsed_time, "cuEventElapsedTime"),
    ENTRY(module_load, "cuModuleLoadData"),
    ENTRY(module_unload, "cuModuleUnload"),
    ENTRY(module_function, "cuModuleGetFunction"),
    ENTRY(function_attribute, "cuFuncGetAttribute"),
    ENTRY(function_set_attribute, "cuFuncSetAttribute"),
    ENTRY(launch, "cuLaunchKernel"),
    {"cuFuncGetParamInfo", offsetof(sw_cuda_driver, function_parameter), 1},
};

const char *sw_cuda_driver_fill(void *library, sw_cuda_driver *driver) {
    return sw_library_fill(library, driver, entries, sizeof entries / sizeof entries[0]);
}
