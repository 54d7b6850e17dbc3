#include "measure.cu"

SW_HOST_KERNEL(sw_measure_double);
SW_HOST_KERNEL(sw_measure_single);
SW_HOST_KERNEL(sw_measure_triangles);
