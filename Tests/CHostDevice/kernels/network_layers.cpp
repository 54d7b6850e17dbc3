#include "network_layers.cu"

SW_HOST_KERNEL(sw_network_map);
SW_HOST_KERNEL(sw_network_bias);
SW_HOST_KERNEL(sw_network_map_sums);
SW_HOST_KERNEL(sw_network_channel_sums);
SW_HOST_KERNEL(sw_network_map_means);
SW_HOST_KERNEL(sw_network_panels);
SW_HOST_KERNEL(sw_network_fold);
SW_HOST_KERNEL(sw_network_pad);
SW_HOST_KERNEL(sw_network_pool);
SW_HOST_KERNEL(sw_network_pool_back);
SW_HOST_KERNEL(sw_network_dropout);
