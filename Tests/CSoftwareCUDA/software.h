#ifndef SPINWEAVE_SOFTWARE_H
#define SPINWEAVE_SOFTWARE_H

#include <map>
#include <string>

#define SW_EXPORT extern "C" __attribute__((visibility("default")))

/// The value of a key of `software-cuda.conf`, read once.
std::string software_setting(const char *key, const char *otherwise);
long software_number(const char *key, long otherwise);
/// Whether this call of `function` is one of those that are to fail.
bool software_fails(const char *function);

#endif
