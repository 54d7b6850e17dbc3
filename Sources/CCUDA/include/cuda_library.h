// Opens a shared library and finds its functions.
#ifndef SPINWEAVE_CUDA_LIBRARY_H
#define SPINWEAVE_CUDA_LIBRARY_H

#include <stddef.h>

// Opens `path` (a name alone is looked for where the system's loader looks). Null: `problem` has the loader's words.
void *sw_library_open(const char *path, char *problem, size_t capacity);

void sw_library_close(void *library);

// The file that the library was read from, as far as the loader tells; else what was asked for.
void sw_library_path(void *library, const char *symbol, char *path, size_t capacity);

// A function's place in a table of function pointers.
typedef struct {
    const char *symbol;
    size_t offset;
    int is_optional;
} sw_library_entry;

// Fills `table`; null where all was found, else the name of the first function that the library lacks.
const char *sw_library_fill(void *library, void *table, const sw_library_entry *entries, int count);

// Versions of libraries that are only looked for: 0 where the function is missing or fails.
//
// `symbol` is of the form status f(int which, int *value), as cublasGetProperty: which 0 is the major version, 1 the minor,
// 2 the patch.
int sw_library_property_version(void *library, const char *symbol, int version[3]);

// `symbol` is of the form size_t f(void), as cudnnGetVersion.
size_t sw_library_number(void *library, const char *symbol);

#endif
