#include "cuda_text.h"

// Understood by the compiler of this toolchain in every mode, and tracked as a dependency.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define END , 0

// A kernel and each header that a kernel includes: an array here, a line in the table below.
static const char axpy_cu[] = {
#embed "cuda/axpy.cu"
    END};
static const char kernel_cuh[] = {
#embed "cuda/kernel.cuh"
    END};
static const char stdint_cuh[] = {
#embed "cuda/stdint.cuh"
    END};
static const char magnons_cu[] = {
#embed "cuda/magnons.cu"
    END};
static const char complex_cuh[] = {
#embed "cuda/complex.cuh"
    END};
static const char magnons_algebra_cuh[] = {
#embed "cuda/magnons_algebra.cuh"
    END};
static const char magnons_block_cuh[] = {
#embed "cuda/magnons_block.cuh"
    END};
static const char magnons_ql_cuh[] = {
#embed "cuda/magnons_ql.cuh"
    END};
static const char magnons_record_cuh[] = {
#embed "cuda/magnons_record.cuh"
    END};
static const char magnons_small_cuh[] = {
#embed "cuda/magnons_small.cuh"
    END};
static const char magnons_tridiagonal_cuh[] = {
#embed "cuda/magnons_tridiagonal.cuh"
    END};
static const char team_cuh[] = {
#embed "cuda/team.cuh"
    END};
static const char magnons_h[] = {
#embed "include/magnons.h"
    END};
static const char magnons_device_h[] = {
#embed "include/magnons_device.h"
    END};
static const char detector_image_cu[] = {
#embed "cuda/detector_image.cu"
    END};
static const char detector_image_visit_cuh[] = {
#embed "cuda/detector_image_visit.cuh"
    END};
static const char normal_cuh[] = {
#embed "cuda/normal.cuh"
    END};
static const char detector_image_h[] = {
#embed "include/detector_image.h"
    END};
static const char detector_image_device_h[] = {
#embed "include/detector_image_device.h"
    END};
static const char noise_cu[] = {
#embed "cuda/noise.cu"
    END};
static const char random_cuh[] = {
#embed "cuda/random.cuh"
    END};
static const char noise_device_h[] = {
#embed "include/noise_device.h"
    END};
static const char network_cuh[] = {
#embed "cuda/network.cuh"
    END};
static const char network_layers_cu[] = {
#embed "cuda/network_layers.cu"
    END};
static const char network_norms_cu[] = {
#embed "cuda/network_norms.cu"
    END};
static const char network_heads_cu[] = {
#embed "cuda/network_heads.cu"
    END};
static const char network_updates_cu[] = {
#embed "cuda/network_updates.cu"
    END};
static const char network_device_h[] = {
#embed "include/network_device.h"
    END};
static const char measure_cu[] = {
#embed "cuda/measure.cu"
    END};
static const char zone_cu[] = {
#embed "cuda/zone.cu"
    END};
static const char zone_device_h[] = {
#embed "include/zone_device.h"
    END};

#define TEXT(name, text) {name, text, sizeof text - 1}

static const sw_cuda_text texts[] = {
    TEXT("axpy.cu", axpy_cu),
    TEXT("kernel.cuh", kernel_cuh),
    TEXT("stdint.h", stdint_cuh),
    TEXT("detector_image.cu", detector_image_cu),
    TEXT("detector_image_visit.cuh", detector_image_visit_cuh),
    TEXT("normal.cuh", normal_cuh),
    TEXT("detector_image.h", detector_image_h),
    TEXT("detector_image_device.h", detector_image_device_h),
    TEXT("noise.cu", noise_cu),
    TEXT("random.cuh", random_cuh),
    TEXT("noise_device.h", noise_device_h),
    TEXT("network.cuh", network_cuh),
    TEXT("network_layers.cu", network_layers_cu),
    TEXT("network_norms.cu", network_norms_cu),
    TEXT("network_heads.cu", network_heads_cu),
    TEXT("network_updates.cu", network_updates_cu),
    TEXT("network_device.h", network_device_h),
    TEXT("magnons.cu", magnons_cu),
    TEXT("complex.cuh", complex_cuh),
    TEXT("magnons_algebra.cuh", magnons_algebra_cuh),
    TEXT("magnons_block.cuh", magnons_block_cuh),
    TEXT("magnons_ql.cuh", magnons_ql_cuh),
    TEXT("magnons_record.cuh", magnons_record_cuh),
    TEXT("magnons_small.cuh", magnons_small_cuh),
    TEXT("magnons_tridiagonal.cuh", magnons_tridiagonal_cuh),
    TEXT("team.cuh", team_cuh),
    TEXT("magnons.h", magnons_h),
    TEXT("magnons_device.h", magnons_device_h),
    TEXT("measure.cu", measure_cu),
    TEXT("zone.cu", zone_cu),
    TEXT("zone_device.h", zone_device_h),
};

const sw_cuda_text *sw_cuda_texts(int64_t *count) {
    *count = sizeof texts / sizeof texts[0];
    return texts;
}
