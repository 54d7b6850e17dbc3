#include "network_updates.cu"

SW_HOST_KERNEL(sw_network_gather);
SW_HOST_KERNEL(sw_network_loss);
SW_HOST_KERNEL(sw_network_lengths);
SW_HOST_KERNEL(sw_network_scale);
SW_HOST_KERNEL(sw_network_add);
SW_HOST_KERNEL(sw_network_update);
SW_HOST_KERNEL(sw_network_path);
SW_HOST_KERNEL(sw_network_noisy);
SW_HOST_KERNEL(sw_network_exchange);
SW_HOST_KERNEL(sw_network_mean);
