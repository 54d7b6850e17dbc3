#include "noise.cu"

SW_HOST_KERNEL(sw_noise_count);
SW_HOST_KERNEL(sw_noise_bits);
SW_HOST_KERNEL(sw_noise_poisson);
