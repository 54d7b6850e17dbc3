#include "axpy.cu"

SW_HOST_KERNEL(sw_axpy);
SW_HOST_KERNEL(sw_block_sums);
