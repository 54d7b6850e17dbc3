// HDF5's constants are macros over globals that the library sets when it starts, so that Swift cannot see them; here they
// are functions. The rest is what takes a callback or a fixed sequence of property lists.
#ifndef SPINWEAVE_CHDF5_H
#define SPINWEAVE_CHDF5_H

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

static inline hid_t chdf5_int8(void) { return H5T_STD_I8LE; }
static inline hid_t chdf5_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t chdf5_int32(void) { return H5T_STD_I32LE; }
static inline hid_t chdf5_uint32(void) { return H5T_STD_U32LE; }
static inline hid_t chdf5_int64(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_float32(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_float64(void) { return H5T_IEEE_F64LE; }

static inline hid_t chdf5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t chdf5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t chdf5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t chdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_native_double(void) { return H5T_NATIVE_DOUBLE; }

/// Datasets without dates: the same content gives the same bytes, whenever it is written.
static inline hid_t chdf5_dataset_creation(void) {
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    if (creation >= 0) H5Pset_obj_track_times(creation, 0);
    return creation;
}

/// No messages on standard error, and no filters loaded from folders that the environment names.
static inline void chdf5_quieten(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
}

/// A new file in memory.
static inline hid_t chdf5_create_image(const char *name) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0) return access;
    hid_t file = H5Pset_fapl_core(access, 1 << 16, 0) < 0 ? -1 : H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    return file;
}

typedef struct {
    char *text;
    size_t capacity;
} chdf5_message;

static inline herr_t chdf5_innermost(unsigned depth, const H5E_error2_t *error, void *data) {
    (void)depth;
    chdf5_message *message = (chdf5_message *)data;
    if (message->text[0] == 0 && error->desc && error->desc[0])
        snprintf(message->text, message->capacity, "%s", error->desc);
    return 0;
}

/// What went wrong in the last call, at the innermost place that says so; then forgets it.
static inline void chdf5_last_error(char *text, size_t capacity) {
    text[0] = 0;
    chdf5_message message = {text, capacity};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, chdf5_innermost, &message);
    H5Eclear2(H5E_DEFAULT);
}

#endif
