#include "zone.cu"

SW_HOST_KERNEL(sw_zone_unfold);
