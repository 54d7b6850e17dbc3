#ifndef SPINWEAVE_CKERNELS_H
#define SPINWEAVE_CKERNELS_H

#include "detector_image.h"
#include "magnons.h"
#include "weights.h"

#endif
