#include "network_norms.cu"

SW_HOST_KERNEL(sw_network_unit_mean);
SW_HOST_KERNEL(sw_network_group_norm);
SW_HOST_KERNEL(sw_network_group_norm_back);
SW_HOST_KERNEL(sw_network_moments);
SW_HOST_KERNEL(sw_network_statistics);
SW_HOST_KERNEL(sw_network_batch_norm);
SW_HOST_KERNEL(sw_network_pulls);
SW_HOST_KERNEL(sw_network_part_pulls);
SW_HOST_KERNEL(sw_network_batch_norm_back);
SW_HOST_KERNEL(sw_network_pair_sums);
