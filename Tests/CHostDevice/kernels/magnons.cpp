#include "magnons.cu"

SW_HOST_KERNEL(sw_magnons_small);
SW_HOST_KERNEL(sw_magnons_reduce_8);
SW_HOST_KERNEL(sw_magnons_reduce_16);
SW_HOST_KERNEL(sw_magnons_reduce_32);
SW_HOST_KERNEL(sw_magnons_reduce_64);
SW_HOST_KERNEL(sw_magnons_reduce_128);
SW_HOST_KERNEL(sw_magnons_reduce_spill);
SW_HOST_KERNEL(sw_magnons_ql);
SW_HOST_KERNEL(sw_magnons_finish_8);
SW_HOST_KERNEL(sw_magnons_finish_16);
SW_HOST_KERNEL(sw_magnons_finish_32);
SW_HOST_KERNEL(sw_magnons_finish_64);
SW_HOST_KERNEL(sw_magnons_finish_128);
SW_HOST_KERNEL(sw_magnons_finish_spill);
SW_HOST_KERNEL(sw_magnons_write);
