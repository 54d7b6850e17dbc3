#ifndef SPINWEAVE_CONEDNN_H
#define SPINWEAVE_CONEDNN_H

#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>

// Of libgomp, which oneDNN runs on: how many threads a parallel region started by the calling thread may use. Declared
// here because <omp.h> is not on clang's include path.
void omp_set_num_threads(int threads);

#endif
