#include "noise.cu"

SW_HOST_KERNEL(sw_noise_count);
SW_HOST_KERNEL(sw_noise_bits);
SW_HOST_KERNEL(sw_noise_poisson);
SW_HOST_KERNEL(sw_noise_mix);
SW_HOST_KERNEL(sw_noise_resample);
SW_HOST_KERNEL(sw_noise_sum);
SW_HOST_KERNEL(sw_noise_expect);
