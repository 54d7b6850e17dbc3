// libcuda, NVRTC, cuBLAS and cuDNN (cuBLAS.cpp, cuDNN.cpp) for the device in software: the functions that Sources/CCUDA opens, under NVIDIA's names.
//
// Built as a shared library, copied where a test wants it, and opened as the real ones are. What it is like is read from the
// file `software-cuda.conf` beside it, `key=value` lines:
//
//     driver=12040            version of the driver
//     compiler=12.9           version of NVRTC
//     devices=1               how many there are
//     architecture=90
//     memory=1073741824       bytes a device has
//     shared=0                bytes of shared memory that each kernel has before a launch adds some
//     order=0                 of blocks and threads (host_device.h)
//     fail=cuLaunchKernel:3   the third call of that function, and each later one, gives `code`
//     code=719
//     cudnn=90100             version of cuDNN
//     deterministic=0         cuDNN knows no way of giving the same bits every time
//     bf16-ways=0             nor does it for factors in bf16
//     cudart=12000            the CUDA that cuDNN was built for
//     heuristics=0            cuDNN's heuristics name no way, though there is one
//     wrong=forward           a number of cuDNN's (forward, data, filter) or cuBLAS's (product) answers is off by 1; with
//                             bf16- before, only where factors are in bf16
//
// Nothing is done before someone waits for it: memory that is read too early has not changed yet. Memory on the device
// starts as NaN and has guards around it; a kernel that writes on them ends in CUDA_ERROR_ILLEGAL_ADDRESS.
#ifndef SPINWEAVE_SOFTWARE_CUDA_H
#define SPINWEAVE_SOFTWARE_CUDA_H
#endif
