#ifndef SPINWEAVE_CKERNELS_H
#define SPINWEAVE_CKERNELS_H

#include "cuda_text.h"
#include "detector_image.h"
#include "detector_image_device.h"
#include "magnons.h"
#include "magnons_device.h"
#include "network_device.h"
#include "noise_device.h"
#include "weights.h"
#include "zone_device.h"

#endif
