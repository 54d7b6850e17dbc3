#ifndef SPINWEAVE_SOFTWARE_H
#define SPINWEAVE_SOFTWARE_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#define SW_EXPORT extern "C" __attribute__((visibility("default")))

/// The value of a key of `software-cuda.conf`, read once.
std::string software_setting(const char *key, const char *otherwise);
long software_number(const char *key, long otherwise);
/// Whether this call of `function` is one of those that are to fail.
bool software_fails(const char *function);
/// Gives a stream of `cuStreamCreate` a piece of work, which returns a CUresult.
void software_give(void *stream, std::function<int()> piece);
/// Whether memory of the devices' holds [address, address + bytes).
bool software_holds(const void *address, size_t bytes);
/// Makes `problem` what cuGetErrorString says of a launch that failed.
int software_launch_failure(const std::string &problem);

#endif
