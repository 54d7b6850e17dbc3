// NVIDIA's libraries as far as they are used, declared from their public documentation and opened at run time.
#ifndef SPINWEAVE_CCUDA_H
#define SPINWEAVE_CCUDA_H

#include "cuda_blas.h"
#include "cuda_compiler.h"
#include "cuda_dnn.h"
#include "cuda_driver.h"
#include "cuda_library.h"

#endif
