#include "network_heads.cu"

SW_HOST_KERNEL(sw_network_class_sums);
SW_HOST_KERNEL(sw_network_log_kernels);
SW_HOST_KERNEL(sw_network_log_kernels_back);
SW_HOST_KERNEL(sw_network_kernel_loss);
SW_HOST_KERNEL(sw_network_density_loss);
SW_HOST_KERNEL(sw_network_kernel_pull);
SW_HOST_KERNEL(sw_network_slopes);
SW_HOST_KERNEL(sw_network_moves);
SW_HOST_KERNEL(sw_network_moved);
