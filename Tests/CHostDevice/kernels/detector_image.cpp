#include "detector_image.cu"

SW_HOST_KERNEL(sw_image_see);
SW_HOST_KERNEL(sw_image_place);
SW_HOST_KERNEL(sw_image_order);
SW_HOST_KERNEL(sw_image_spread);
SW_HOST_KERNEL(sw_image_deposit);
