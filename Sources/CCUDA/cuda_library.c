#define _GNU_SOURCE
#include "cuda_library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *sw_library_open(const char *path, char *problem, size_t capacity) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *words = dlerror();
        snprintf(problem, capacity, "%s", words == NULL ? "the loader gives no reason" : words);
    }
    return library;
}

void sw_library_close(void *library) { dlclose(library); }

void sw_library_path(void *library, const char *symbol, char *path, size_t capacity) {
    Dl_info info;
    void *address = dlsym(library, symbol);
    if (address != NULL && dladdr(address, &info) != 0 && info.dli_fname != NULL) {
        snprintf(path, capacity, "%s", info.dli_fname);
    } else if (capacity > 0) {
        path[0] = 0;
    }
}

const char *sw_library_fill(void *library, void *table, const sw_library_entry *entries, int count) {
    for (int i = 0; i < count; i++) {
        void *address = dlsym(library, entries[i].symbol);
        if (address == NULL && !entries[i].is_optional) return entries[i].symbol;
        memcpy((char *)table + entries[i].offset, &address, sizeof address);
    }
    return NULL;
}

int sw_library_property_version(void *library, const char *symbol, int version[3]) {
    int (*property)(int, int *);
    void *address = dlsym(library, symbol);
    if (address == NULL) return 0;
    memcpy(&property, &address, sizeof address);
    for (int which = 0; which < 3; which++) {
        if (property(which, &version[which]) != 0) return 0;
    }
    return 1;
}

size_t sw_library_number(void *library, const char *symbol) {
    size_t (*number)(void);
    void *address = dlsym(library, symbol);
    if (address == NULL) return 0;
    memcpy(&number, &address, sizeof address);
    return number();
}
